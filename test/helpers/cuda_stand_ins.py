"""Stand-ins for pycuda.driver and cuda.bindings.driver over host memory, and for libcuda itself.

They have the names, arguments and answers of pycuda 2026.1 and of cuda-bindings 12.9 and 13.5, as
far as kimi_ros uses them, and refuse every call that comes while no context is current.
"""

import ctypes
from types import SimpleNamespace

import numpy as np

STREAM, CONTEXT, GRAPH, EXECUTABLE = 0x55, 0x1234, 0x77, 0x99
OUT_OF_MEMORY, INVALID_CONTEXT, SUCCESS = 2, 201, 0


class HostCuda:
    """What a driver keeps: contexts of the thread, memory, a stream that may be capturing."""

    def __init__(self, total=1 << 24):
        self.total, self.used, self.depth, self.retained = total, 0, 0, 0
        self.blocks, self.locked, self.streams, self.capturing = {}, [], 0, False
        self.launches, self.graphs = 0, 0

    def ready(self):
        return self.depth > 0

    def allocate(self, nbytes):
        if self.used + nbytes > self.total:
            return None
        raw = np.empty(nbytes + 256, np.uint8)
        address = raw.ctypes.data + -raw.ctypes.data % 256
        self.blocks[address] = raw, nbytes
        self.used += nbytes
        return address

    def free(self, address):
        self.used -= self.blocks.pop(address)[1]


def copy3d(
    source, target, width, rows, slices, source_pitch, source_rows, target_pitch, target_rows
):
    """What cuMemcpy3D does between linear memory."""
    assert source_pitch >= width and source_rows >= rows
    assert target_pitch >= width and target_rows >= rows
    for index in range(slices):
        for row in range(rows):
            here = source + (index * source_rows + row) * source_pitch
            ctypes.memmove(target + (index * target_rows + row) * target_pitch, here, width)


def bindings(cuda):
    """The module cuda.bindings.driver."""
    status = SimpleNamespace(CUDA_SUCCESS=SUCCESS, CUDA_ERROR_OUT_OF_MEMORY=OUT_OF_MEMORY)
    major, minor = 75, 76

    def checked(function):
        def call(*arguments):
            if not cuda.ready():
                return (INVALID_CONTEXT, 0)
            answer = function(*arguments)
            return answer if isinstance(answer, tuple) else (SUCCESS,)

        return call

    def push(context):
        assert context == CONTEXT
        cuda.depth += 1
        return (SUCCESS,)

    def pop():
        cuda.depth -= 1
        return (SUCCESS, CONTEXT)

    def retain(device):
        cuda.retained += 1
        return (SUCCESS, CONTEXT)

    def release(device):
        cuda.retained -= 1
        return (SUCCESS,)

    def allocate(nbytes):
        address = cuda.allocate(nbytes)
        return (OUT_OF_MEMORY, 0) if address is None else (SUCCESS, address)

    def lock(nbytes, flags):
        assert flags == 0
        cuda.locked.append(np.empty(nbytes, np.uint8))
        return (SUCCESS, cuda.locked[-1].ctypes.data)

    def unlock(address):
        cuda.locked = [each for each in cuda.locked if each.ctypes.data != address]

    def create(flags):
        assert flags == 1
        cuda.streams += 1
        return (SUCCESS, STREAM)

    def destroy(stream):
        cuda.streams -= 1

    def to_device(address, host, nbytes, stream):
        assert stream == STREAM
        ctypes.memmove(address, host, nbytes)

    def to_host(host, address, nbytes, stream):
        assert stream == STREAM
        ctypes.memmove(host, address, nbytes)

    def copy(what, stream):
        assert stream == STREAM
        assert what.srcMemoryType == what.dstMemoryType == 'device'
        copy3d(
            what.srcDevice,
            what.dstDevice,
            what.WidthInBytes,
            what.Height,
            what.Depth,
            what.srcPitch,
            what.srcHeight,
            what.dstPitch,
            what.dstHeight,
        )

    return SimpleNamespace(
        CUresult=status,
        CUmemorytype=SimpleNamespace(CU_MEMORYTYPE_DEVICE='device'),
        CUdevice_attribute=SimpleNamespace(
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR=major,
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR=minor,
        ),
        CUDA_MEMCPY3D=SimpleNamespace,
        cuInit=lambda flags: (SUCCESS,),
        cuDeviceGet=lambda ordinal: (SUCCESS, ordinal),
        # The rest of the buffer is blanks.
        cuDeviceGetName=lambda length, device: (SUCCESS, b'Orin\0'.ljust(length)),
        cuDeviceGetAttribute=lambda which, device: (SUCCESS, {major: 8, minor: 7}[which]),
        cuDeviceTotalMem=lambda device: (SUCCESS, cuda.total),
        cuDevicePrimaryCtxRetain=retain,
        cuDevicePrimaryCtxRelease=release,
        cuCtxPushCurrent=push,
        cuCtxPopCurrent=pop,
        cuMemGetInfo=checked(lambda: (SUCCESS, cuda.total - cuda.used, cuda.total)),
        cuMemAlloc=checked(allocate),
        cuMemFree=checked(cuda.free),
        cuMemHostAlloc=checked(lock),
        cuMemFreeHost=checked(unlock),
        cuMemsetD8Async=checked(lambda at, value, n, stream: ctypes.memset(at, value, n) and None),
        cuMemcpyHtoDAsync=checked(to_device),
        cuMemcpyDtoHAsync=checked(to_host),
        cuMemcpy3DAsync=checked(copy),
        cuStreamCreate=checked(create),
        cuStreamDestroy=checked(destroy),
        cuStreamSynchronize=checked(lambda stream: None),
        cuGetErrorString=lambda status: (SUCCESS, b'invalid device context'),
    )


def pycuda(cuda):
    """The module pycuda.driver."""

    class Error(Exception):
        pass

    class MemoryError(Error):  # noqa: A001
        pass

    def check():
        if not cuda.ready():
            raise Error('invalid device context')

    class Context:
        def push(self):
            cuda.depth += 1

        @staticmethod
        def pop():
            cuda.depth -= 1

        def detach(self):
            assert cuda.ready(), 'a context that is not current is let go of by its own thread only'
            cuda.retained -= 1

    class Device:
        def __init__(self, ordinal):
            assert ordinal == 0

        def name(self):
            return 'Orin'

        def compute_capability(self):
            return (8, 7)

        def total_memory(self):
            return cuda.total

        def retain_primary_context(self):
            cuda.retained += 1
            return Context()

    class Stream:
        handle = STREAM

        def __init__(self, flags):
            check()
            assert flags == 1
            cuda.streams += 1

        def __del__(self):
            cuda.streams -= 1

        def synchronize(self):
            check()

    class Block:
        def __init__(self, address):
            self.address = address

        def __int__(self):
            return self.address

        def free(self):
            check()
            cuda.free(self.address)

    class Memcpy3D:
        def set_src_device(self, address):
            self.source = address

        def set_dst_device(self, address):
            self.target = address

        def __call__(self, stream):
            check()
            copy3d(
                self.source,
                self.target,
                self.width_in_bytes,
                self.height,
                self.depth,
                self.src_pitch,
                self.src_height,
                self.dst_pitch,
                self.dst_height,
            )

    def mem_alloc(nbytes):
        check()
        address = cuda.allocate(nbytes)
        if address is None:
            raise MemoryError('cuMemAlloc failed: out of memory')
        return Block(address)

    def mem_get_info():
        check()
        return cuda.total - cuda.used, cuda.total

    def pagelocked_empty(shape, dtype):
        check()
        return np.empty(shape, dtype)

    def memset_d8_async(address, value, nbytes, stream):
        check()
        ctypes.memset(address, value, nbytes)

    def memcpy_htod_async(address, host, stream):
        check()
        ctypes.memmove(address, host.ctypes.data, host.nbytes)

    def memcpy_dtoh_async(host, address, stream):
        check()
        ctypes.memmove(host.ctypes.data, address, host.nbytes)

    return SimpleNamespace(
        Error=Error,
        MemoryError=MemoryError,
        Context=Context,
        Device=Device,
        Stream=Stream,
        Memcpy3D=Memcpy3D,
        init=lambda: None,
        mem_alloc=mem_alloc,
        mem_get_info=mem_get_info,
        pagelocked_empty=pagelocked_empty,
        memset_d8_async=memset_d8_async,
        memcpy_htod_async=memcpy_htod_async,
        memcpy_dtoh_async=memcpy_dtoh_async,
    )


def library(cuda):
    """libcuda.so as ctypes loads it: the functions of cuda_graph and one of device_memory."""

    def begin(stream, mode):
        assert stream.value == STREAM and mode.value == 1
        if not cuda.ready() or cuda.capturing:
            return INVALID_CONTEXT
        cuda.capturing = True
        return SUCCESS

    def end(stream, graph):
        assert cuda.capturing
        cuda.capturing = False
        graph._obj.value = GRAPH
        cuda.graphs += 1
        return SUCCESS

    def instantiate(executable, graph, flags):
        assert graph.value == GRAPH and flags.value == 0
        executable._obj.value = EXECUTABLE
        cuda.graphs += 1
        return SUCCESS

    def launch(executable, stream):
        if not cuda.ready() or executable.value != EXECUTABLE or stream.value != STREAM:
            return INVALID_CONTEXT
        cuda.launches += 1
        return SUCCESS

    def destroy(what):
        assert what.value in (GRAPH, EXECUTABLE)
        cuda.graphs -= 1
        return SUCCESS

    def pop(context):
        cuda.depth -= 1
        return SUCCESS

    return SimpleNamespace(
        cuStreamBeginCapture_v2=begin,
        cuStreamEndCapture=end,
        cuGraphInstantiateWithFlags=instantiate,
        cuGraphLaunch=launch,
        cuGraphDestroy=destroy,
        cuGraphExecDestroy=destroy,
        cuCtxPopCurrent_v2=pop,
    )
