"""Stand-ins for TensorRT and for a GPU, which do the arithmetic with onnxruntime in host memory.

They keep to what NvInfer.h and NvInferRuntime.h (10.3 and 11.1) say may be called when, and fail
where TensorRT would: types that are not the file's, lengths outside a profile, addresses that are
not aligned, tensors or scratch memory left out. A plan is the ONNX file with its weights inside and
the profiles in its metadata.
"""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime

from kimi_ros.vlm.errors import EngineError
from kimi_ros.vlm.trt.bindings import OptimizationProfile, TensorSpec

STREAM = 77
STRONGLY_TYPED = 1


class HostDevice:
    """See device_memory.Device: memory is the host's, and nothing may be asked out of context."""

    name, compute_capability, total, stream = 'Orin', '8.7', 8 << 30, STREAM

    def __init__(self, room=1 << 40):
        self.blocks, self.room, self.depth, self.closed = {}, room, 0, False

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

    def synchronize(self):
        assert self.depth

    def close(self):
        self.closed = True


class Graph:
    """cuda_graph.CudaGraph: the capture runs nothing, a launch does."""

    made, closed, launched = 0, 0, 0

    def __init__(self, stream, work):
        assert stream == STREAM
        self.work = work
        Graph.made += 1

    def launch(self):
        Graph.launched += 1
        self.work()

    def close(self):
        Graph.closed += 1


class Trt:
    """The part of the module tensorrt that is used."""

    TensorIOMode = SimpleNamespace(INPUT='input', OUTPUT='output')
    ExecutionContextAllocationStrategy = SimpleNamespace(USER_MANAGED='by the user')
    MemoryPoolType = SimpleNamespace(WORKSPACE='workspace')
    BuilderFlag = SimpleNamespace(TF32='tf32')
    NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=STRONGLY_TYPED)

    class ILogger:
        ERROR, INTERNAL_ERROR, WARNING = 'error', 'internal error', 'warning'

    class IProgressMonitor:
        pass

    def __init__(self, device, version='10.3.0'):
        self.device, self.__version__ = device, version
        self.deserialised, self.contexts, self.configs = [], [], []
        self.broken, self.unreadable, self.unbuildable = set(), set(), set()

    def nptype(self, dtype):
        return dtype

    def Runtime(self, logger):  # noqa: N802
        self.logger = logger

        def deserialize_cuda_engine(data):
            plan = bytes(data)
            try:
                engine = _Engine(self, onnx.load_from_string(plan))
            except Exception:
                logger.log('error', 'magicTag does not match')
                return None
            self.deserialised.append(engine.name)
            return engine

        return SimpleNamespace(deserialize_cuda_engine=deserialize_cuda_engine)

    def Builder(self, logger):  # noqa: N802
        return _Builder(self, logger)

    def OnnxParser(self, network, logger):  # noqa: N802
        def parse_from_file(path):
            name = path.rpartition('/')[2].removesuffix('.onnx')
            if name in self.unreadable:
                return False
            network.model = onnx.load(path)
            return True

        return SimpleNamespace(
            parse_from_file=parse_from_file,
            num_errors=1,
            get_error=lambda index: 'In node 3 with name: x and operator: y : UNSUPPORTED_NODE',
        )


class _Builder:
    def __init__(self, trt, logger):
        self.trt, self.logger = trt, logger

    def create_network(self, flags):
        assert flags == 1 << STRONGLY_TYPED
        return SimpleNamespace(model=None)

    def create_builder_config(self):
        config = _Config()
        self.trt.configs.append(config)
        return config

    def create_optimization_profile(self):
        shapes = {}
        return SimpleNamespace(
            shapes=shapes,
            set_shape=lambda name, least, usual, most: shapes.update({name: (least, usual, most)}),
        )

    def build_serialized_network(self, network, config):
        model = network.model
        dynamic = [
            each.name
            for each in model.graph.input
            if any(side.dim_param for side in each.type.tensor_type.shape.dim)
        ]
        assert all(set(profile.shapes) == set(dynamic) for profile in config.profiles)
        assert bool(dynamic) == bool(config.profiles)
        monitor = config.progress_monitor
        monitor.phase_start('Building Engine', None, 2)
        monitor.phase_start('Tactics', 'Building Engine', 3)
        for step in range(3):
            if not monitor.step_complete('Tactics', step):
                return None
        monitor.phase_finish('Tactics')
        monitor.step_complete('Building Engine', 0)
        monitor.phase_finish('Building Engine')
        if model.graph.name in self.trt.unbuildable:
            self.logger.log('error', 'Could not find any implementation for node MatMul_3')
            return None
        about = [
            [_length(model, name, shape) for shape in profile.shapes[name]]
            for profile in config.profiles
            for name in dynamic
        ]
        model.metadata_props.add(key='profiles', value=json.dumps(about))
        return model.SerializeToString()


def _length(model, name, shape):
    (tensor,) = (each for each in model.graph.input if each.name == name)
    sides = tensor.type.tensor_type.shape.dim
    return next(length for side, length in zip(sides, shape, strict=True) if side.dim_param)


class _Config:
    def __init__(self):
        self.profiles, self.pools, self.cleared = [], {}, []
        self.progress_monitor, self.max_aux_streams = None, None

    def set_memory_pool_limit(self, pool, size):
        self.pools[pool] = size

    def clear_flag(self, flag):
        self.cleared.append(flag)

    def add_optimization_profile(self, profile):
        self.profiles.append(profile)
        return len(self.profiles) - 1


class _Engine:
    """ICudaEngine."""

    device_memory_size_v2 = 1000

    def __init__(self, trt, model):
        self.trt, self.name = trt, model.graph.name
        self.session = onnxruntime.InferenceSession(model.SerializeToString())
        self.tensors = {
            **{each.name: _tensor(each, True) for each in model.graph.input},
            **{each.name: _tensor(each, False) for each in model.graph.output},
        }
        lengths = json.loads({each.key: each.value for each in model.metadata_props}['profiles'])
        self.profiles = [OptimizationProfile('', *each) for each in lengths] or [
            OptimizationProfile('')
        ]
        self.num_io_tensors = len(self.tensors)
        self.num_optimization_profiles = len(self.profiles)

    def get_tensor_name(self, index):
        return list(self.tensors)[index]

    def get_tensor_mode(self, name):
        return 'input' if self.tensors[name].is_input else 'output'

    def get_tensor_dtype(self, name):
        return self.tensors[name].dtype

    def get_tensor_shape(self, name):
        return self.tensors[name].at(-1)

    def create_execution_context(self, strategy):
        assert strategy == 'by the user'
        context = _Context(self)
        self.trt.contexts.append(context)
        return context


def _tensor(value, is_input):
    about = value.type.tensor_type
    shape = tuple(side.dim_param or side.dim_value for side in about.shape.dim)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(about.elem_type)
    return TensorSpec(shape, np.dtype(dtype), is_input)


class _Context:
    """IExecutionContext."""

    def __init__(self, engine):
        self.engine, self.profile = engine, engine.profiles[0]
        self.scratch, self.shapes, self.addresses = None, {}, {}

    def set_device_memory(self, memory, size):
        assert memory % 256 == 0 and size >= self.engine.device_memory_size_v2
        self.scratch = memory

    def set_optimization_profile_async(self, index, stream):
        assert stream == STREAM and not self.shapes
        self.profile = self.engine.profiles[index]
        return True

    def set_input_shape(self, name, shape):
        tensor = self.engine.tensors[name]
        for side, asked in zip(shape, tensor.shape, strict=True):
            if side not in self.profile if isinstance(asked, str) else side != asked:
                return False
        self.shapes[name] = shape
        return tensor.is_input

    def set_tensor_address(self, name, address):
        self.addresses[name] = address
        return address % 256 == 0

    def execute_async_v3(self, stream):
        tensors, trt = self.engine.tensors, self.engine.trt
        assert stream == STREAM and self.scratch
        if self.engine.name in trt.broken:
            trt.logger.log('error', 'Error Code 1: Cuda Runtime (out of memory)')
            return False
        assert set(self.addresses) == set(tensors)
        assert set(self.shapes) == {name for name, each in tensors.items() if each.is_input}
        lengths = [
            side
            for name, shape in self.shapes.items()
            for side, asked in zip(shape, tensors[name].shape, strict=True)
            if isinstance(asked, str)
        ]

        def view(name):
            shape = tensors[name].at(lengths[0] if lengths else 0)
            nbytes = int(np.prod(shape)) * tensors[name].dtype.itemsize
            data = trt.device.view(self.addresses[name], nbytes)
            return data.view(tensors[name].dtype).reshape(shape)

        outputs = [name for name, each in tensors.items() if not each.is_input]
        values = self.engine.session.run(outputs, {name: view(name) for name in self.shapes})
        for name, each in zip(outputs, values, strict=True):
            view(name)[...] = each
        return True


def install(monkeypatch, **options):
    """Have kimi_ros and kimi_export find the stand-ins, and return Trt; options are HostDevice's.

    Each opening gets a device of its own; `trt.device` is that of the last one.
    """
    from kimi_export import tensorrt_build
    from kimi_ros.vlm.trt import executor as tensorrt_executor

    trt = Trt(None, options.pop('version', '10.3.0'))

    def open_device():
        trt.device = HostDevice(**options)
        return trt.device

    for module in (tensorrt_build, tensorrt_executor):
        monkeypatch.setattr(module, 'open_device', open_device)
        monkeypatch.setattr(module, 'import_tensorrt', lambda: trt)
    monkeypatch.setattr(tensorrt_executor, 'CudaGraph', Graph)
    Graph.made = Graph.closed = Graph.launched = 0
    return trt
