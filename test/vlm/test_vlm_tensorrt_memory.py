"""Device memory, copies and CUDA graphs through both libraries, over stand-ins in host memory."""

import sys

import cuda_stand_ins
import numpy as np
import pytest
from cuda_stand_ins import HostCuda

from kimi_ros.vlm.errors import DeviceNotAvailable, EngineError
from kimi_ros.vlm.trt import cuda_graph, device_memory
from kimi_ros.vlm.trt.cuda_graph import CudaGraph
from kimi_ros.vlm.trt.device_memory import open_device
from kimi_ros.vlm.trt.kv_cache import ALIGNMENT, KVCacheLayout

LIBRARIES = {'pycuda': 'pycuda', 'cuda.bindings': 'bindings'}


@pytest.fixture
def cuda(monkeypatch):
    """A driver with neither library installed."""
    for name in (*LIBRARIES, 'cuda', 'pycuda.driver', 'cuda.bindings.driver'):
        monkeypatch.setitem(sys.modules, name, None)
    host = HostCuda()
    libcuda = cuda_stand_ins.library(host)
    for module in (cuda_graph, device_memory):
        monkeypatch.setattr(module, 'load_driver', lambda: libcuda)
    return host


@pytest.fixture(params=LIBRARIES)
def library(request, cuda, monkeypatch):
    """One of the libraries is installed."""
    driver = getattr(cuda_stand_ins, LIBRARIES[request.param])(cuda)
    monkeypatch.setitem(sys.modules, request.param, sys)  # any module: a package to import from
    monkeypatch.setitem(sys.modules, f'{request.param}.driver', driver)
    if request.param == 'cuda.bindings':
        monkeypatch.setitem(sys.modules, 'cuda', sys)
    return request.param


@pytest.mark.parametrize(
    ('heads', 'width', 'dtype', 'count'),
    [(32, 64, 'fp16', 1), (2, 64, 'fp32', 730), (5, 32, 'fp16', 3), (3, 20, 'fp16', 7)],
)
def test_new_keys_are_appended_to_the_past(library, cuda, heads, width, dtype, count):
    kind = np.dtype({'fp16': np.float16, 'fp32': np.float32}[dtype])
    blocks = KVCacheLayout(2, heads, 1000, width, kind)
    start = 1000 - count
    device = open_device()
    with device.current():
        cuda.total = 1 << 30
        past, fresh = (
            device.allocate(size) for size in (blocks.past_bytes(), blocks.new_bytes(count))
        )
        device.clear(past, blocks.past_bytes())
        given = device.pinned(blocks.new_bytes(count))
        given[:] = np.random.default_rng(0).integers(1, 100, len(given))
        device.upload(given, fresh)
        device.copy(fresh, past, blocks.write_back(start, count))
        found = device.pinned(blocks.past_bytes())
        device.download(past, found)
        device.synchronize()
    size = kind.itemsize
    for index in range(4):
        assert blocks.past_offset(index) % ALIGNMENT == blocks.new_offset(index, count) % 256 == 0
        shape, offset = blocks.past_shape(), blocks.past_offset(index)
        slice_ = found[offset : offset + np.prod(shape) * size].view(kind).reshape(shape)[0]
        shape, offset = blocks.new_shape(count), blocks.new_offset(index, count)
        wanted = given[offset : offset + np.prod(shape) * size].view(kind).reshape(shape)[0]
        np.testing.assert_array_equal(slice_[:, start:], wanted)
        assert not slice_[:, :start].any()
    device.close()
    del given, found
    assert (cuda.used, cuda.depth, cuda.retained, cuda.streams) == (0, 0, 0, 0)
    assert cuda.locked == []


def test_positions_beyond_the_context_are_refused():
    blocks = KVCacheLayout(1, 1, 16, 8, np.dtype(np.float32))
    for start, count in ((16, 1), (0, 17), (-1, 1), (3, 0)):
        with pytest.raises(ValueError, match='do not fit'):
            blocks.write_back(start, count)


def test_the_device_is_described(library):
    device = open_device()
    assert (device.name, device.compute_capability, device.total) == ('Orin', '8.7', 1 << 24)
    with device.current():
        assert device.free() == 1 << 24


def test_out_of_memory_error_has_the_sizes(library, cuda):
    device = open_device()
    with device.current():
        device.allocate(10 << 20)
        with pytest.raises(EngineError, match='Orin is too small: 8 MiB .* 6 of 16 MiB are free'):
            device.allocate(8 << 20)


def test_two_devices_share_one_context(library, cuda):
    first, second = open_device(), open_device()
    assert cuda.retained == 2
    first.close()
    assert cuda.retained == 1
    with second.current():
        second.synchronize()


def test_calls_without_a_current_context_fail(library, cuda):
    device = open_device()
    with pytest.raises(Exception, match='invalid device context'):
        device.synchronize()


def test_cuda_graph_is_captured_and_launched(library, cuda):
    device, asked = open_device(), []
    with device.current():
        graph = CudaGraph(device.stream, lambda: asked.append(1))
        graph.launch()
        graph.launch()
        assert (len(asked), cuda.launches) == (1, 2)
        graph.close()
        with pytest.raises(ZeroDivisionError):
            CudaGraph(device.stream, lambda: 1 / 0)
        assert not cuda.capturing
    with pytest.raises(EngineError, match='cuStreamBeginCapture_v2 failed with status 201'):
        CudaGraph(device.stream, asked.clear)


def test_pycuda_comes_first(cuda, monkeypatch):
    for name, kind in LIBRARIES.items():
        monkeypatch.setitem(sys.modules, name, sys)
        monkeypatch.setitem(sys.modules, f'{name}.driver', getattr(cuda_stand_ins, kind)(cuda))
    assert type(open_device()).__name__ == '_PyCuda'


def test_missing_library_error_has_installation_hint(cuda):
    with pytest.raises(DeviceNotAvailable, match='pip install cuda-bindings'):
        open_device()


def test_missing_driver_error_has_a_hint(library, cuda, monkeypatch):
    def fail(*_):
        raise RuntimeError('no CUDA-capable device is detected')

    driver = sys.modules[f'{library}.driver']
    monkeypatch.setattr(driver, 'init' if library == 'pycuda' else 'cuInit', fail)
    with pytest.raises(DeviceNotAvailable, match='no CUDA-capable device .*nvidia-smi'):
        open_device()
