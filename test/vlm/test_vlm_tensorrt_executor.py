"""What is asked of TensorRT and of CUDA, and in which order.

Neither is here: `Trt` and `HostDevice` stand in for them. They keep to what NvInferRuntime.h (10.3
and 11.1) says may be called when, and the engine's own graphs do the arithmetic.
"""

import json
import logging
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from kimi_export.checkpoint import open_checkpoint
from kimi_export.progress import Progress
from kimi_export.tables import write_tables
from kimi_export.tensorrt_build import write_graphs
from kimi_ros.vlm import tensorrt_executor
from kimi_ros.vlm.engine_tensorrt import open_tensorrt
from kimi_ros.vlm.errors import DeviceNotAvailable, EngineError, ModelFolderError
from kimi_ros.vlm.folder import ModelFolder
from kimi_ros.vlm.layout import Layout
from kimi_ros.vlm.tensorrt_identity import KEY, Identity, Machine
from kimi_ros.vlm.tensorrt_plan import plan, profiles

HERE = Machine('10.3.0', '8.7', 'Orin')


class HostDevice:
    """See device_memory.Device: memory is the host's, and nothing may be asked out of context."""

    name, compute_capability, total, stream = HERE.device, HERE.compute_capability, 8 << 30, 77

    def __init__(self, room=1 << 40):
        self.blocks, self.room, self.depth, self.closed, self.waits = {}, room, 0, False, 0

    @contextmanager
    def current(self):
        assert not self.closed
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def view(self, address, nbytes):
        assert self.depth
        for start, block in self.blocks.items():
            if start <= address and address + nbytes <= start + len(block):
                return block[address - start : address - start + nbytes]
        raise AssertionError('no such memory')

    def allocate(self, nbytes):
        assert self.depth
        self.room -= nbytes
        if self.room < 0:
            raise EngineError(f'the memory of {self.name} is too small')
        address = 4096 + sum(len(block) + 4096 for block in self.blocks.values()) // 256 * 256
        self.blocks[address] = np.full(nbytes, 7, np.uint8)
        return address

    def pinned(self, nbytes):
        assert self.depth
        return np.empty(nbytes, np.uint8)

    def clear(self, address, nbytes):
        self.view(address, nbytes)[:] = 0

    def upload(self, host, address):
        self.view(address, len(host))[:] = host

    def download(self, address, host):
        host[:] = self.view(address, len(host))

    def copy(self, source, target, extent):
        for index in range(extent.slices):
            for row in range(extent.rows):
                here = (index * extent.source_rows + row) * extent.source_pitch
                there = (index * extent.target_rows + row) * extent.target_pitch
                there += target + extent.target_offset
                self.view(there, extent.width)[:] = self.view(source + here, extent.width)

    def wait(self):
        assert self.depth
        self.waits += 1

    def close(self):
        self.closed = True


class Trt:
    """The part of the module tensorrt that a runtime needs."""

    __version__ = HERE.version
    TensorIOMode = SimpleNamespace(INPUT='input', OUTPUT='output')
    ExecutionContextAllocationStrategy = SimpleNamespace(USER_MANAGED='by the user')

    class ILogger:
        ERROR, INTERNAL_ERROR, WARNING = 'error', 'internal error', 'warning'

    def __init__(self, device, graphs):
        self.device, self.graphs = device, graphs
        self.deserialised, self.contexts, self.broken = [], [], set()

    def nptype(self, dtype):
        return dtype

    def Runtime(self, logger):  # noqa: N802
        self.logger = logger

        def deserialize_cuda_engine(data):
            path = bytes(data).decode()
            self.deserialised.append(path)
            if 'rotten' in path:
                logger.log('error', 'magicTag does not match')
                return None
            return Engine(self, path)

        return SimpleNamespace(deserialize_cuda_engine=deserialize_cuda_engine)


class Engine:
    """ICudaEngine."""

    device_memory_size_v2 = 1000

    def __init__(self, trt, path):
        self.trt, self.session = trt, onnxruntime.InferenceSession(path)
        self.name = path.rpartition('/')[2].removesuffix('.onnx')
        self.graph = trt.graphs[self.name]
        self.num_io_tensors = len(self.graph.tensors)
        self.num_optimization_profiles = len(self.graph.profiles)

    def get_tensor_name(self, index):
        return list(self.graph.tensors)[index]

    def get_tensor_mode(self, name):
        return 'input' if self.graph.tensors[name].is_input else 'output'

    def get_tensor_dtype(self, name):
        return self.graph.tensors[name].dtype

    def get_tensor_shape(self, name):
        return self.graph.tensors[name].at(-1)

    def create_execution_context(self, strategy):
        assert strategy == 'by the user'
        context = Context(self)
        self.trt.contexts.append(context)
        return context


class Context:
    """IExecutionContext."""

    def __init__(self, engine):
        self.engine, self.profile = engine, engine.graph.profiles[0]
        self.scratch, self.shapes, self.addresses, self.enqueued = None, {}, {}, 0

    def set_device_memory(self, memory, size):
        assert memory % 256 == 0 and size >= self.engine.device_memory_size_v2
        self.scratch = memory

    def set_optimization_profile_async(self, index, stream):
        assert stream == HostDevice.stream and not self.shapes
        self.profile = self.engine.graph.profiles[index]
        return True

    def set_input_shape(self, name, shape):
        tensor = self.engine.graph.tensors[name]
        for side, asked in zip(shape, tensor.shape, strict=True):
            if side not in self.profile if isinstance(asked, str) else side != asked:
                return False
        self.shapes[name] = shape
        return tensor.is_input

    def set_tensor_address(self, name, address):
        self.addresses[name] = address
        return address % 256 == 0

    def execute_async_v3(self, stream):
        graph, trt = self.engine.graph, self.engine.trt
        assert stream == HostDevice.stream and self.scratch
        if self.engine.name in trt.broken:
            trt.logger.log('error', 'Error Code 1: Cuda Runtime (out of memory)')
            return False
        assert set(self.addresses) == set(graph.tensors)
        assert set(self.shapes) == {name for name, each in graph.tensors.items() if each.is_input}
        self.enqueued += 1
        lengths = [
            side
            for name, shape in self.shapes.items()
            for side, asked in zip(shape, graph.tensors[name].shape, strict=True)
            if isinstance(asked, str)
        ]

        def view(name):
            tensor = graph.tensors[name]
            shape = tensor.at(lengths[0] if lengths else 0)
            nbytes = int(np.prod(shape)) * tensor.dtype.itemsize
            data = trt.device.view(self.addresses[name], nbytes)
            return data.view(tensor.dtype).reshape(shape)

        outputs = [name for name, each in graph.tensors.items() if not each.is_input]
        values = self.engine.session.run(outputs, {name: view(name) for name in self.shapes})
        for name, each in zip(outputs, values, strict=True):
            view(name)[...] = each
        return True


class Graph:
    """cuda_graph.CudaGraph: the capture runs nothing, a launch does."""

    made, closed, launched = [], 0, 0

    def __init__(self, stream, work):
        assert stream == HostDevice.stream
        self.work = work
        Graph.made.append(self)

    def launch(self):
        Graph.launched += 1
        self.work()

    def close(self):
        Graph.closed += 1


@pytest.fixture(scope='module')
def built(golden_checkpoint, tmp_path_factory):
    """A folder whose engine files name the graphs that they stand for."""
    path = tmp_path_factory.mktemp('built')
    checkpoint, layout = open_checkpoint(golden_checkpoint), Layout()
    write_graphs(checkpoint, layout, path, Progress())
    write_tables(checkpoint, layout, path / 'tables.safetensors')
    graphs = plan(checkpoint.config, layout, has_regions=True)
    for name in graphs:
        (path / f'{name}.engine').write_text(str(path / f'{name}.onnx'))
    digests = {
        f'{name}.engine': sha256((path / f'{name}.engine').read_bytes()).hexdigest()
        for name in graphs
    }
    identity = Identity(HERE, 'fp32', profiles(graphs), 'abc', digests, 'kimi-export C OUT')
    (path / 'model.json').write_text(json.dumps({KEY: identity.to_dict()}))
    files = ('tables.safetensors', *digests)
    folder = ModelFolder(
        path, 'golden', checkpoint.config, 'fp32', layout, 'tensorrt', (), (), files, ''
    )
    return folder, graphs, identity


@pytest.fixture
def machine(built, monkeypatch):
    """Have `open_tensorrt` find the stand-ins: `machine(room=...)` gives both."""

    def make(**options):
        device = HostDevice(**options)
        trt = Trt(device, built[1])
        monkeypatch.setattr(tensorrt_executor, 'open_device', lambda: device)
        monkeypatch.setattr(tensorrt_executor, 'import_tensorrt', lambda: trt)
        monkeypatch.setattr(tensorrt_executor, 'CudaGraph', Graph)
        Graph.made, Graph.closed, Graph.launched = [], 0, 0
        return device, trt

    return make


@pytest.fixture
def changed(built, tmp_path):
    """The folder with something else in its model.json or its files."""

    def change(identity=None, **files):
        folder = built[0]
        for file in folder.path.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        for name, text in files.items():
            (tmp_path / f'{name}.engine').write_text(text)
        if identity:
            (tmp_path / 'model.json').write_text(json.dumps({KEY: identity.to_dict()}))
        return replace(folder, path=tmp_path)

    return change


def test_tokens_come_from_a_graph_once_it_is_captured(built, machine):
    device, trt = machine()
    engine = open_tensorrt(built[0], 'auto')
    assert device.depth == 0
    for token in (5, 6, 7, 8):
        hidden = engine.step(engine.embed_tokens([token]))
    # The first run of each sets TensorRT up, the second captures, and all later ones launch.
    assert (len(Graph.made), Graph.launched) == (1, 3)
    for _ in range(3):
        logits = engine.coordinate_logits(hidden)
    assert (len(Graph.made), Graph.launched) == (2, 5)
    engine.rewind(0)
    expected = engine.step(engine.embed_tokens([5, 6, 7, 8]))
    np.testing.assert_allclose(hidden, expected, atol=1e-4)
    np.testing.assert_allclose(logits, engine.coordinate_logits(expected), atol=1e-3)
    assert len({context.scratch for context in trt.contexts}) == 1
    engine.close()
    assert Graph.closed == len(Graph.made) and device.closed and device.depth == 0


def test_without_a_capture_every_token_is_launched(built, machine, monkeypatch, caplog):
    machine()

    def refuse(stream, work):
        raise EngineError('CUDA: not permitted while capturing')

    monkeypatch.setattr(tensorrt_executor, 'CudaGraph', refuse)
    engine = open_tensorrt(built[0], 'cuda')
    with caplog.at_level(logging.WARNING):
        for token in (5, 6, 7, 8):
            hidden = engine.step(engine.embed_tokens([token]))
    assert len(caplog.records) == 1 and 'without a CUDA graph' in caplog.text
    engine.rewind(0)
    np.testing.assert_allclose(hidden, engine.step(engine.embed_tokens([5, 6, 7, 8])), atol=1e-4)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'machine': replace(HERE, version='11.1.0')}, 'TensorRT 11.1.0, this is 10.3.0'),
        ({'machine': replace(HERE, compute_capability='9.0', device='H200')}, r'H200 .*9\.0'),
        ({'precision': 'int4'}, 'built in int4'),
        ({'profiles': {'vision': {'one': [1, 1, 2]}}}, 'other lengths'),
        ({'engines': {}}, 'without vision.engine'),
    ],
)
def test_engines_of_another_kind_are_refused_with_the_command(
    built, machine, changed, change, words
):
    device, trt = machine()
    with pytest.raises(ModelFolderError, match=words) as refused:
        open_tensorrt(changed(replace(built[2], **change)), 'cuda')
    assert 'kimi-export C OUT' in str(refused.value)
    assert trt.deserialised == [] and device.closed


def test_an_engine_with_other_bytes_is_never_deserialised(built, machine, changed):
    device, trt = machine()
    with pytest.raises(ModelFolderError, match='decoder.engine is not the engine'):
        open_tensorrt(changed(decoder='/tmp/something_else.onnx'), 'cuda')
    assert [path.rpartition('/')[2] for path in trt.deserialised] == [
        'vision.onnx', 'projection.onnx'
    ]
    assert device.closed


def test_what_tensorrt_says_is_in_the_message(built, machine, changed):
    machine()
    digests = built[2].engines | {'vision.engine': sha256(b'rotten').hexdigest()}
    folder = changed(replace(built[2], engines=digests), vision='rotten')
    with pytest.raises(EngineError, match='could not load .*magicTag does not match'):
        open_tensorrt(folder, 'cuda')


def test_a_run_that_fails_is_named_and_the_model_can_be_asked_again(built, machine):
    _, trt = machine()
    engine = open_tensorrt(built[0], 'cuda')
    tokens = engine.embed_tokens([5, 6, 7])
    expected = engine.step(tokens)
    engine.rewind(0)
    trt.broken.add('decoder')
    with pytest.raises(EngineError, match='decoder.engine: .*out of memory'):
        engine.step(tokens)
    trt.broken.clear()
    np.testing.assert_array_equal(engine.step(tokens), expected)


def test_memory_that_is_too_small_is_said_when_the_folder_is_opened(built, machine):
    device, _ = machine(room=1 << 20)
    with pytest.raises(EngineError, match='the memory of Orin is too small'):
        open_tensorrt(built[0], 'cuda')
    assert device.closed and device.depth == 0


def test_engines_that_take_other_tensors_are_refused(built, machine):
    device, trt = machine()
    decoder = built[1]['decoder']
    trt.graphs = built[1] | {'decoder': replace(decoder, tensors=decoder.tensors | {
        'start': replace(decoder.tensors['start'], dtype=np.dtype(np.int64))
    })}
    with pytest.raises(ModelFolderError, match='differs in start'):
        open_tensorrt(built[0], 'cuda')
    assert device.closed


def test_two_models_in_one_process(built, machine):
    machine()
    first = open_tensorrt(built[0], 'cuda')
    machine()
    second = open_tensorrt(built[0], 'cuda')
    tokens = first.embed_tokens([5, 6, 7])
    one = first.step(tokens)
    first.close()
    np.testing.assert_array_equal(second.step(tokens), one)


def test_without_tensorrt_it_is_said_how_to_install_it(built):
    with pytest.raises(DeviceNotAvailable, match='JetPack'):
        open_tensorrt(built[0], 'cuda')


def test_a_folder_without_identity_is_refused(built, machine, tmp_path):
    machine()
    (tmp_path / 'model.json').write_text('{}')
    with pytest.raises(ModelFolderError, match="'tensorrt' is missing"):
        open_tensorrt(replace(built[0], path=tmp_path), 'cuda')
