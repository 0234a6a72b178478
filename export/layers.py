"""Layers of the graphs, over the checkpoint's tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from onnx import TensorProto

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.efficientnet import same_padding
from kimi_ros.vlm.quantization import FLOATS, QuantizationConfig

from .errors import CheckpointError
from .graph_builder import GraphBuilder
from .names import region_shapes, text_shapes, vision_shapes

Reader = Callable[[str], np.ndarray]
DTYPES = {'fp32': np.float32, 'fp16': np.float16, 'int8': np.int8}
ONNX_TYPES = {'fp32': TensorProto.FLOAT, 'fp16': TensorProto.FLOAT16, 'int8': TensorProto.INT8}


class Lowering(Protocol):
    """Translates layers to the operators of a runtime.

    Values are in the precision of the activations.
    """

    def matmul(self, layers: Layers, x: str, name: str) -> str:
        """A linear layer: x @ weight.T + bias."""

    def attend(self, layers: Layers, q: str, k: str, v: str, heads: int) -> str:
        """Bidirectional attention: q, k, v (n, t, dim) to (n, t, dim)."""

    def begin_decoder(self, layers: Layers, embeds: str) -> None:
        """Declare the decoder's inputs other than `embeds` (1, t, dim) and the cache."""

    def step(self, layers: Layers, qkv: str, index: int) -> str:
        """Attention over the cache of layer `index` and over this step: (1, t, dim).

        :param qkv: (1, t, (heads + 2 kv_heads) * head_dim).
        """


class Layers:
    """Appends layers to a graph; layers have the names of their tensors in the checkpoint.

    The residual stream and the norms are always f32: published models have values there that
    overflow half precision.
    """

    def __init__(
        self,
        graph: GraphBuilder,
        config: ModelConfig,
        read: Reader,
        quantization: QuantizationConfig,
        lowering: Lowering,
        unmerged_blocks: frozenset[int] = frozenset(),
    ) -> None:
        self.graph = graph
        self.config = config
        self.shapes = vision_shapes(config) | text_shapes(config) | region_shapes(config)
        self.read = read
        self.quantization = quantization
        self.lowering = lowering
        self.unmerged_blocks = unmerged_blocks  # see `lora.AdaptedCheckpoint`

    @property
    def kind(self) -> int:
        """Element type of the activations."""
        return ONNX_TYPES[self.quantization.activations]

    def tensor(self, name: str) -> str:
        """A tensor of the checkpoint, f32."""
        return self.graph.weight(name, lambda: self.read(name))

    def float_weight(self, name: str, values: Callable[[], np.ndarray] | None = None) -> str:
        """A weight in the activations' precision; `values` if it is not a checkpoint tensor.

        Raises CheckpointError if a value overflows half precision.
        """

        def cast() -> np.ndarray:
            found = values() if values else self.read(name)
            with np.errstate(over='ignore'):
                cast = found.astype(DTYPES[self.quantization.activations])
            if not np.isfinite(cast).all():
                raise CheckpointError(
                    f'{name} has values up to {np.abs(found).max():.3g}, which overflow half '
                    'precision; use --precision fp32, or int8 or int4 without a GPU preset'
                )
            return cast

        return self.graph.weight(f'{name}.{self.quantization.activations}', cast)

    def linear(self, x: str, name: str) -> str:
        """Linear layer x @ weight.T + bias over the last axis, in the activations' precision."""
        return self.lowering.matmul(self, x, name)

    def convolution(
        self, x: str, name: str, stride: int = 1, depthwise: bool = False, activation: bool = True
    ) -> str:
        """Convolution of (n, channels, rows, columns) with SAME padding; ReLU6 if activated."""
        weight, graph = f'{name}.weight', self.graph
        outputs, _, kernel, _ = self.shapes[weight]
        before, after = same_padding(kernel, stride)
        x = graph.add(
            'Conv',
            x,
            self.float_weight(weight),
            self.float_weight(f'{name}.bias'),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=outputs if depthwise else 1,
        )
        if not activation:
            return x
        dtype = DTYPES[self.quantization.activations]
        return graph.add('Clip', x, graph.constant(0, dtype), graph.constant(6, dtype))

    def patches(self, x: str, channels: int, grid: int, size: int) -> str:
        """Cut (n, channels, grid * size, grid * size) into (n, grid * grid, channels * size^2)."""
        x = self.reshape(x, 0, channels, grid, size, grid, size)
        x = self.graph.add('Transpose', x, perm=[0, 2, 4, 1, 3, 5])
        return self.reshape(x, 0, grid**2, channels * size**2)

    def norm(self, x: str, name: str) -> str:
        """f32 layer norm over the last axis, epsilon 1e-5; the result in activation precision."""
        scale, bias = self.tensor(f'{name}.weight'), self.tensor(f'{name}.bias')
        x = self.graph.add('LayerNormalization', x, scale, bias, axis=-1, epsilon=1e-5)
        return self.to_activations(x)

    def mlp(self, x: str, name: str) -> str:
        """Linear, GELU in its tanh form, linear."""
        inner = self.graph.add('Gelu', self.linear(x, f'{name}.fc1'), approximate='tanh')
        return self.linear(inner, f'{name}.fc2')

    def unmerged_lora(self, x: str, name: str) -> str:
        """Unmerged LoRA adapter x @ A.T @ B.T; its matrices are not quantized."""
        for part in ('A', 'B'):
            matrix = f'{name}.{part}'
            transposed = self.float_weight(matrix, lambda name=matrix: self.read(name).T)
            x = self.graph.add('MatMul', x, transposed)
        return x

    def reshape(self, x: str, *shape: int) -> str:
        """Reshape; 0 keeps a dimension, -1 infers it."""
        return self.graph.add('Reshape', x, self.graph.constant(shape))

    def last_position(self, x: str) -> str:
        """The last position of (1, t, d): (1, 1, d)."""
        graph = self.graph
        end = graph.constant([np.iinfo(np.int64).max])
        return graph.add('Slice', x, graph.constant([-1]), end, graph.constant([1]))

    def residual_add(self, x: str, *values: str) -> str:
        """Add the outputs of layers to the f32 residual stream."""
        for value in values:
            x = self.graph.add('Add', x, self.to_fp32(value))
        return x

    def to_fp32(self, x: str) -> str:
        """Cast from the activations' precision to f32."""
        if self.quantization.activations == 'fp32':
            return x
        return self.graph.add('Cast', x, to=TensorProto.FLOAT)

    def to_activations(self, x: str) -> str:
        """Cast from f32 to the activations' precision."""
        if self.quantization.activations == 'fp32':
            return x
        return self.graph.add('Cast', x, to=self.kind)

    def float_matmul(self, x: str, name: str) -> str:
        """A linear layer that is not quantized."""
        weight = f'{name}.weight'
        # MatMul expects (inputs, outputs); transposing here saves work at load time.
        transposed = self.float_weight(weight, lambda: self.read(weight).T)
        product = self.graph.add('MatMul', x, transposed)
        return self.graph.add('Add', product, self.float_weight(f'{name}.bias'))

    def is_quantized(self, name: str) -> bool:
        """Whether this linear layer's weight is quantized."""
        return self.quantization.of(name) not in FLOATS
