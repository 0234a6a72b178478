"""The layers that the graphs are made of, over the checkpoint's tensors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .builder import GraphBuilder

Reader = Callable[[str], np.ndarray]


class Layers:
    """Appends layers to a graph; a layer is named as its tensors are in the checkpoint."""

    def __init__(self, graph: GraphBuilder, read: Reader) -> None:
        self.graph = graph
        self._read = read

    def tensor(self, name: str) -> str:
        """A tensor as it is."""
        return self.graph.weight(name, lambda: self._read(name))

    def linear(self, x: str, name: str) -> str:
        """X @ weight.T + bias, over the last axis."""
        weight = f'{name}.weight'
        # MatMul wants (inputs, outputs); transposing here saves the runtime doing it.
        transposed = self.graph.weight(weight, lambda: self._read(weight).T)
        product = self.graph.add('MatMul', x, transposed)
        return self.graph.add('Add', product, self.tensor(f'{name}.bias'))

    def norm(self, x: str, name: str) -> str:
        """Layer norm over the last axis, epsilon 1e-5."""
        scale, bias = self.tensor(f'{name}.weight'), self.tensor(f'{name}.bias')
        return self.graph.add('LayerNormalization', x, scale, bias, axis=-1, epsilon=1e-5)

    def mlp(self, x: str, name: str) -> str:
        """Linear, GELU in its tanh form, linear."""
        inner = self.graph.add('Gelu', self.linear(x, f'{name}.fc1'), approximate='tanh')
        return self.linear(inner, f'{name}.fc2')

    def reshape(self, x: str, *shape: int) -> str:
        """Reshape; 0 keeps a side, -1 takes what is left."""
        return self.graph.add('Reshape', x, self.graph.constant(shape))

    def sum(self, *values: str) -> str:
        """Add values of one shape."""
        total = values[0]
        for value in values[1:]:
            total = self.graph.add('Add', total, value)
        return total
