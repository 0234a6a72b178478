"""Building ONNX graphs node by node, with the weights of all graphs in one file beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# What onnxruntime 1.23.2 and the newest both read.
IR_VERSION = 10
OPSET = 20
CONTRIB = 'com.microsoft'
# Pages, so that a runtime can map a weight instead of reading it.
_ALIGNMENT = 4096


@dataclass(frozen=True)
class _Stored:
    offset: int
    size: int
    shape: tuple[int, ...]
    kind: int


@dataclass(frozen=True)
class Result:
    """A value that an If gives; `kind` is an element type of TensorProto."""

    name: str
    kind: int
    shape: tuple[int | str, ...]


class WeightFile:
    """weights.bin: every weight once, whichever graphs use it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open('wb')
        self._digest = hashlib.sha256()
        self._stored: dict[str, _Stored] = {}

    def __enter__(self) -> WeightFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    @property
    def sha256(self) -> str:
        """Hex digest of all that was written."""
        return self._digest.hexdigest()

    def put(
        self, name: str, values: Callable[[], np.ndarray], kind: int | None = None
    ) -> onnx.TensorProto:
        """Initializer that points at the weight; `values` is called where it is not yet stored.

        :param kind: TensorProto.INT4, of which two share a byte; None: what the array has.
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

    def _append(self, values: np.ndarray, kind: int | None) -> _Stored:
        shape = values.shape
        if kind == TensorProto.INT4:
            values = _two_in_a_byte(values)
        else:
            kind = helper.np_dtype_to_tensor_dtype(values.dtype)
        offset = self._stream.tell()
        self._write(b'\0' * (-offset % _ALIGNMENT))
        offset = self._stream.tell()
        self._write(memoryview(values).cast('B'))
        return _Stored(offset, values.nbytes, shape, kind)

    def _write(self, data: bytes | memoryview) -> None:
        self._stream.write(data)
        self._digest.update(data)


class GraphBuilder:
    """One graph: names are made up here, values are passed around as their names."""

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
        """Say that an operator needs a version newer than OPSET."""
        self._opset = max(self._opset, version)

    def input(self, name: str, shape: Sequence[int | str], kind: int = TensorProto.FLOAT) -> str:
        """Declare an input; a str in the shape is a length that may change."""
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
        """Append a node with one output; '' stands for an input that is left out."""
        return self.add_many(kind, 1, *inputs, domain=domain, **attributes)[0]

    def add_many(
        self,
        kind: str,
        outputs: int | Sequence[str],
        *inputs: str,
        domain: str = '',
        **attributes: Any,
    ) -> list[str]:
        """Append a node; `outputs` is their number, or their names where these matter."""
        name = f'{self._prefix}{kind}_{len(self._nodes)}'
        if isinstance(outputs, int):
            outputs = [f'{name}_{i}' for i in range(outputs)]
        self._nodes.append(
            helper.make_node(kind, inputs, outputs, name=name, domain=domain, **attributes)
        )
        return list(outputs)

    def choose(
        self,
        condition: str,
        results: Sequence[Result],
        then: Callable[[], Sequence[str]],
        otherwise: Callable[[], Sequence[str]],
    ) -> list[str]:
        """Append an If whose branches are what the two calls add to this builder.

        :param condition: bool scalar.
        :param results: what each call returns values for, in this order.
        """
        branches = {
            f'{side}_branch': self._branch(side, call, results)
            for side, call in (('then', then), ('else', otherwise))
        }
        names = [result.name for result in results]
        return self.add_many('If', names, condition, **branches)

    def _branch(
        self, side: str, call: Callable[[], Sequence[str]], results: Sequence[Result]
    ) -> onnx.GraphProto:
        # Weights and constants of a branch stay with the whole graph: a branch sees them there.
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
        """A weight in the shared file; `values` is called when no graph has asked before.

        For `kind` see WeightFile.put.
        """
        if name not in self._initializers:
            self._initializers[name] = self._weights.put(name, values, kind)
        return name

    def constant(self, values: Any, dtype: type = np.int64, name: str = '') -> str:
        """A small constant inside the graph: shapes, axes, scales."""
        array = np.asarray(values, dtype)
        if not name:
            kind = f'{array.dtype}_{"x".join(map(str, array.shape))}'
            name = f'constant_{kind}_{"_".join(map(str, array.ravel().tolist()))}'
        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(array, name)
        return name

    def save(self, path: Path) -> None:
        """Write the graph beside the weight file."""
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


def _two_in_a_byte(values: np.ndarray) -> np.ndarray:
    """Pack int8 of -8 to 7, the first of two in the lower half, as ONNX wants INT4."""
    flat = values.ravel().view(np.uint8) & 15
    if len(flat) % 2:
        flat = np.append(flat, np.uint8(0))
    return flat[0::2] | (flat[1::2] << 4)
