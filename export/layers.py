"""The layers that the graphs are made of, over the checkpoint's tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from onnx import TensorProto

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.layout import FLOATS, Layout

from .builder import GraphBuilder
from .errors import CheckpointError
from .names import region_shapes, text_shapes, vision_shapes

Reader = Callable[[str], np.ndarray]
DTYPES = {'fp32': np.float32, 'fp16': np.float16, 'int8': np.int8}
KINDS = {'fp32': TensorProto.FLOAT, 'fp16': TensorProto.FLOAT16, 'int8': TensorProto.INT8}


class Lowering(Protocol):
    """Makes operators of what the graphs are described with.

    Values are in the layout's activations.
    """

    def matmul(self, layers: Layers, x: str, name: str) -> str:
        """X @ weight.T of a linear layer, plus its bias."""

    def attend(self, layers: Layers, q: str, k: str, v: str, heads: int) -> str:
        """Every position sees every position: three times (n, t, dim) to (n, t, dim)."""

    def begin_decoder(self, layers: Layers, embeds: str) -> None:
        """Declare the decoder's inputs beside `embeds`, (1, t, dim), and the cache itself."""

    def step(self, layers: Layers, qkv: str, index: int) -> str:
        """Attend over the cache of layer `index` and over this step itself: (1, t, dim).

        :param qkv: (1, t, (heads + 2 kv_heads) * head_dim).
        """


class Layers:
    """Appends layers to a graph; a layer is named as its tensors are in the checkpoint.

    The residual stream and the norms are f32 whatever the layout: published models have values
    there that half precision does not hold.
    """

    def __init__(
        self,
        graph: GraphBuilder,
        config: ModelConfig,
        read: Reader,
        layout: Layout,
        lowering: Lowering,
        branches: frozenset[int] = frozenset(),
    ) -> None:
        self.graph = graph
        self.config = config
        self.shapes = vision_shapes(config) | text_shapes(config) | region_shapes(config)
        self.read = read
        self.layout = layout
        self.lowering = lowering
        self.branches = branches  # see `lora.AdaptedCheckpoint`

    @property
    def kind(self) -> int:
        """Element type of the activations."""
        return KINDS[self.layout.activations]

    def tensor(self, name: str) -> str:
        """A tensor as it is, f32."""
        return self.graph.weight(name, lambda: self.read(name))

    def floats(self, name: str, values: Callable[[], np.ndarray] | None = None) -> str:
        """A tensor in the activations' precision; `values` where it is not the checkpoint's.

        Raises CheckpointError where a value is beyond half precision.
        """

        def cast() -> np.ndarray:
            found = values() if values else self.read(name)
            with np.errstate(over='ignore'):
                cast = found.astype(DTYPES[self.layout.activations])
            if not np.isfinite(cast).all():
                raise CheckpointError(
                    f'{name} has values up to {np.abs(found).max():.3g}, beyond half precision; '
                    'choose --precision fp32, or int8 or int4 without a preset for a GPU'
                )
            return cast

        return self.graph.weight(f'{name}.{self.layout.activations}', cast)

    def linear(self, x: str, name: str) -> str:
        """X @ weight.T + bias, over the last axis; in and out as the activations."""
        return self.lowering.matmul(self, x, name)

    def norm(self, x: str, name: str) -> str:
        """Layer norm of f32 over the last axis, epsilon 1e-5; the result as the activations."""
        scale, bias = self.tensor(f'{name}.weight'), self.tensor(f'{name}.bias')
        x = self.graph.add('LayerNormalization', x, scale, bias, axis=-1, epsilon=1e-5)
        return self.narrow(x)

    def mlp(self, x: str, name: str) -> str:
        """Linear, GELU in its tanh form, linear."""
        inner = self.graph.add('Gelu', self.linear(x, f'{name}.fc1'), approximate='tanh')
        return self.linear(inner, f'{name}.fc2')

    def low_rank(self, x: str, name: str) -> str:
        """X @ A.T @ B.T of an adapter that is not merged; its matrices stay floats."""
        for part in ('A', 'B'):
            matrix = f'{name}.{part}'
            transposed = self.floats(matrix, lambda name=matrix: self.read(name).T)
            x = self.graph.add('MatMul', x, transposed)
        return x

    def reshape(self, x: str, *shape: int) -> str:
        """Reshape; 0 keeps a side, -1 takes what is left."""
        return self.graph.add('Reshape', x, self.graph.constant(shape))

    def last(self, x: str) -> str:
        """The last position of (1, t, d): (1, 1, d)."""
        graph = self.graph
        end = graph.constant([np.iinfo(np.int64).max])
        return graph.add('Slice', x, graph.constant([-1]), end, graph.constant([1]))

    def sum(self, x: str, *values: str) -> str:
        """Add to the f32 residual stream what layers gave."""
        for value in values:
            x = self.graph.add('Add', x, self.widen(value))
        return x

    def widen(self, x: str) -> str:
        """From the activations' precision to f32."""
        if self.layout.activations == 'fp32':
            return x
        return self.graph.add('Cast', x, to=TensorProto.FLOAT)

    def narrow(self, x: str) -> str:
        """From f32 to the activations' precision."""
        if self.layout.activations == 'fp32':
            return x
        return self.graph.add('Cast', x, to=self.kind)

    def float_matmul(self, x: str, name: str) -> str:
        """The matmul of a layer that is not quantised."""
        weight = f'{name}.weight'
        # MatMul wants (inputs, outputs); transposing here saves the runtime doing it.
        transposed = self.floats(weight, lambda: self.read(weight).T)
        product = self.graph.add('MatMul', x, transposed)
        return self.graph.add('Add', product, self.floats(f'{name}.bias'))

    def is_quantised(self, name: str) -> bool:
        """Whether the layout keeps this linear layer in few bits."""
        return self.layout.of(name) not in FLOATS
