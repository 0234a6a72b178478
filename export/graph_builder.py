"""Build ONNX graphs node by node; the weights of all graphs share one external data file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Supported by onnxruntime 1.23.2 and later.
IR_VERSION = 10
OPSET = 20
CONTRIB = 'com.microsoft'
# Page-aligned, so that a runtime can memory-map each weight.
_ALIGNMENT = 4096


@dataclass(frozen=True)
class _StoredTensor:
    offset: int
    size: int
    shape: tuple[int, ...]
    kind: int


@dataclass(frozen=True)
class BranchOutput:
    """An output of an If node; `kind` is an element type of TensorProto."""

    name: str
    kind: int
    shape: tuple[int | str, ...]


class WeightFile:
    """weights.bin: each weight is stored once, also if several graphs use it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open('wb')
        self._digest = hashlib.sha256()
        self._stored: dict[str, _StoredTensor] = {}

    def __enter__(self) -> WeightFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    @property
    def sha256(self) -> str:
        """Hex digest of the file's content."""
        return self._digest.hexdigest()

    def put(
        self, name: str, values: Callable[[], np.ndarray], kind: int | None = None
    ) -> onnx.TensorProto:
        """Return an initializer that refers to the weight; `values` is called to store a new one.

        :param kind: TensorProto.INT4, packed two to a byte, or None for the array's own type.
        """
        if name not in self._stored:
            self._stored[name] = self._append(np.ascontiguousarray(values()), kind)
        stored = self._stored[name]
        tensor = TensorProto(name=name, data_type=stored.kind, dims=stored.shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (
            ('location', self.path.name),
            ('offset', stored.offset),
            ('length', stored.size),
        ):
            tensor.external_data.add(key=key, value=str(value))
        return tensor

    def _append(self, values: np.ndarray, kind: int | None) -> _StoredTensor:
        shape = values.shape
        if kind == TensorProto.INT4:
            values = _pack_int4(values)
        else:
            kind = helper.np_dtype_to_tensor_dtype(values.dtype)
        offset = self._stream.tell()
        self._write(b'\0' * (-offset % _ALIGNMENT))
        offset = self._stream.tell()
        self._write(memoryview(values).cast('B'))
        return _StoredTensor(offset, values.nbytes, shape, kind)

    def _write(self, data: bytes | memoryview) -> None:
        self._stream.write(data)
        self._digest.update(data)


class GraphBuilder:
    """Builds one graph; values are represented by their generated names."""

    def __init__(self, name: str, weights: WeightFile) -> None:
        self._name = name
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}
        self._prefix = ''
        self._opset = OPSET

    def require_opset(self, version: int) -> None:
        """Raise the graph's opset for an operator that needs one newer than OPSET."""
        self._opset = max(self._opset, version)

    def input(self, name: str, shape: Sequence[int | str], kind: int = TensorProto.FLOAT) -> str:
        """Declare an input; a str in the shape is a dynamic dimension."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(
        self, value: str, name: str, shape: Sequence[int | str], kind: int = TensorProto.FLOAT
    ) -> None:
        """Declare `value` as the output `name`."""
        if value != name:
            self._nodes.append(helper.make_node('Identity', [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def add(self, kind: str, *inputs: str, domain: str = '', **attributes: Any) -> str:
        """Append a node with one output; '' stands for an omitted input."""
        return self.add_multi(kind, 1, *inputs, domain=domain, **attributes)[0]

    def add_multi(
        self,
        kind: str,
        outputs: int | Sequence[str],
        *inputs: str,
        domain: str = '',
        **attributes: Any,
    ) -> list[str]:
        """Append a node with several outputs; `outputs` is their number or their names."""
        name = f'{self._prefix}{kind}_{len(self._nodes)}'
        if isinstance(outputs, int):
            outputs = [f'{name}_{i}' for i in range(outputs)]
        self._nodes.append(
            helper.make_node(kind, inputs, outputs, name=name, domain=domain, **attributes)
        )
        return list(outputs)

    def if_else(
        self,
        condition: str,
        results: Sequence[BranchOutput],
        then: Callable[[], Sequence[str]],
        otherwise: Callable[[], Sequence[str]],
    ) -> list[str]:
        """Append an If node; each branch consists of the nodes that its call adds to this builder.

        :param condition: bool scalar.
        :param results: the outputs, in the order in which each call returns its values.
        """
        branches = {
            f'{side}_branch': self._branch_graph(side, call, results)
            for side, call in (('then', then), ('else', otherwise))
        }
        names = [result.name for result in results]
        return self.add_multi('If', names, condition, **branches)

    def _branch_graph(
        self, side: str, call: Callable[[], Sequence[str]], results: Sequence[BranchOutput]
    ) -> onnx.GraphProto:
        # Weights and constants of a branch belong to the outer graph, which a branch can access.
        outside, prefix = self._nodes, self._prefix
        self._nodes, self._prefix = [], f'{prefix}{side}_{len(outside)}_'
        try:
            name, values = self._prefix, call()
            outputs = [
                helper.make_tensor_value_info(value, result.kind, result.shape)
                for value, result in zip(values, results, strict=True)
            ]
            return helper.make_graph(self._nodes, name, [], outputs)
        finally:
            self._nodes, self._prefix = outside, prefix

    def weight(self, name: str, values: Callable[[], np.ndarray], kind: int | None = None) -> str:
        """A weight in the shared file; `values` is called unless another graph has stored it.

        For `kind` see WeightFile.put.
        """
        if name not in self._initializers:
            self._initializers[name] = self._weights.put(name, values, kind)
        return name

    def constant(self, values: Any, dtype: type = np.int64, name: str = '') -> str:
        """A small constant stored in the graph: shapes, axes, scales."""
        array = np.asarray(values, dtype)
        if not name:
            kind = f'{array.dtype}_{"x".join(map(str, array.shape))}'
            name = f'constant_{kind}_{"_".join(map(str, array.ravel().tolist()))}'
        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(array, name)
        return name

    def save(self, path: Path) -> None:
        """Write the graph; it must be in the folder of the weight file."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, list(self._initializers.values())
        )
        opsets = [helper.make_opsetid('', self._opset)]
        if self._has_contrib(graph):
            opsets.append(helper.make_opsetid(CONTRIB, 1))
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name='kimi_export'
        )
        path.write_bytes(model.SerializeToString())

    def _has_contrib(self, graph: onnx.GraphProto) -> bool:
        return any(
            node.domain == CONTRIB or any(self._has_contrib(part.g) for part in node.attribute)
            for node in graph.node
        )


def _pack_int4(values: np.ndarray) -> np.ndarray:
    """Pack int8 values of -8 to 7 as ONNX INT4: two to a byte, the first in the low nibble."""
    flat = values.ravel().view(np.uint8) & 15
    if len(flat) % 2:
        flat = np.append(flat, np.uint8(0))
    return flat[0::2] | (flat[1::2] << 4)
