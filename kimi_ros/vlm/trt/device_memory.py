"""GPU memory through pycuda or, if that is not installed, cuda-bindings.

Both use the device's primary context, which TensorRT, PyTorch and ONNX Runtime share: a second
context would cost memory and could not access theirs. Copies are asynchronous, on one stream;
`synchronize` waits for them.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from ..errors import DeviceNotAvailable, EngineError
from .cuda_graph import load_driver
from .kv_cache import StridedCopy

# A stream that does not synchronize with the default one, which others may use and on which a
# capture must not depend.
_NON_BLOCKING = 1


class Device(Protocol):
    """One GPU with one stream. All methods but `current` need the context to be current."""

    name: str
    compute_capability: str
    """For example '8.7'."""
    total: int
    """Bytes of memory."""
    stream: int
    """Handle of the stream."""

    def current(self) -> Any:
        """A context manager that makes the CUDA context current in this thread."""

    def free(self) -> int:
        """Free memory in bytes."""

    def allocate(self, nbytes: int) -> int:
        """Allocate memory, aligned to 256 and freed by `close`; return its address.

        Raises EngineError, with the sizes, if there is not enough.
        """

    def pinned(self, nbytes: int) -> np.ndarray:
        """Page-locked host memory, uint8, which asynchronous copies need."""

    def clear(self, address: int, nbytes: int) -> None:
        """Fill with zeros."""

    def upload(self, host: np.ndarray, address: int) -> None:
        """Copy a page-locked array to the device."""

    def download(self, address: int, host: np.ndarray) -> None:
        """Copy from the device to a page-locked array."""

    def copy(self, source: int, target: int, extent: StridedCopy) -> None:
        """Copy within the device."""

    def synchronize(self) -> None:
        """Wait until the stream is idle."""

    def close(self) -> None:
        """Free all memory and the stream, and release the context."""


def open_device() -> Device:
    """Open the first GPU. Raises DeviceNotAvailable, saying what to install."""
    failures = []
    for open_one, library in ((_PyCuda, 'pycuda.driver'), (_CudaBindings, 'cuda.bindings.driver')):
        try:
            module = importlib.import_module(library)
        except ImportError as error:
            failures.append(f'{library}: {error}')
            continue
        try:
            return open_one(module)
        # Each library has its own exceptions, and another one if there is no driver.
        except Exception as error:
            raise DeviceNotAvailable(
                f'{library} finds no usable GPU: {error}; check the driver with nvidia-smi (on '
                'Jetson: tegrastats)'
            ) from error
    raise DeviceNotAvailable(
        'neither pycuda nor cuda-bindings can be imported; install one of them (pip install '
        f'cuda-bindings, see docs/install.md): {"; ".join(failures)}'
    )


class _PyCuda:
    def __init__(self, driver: Any) -> None:
        self._driver = driver
        driver.init()
        device = driver.Device(0)
        self.name = device.name()
        self.compute_capability = '.'.join(map(str, device.compute_capability()))
        self.total = device.total_memory()
        self._context = device.retain_primary_context()
        self._blocks: list[Any] = []
        with self.current():
            self._stream = driver.Stream(_NON_BLOCKING)
        self.stream = self._stream.handle

    @contextmanager
    def current(self) -> Iterator[None]:
        self._context.push()
        try:
            yield
        except self._driver.Error as error:
            raise EngineError(f'CUDA: {error}') from error
        finally:
            self._driver.Context.pop()

    def free(self) -> int:
        return int(self._driver.mem_get_info()[0])

    def allocate(self, nbytes: int) -> int:
        try:
            block = self._driver.mem_alloc(nbytes)
        except self._driver.MemoryError as error:
            raise _out_of_memory(nbytes, self.free(), self) from error
        self._blocks.append(block)
        return int(block)

    def pinned(self, nbytes: int) -> np.ndarray:
        host: np.ndarray = self._driver.pagelocked_empty(nbytes, np.uint8)
        return host

    def clear(self, address: int, nbytes: int) -> None:
        self._driver.memset_d8_async(address, 0, nbytes, self._stream)

    def upload(self, host: np.ndarray, address: int) -> None:
        self._driver.memcpy_htod_async(address, host, self._stream)

    def download(self, address: int, host: np.ndarray) -> None:
        self._driver.memcpy_dtoh_async(host, address, self._stream)

    def copy(self, source: int, target: int, extent: StridedCopy) -> None:
        copy = self._driver.Memcpy3D()
        copy.set_src_device(source)
        copy.src_pitch, copy.src_height = extent.source_pitch, extent.source_rows
        copy.set_dst_device(target + extent.target_offset)
        copy.dst_pitch, copy.dst_height = extent.target_pitch, extent.target_rows
        copy.width_in_bytes, copy.height, copy.depth = extent.width, extent.rows, extent.slices
        copy(self._stream)

    def synchronize(self) -> None:
        self._stream.synchronize()

    def close(self) -> None:
        self._context.push()
        for block in self._blocks:
            block.free()
        self._blocks, self._stream = [], None
        # detach works in any thread only if the context is current. pycuda then pops it from its
        # own stack, but not a primary context from the driver's stack.
        self._context.detach()
        load_driver().cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))


class _CudaBindings:
    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._call(driver.cuInit(0))
        self._device = self._call(driver.cuDeviceGet(0))
        # Padded after the terminating zero.
        self.name = self._call(driver.cuDeviceGetName(256, self._device)).split(b'\0')[0].decode()
        self.compute_capability = '.'.join(
            str(self._attribute(f'COMPUTE_CAPABILITY_{part}')) for part in ('MAJOR', 'MINOR')
        )
        self.total = self._call(driver.cuDeviceTotalMem(self._device))
        self._context = self._call(driver.cuDevicePrimaryCtxRetain(self._device))
        self._blocks: list[int] = []
        self._locked: list[int] = []
        with self.current():
            self._stream = self._call(driver.cuStreamCreate(_NON_BLOCKING))
        self.stream = int(self._stream)

    @contextmanager
    def current(self) -> Iterator[None]:
        self._call(self._driver.cuCtxPushCurrent(self._context))
        try:
            yield
        finally:
            self._driver.cuCtxPopCurrent()

    def free(self) -> int:
        return int(self._call(self._driver.cuMemGetInfo())[0])

    def allocate(self, nbytes: int) -> int:
        error, address = self._driver.cuMemAlloc(nbytes)
        if error == self._driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            raise _out_of_memory(nbytes, self.free(), self)
        self._call((error,))
        self._blocks.append(int(address))
        return int(address)

    def pinned(self, nbytes: int) -> np.ndarray:
        address = int(self._call(self._driver.cuMemHostAlloc(nbytes, 0)))
        self._locked.append(address)
        return np.ctypeslib.as_array((ctypes.c_uint8 * nbytes).from_address(address))

    def clear(self, address: int, nbytes: int) -> None:
        self._call(self._driver.cuMemsetD8Async(address, 0, nbytes, self._stream))

    def upload(self, host: np.ndarray, address: int) -> None:
        self._call(
            self._driver.cuMemcpyHtoDAsync(address, host.ctypes.data, host.nbytes, self._stream)
        )

    def download(self, address: int, host: np.ndarray) -> None:
        self._call(
            self._driver.cuMemcpyDtoHAsync(host.ctypes.data, address, host.nbytes, self._stream)
        )

    def copy(self, source: int, target: int, extent: StridedCopy) -> None:
        copy = self._driver.CUDA_MEMCPY3D()
        copy.srcMemoryType = copy.dstMemoryType = self._driver.CUmemorytype.CU_MEMORYTYPE_DEVICE
        copy.srcDevice, copy.dstDevice = source, target + extent.target_offset
        copy.srcPitch, copy.srcHeight = extent.source_pitch, extent.source_rows
        copy.dstPitch, copy.dstHeight = extent.target_pitch, extent.target_rows
        copy.WidthInBytes, copy.Height, copy.Depth = extent.width, extent.rows, extent.slices
        self._call(self._driver.cuMemcpy3DAsync(copy, self._stream))

    def synchronize(self) -> None:
        self._call(self._driver.cuStreamSynchronize(self._stream))

    def close(self) -> None:
        with self.current():
            for address in self._blocks:
                self._driver.cuMemFree(address)
            for address in self._locked:
                self._driver.cuMemFreeHost(address)
            self._blocks, self._locked = [], []
            self._driver.cuStreamDestroy(self._stream)
        self._call(self._driver.cuDevicePrimaryCtxRelease(self._device))

    def _attribute(self, name: str) -> int:
        attributes = self._driver.CUdevice_attribute
        which = getattr(attributes, f'CU_DEVICE_ATTRIBUTE_{name}')
        return int(self._call(self._driver.cuDeviceGetAttribute(which, self._device)))

    def _call(self, answer: tuple[Any, ...]) -> Any:
        """Unpack the (status, *values) of a driver call; raise EngineError on failure."""
        status, *values = answer
        if status != self._driver.CUresult.CUDA_SUCCESS:
            text = self._driver.cuGetErrorString(status)[1]
            raise EngineError(f'CUDA: {text.decode() if text else status}')
        return values[0] if len(values) == 1 else tuple(values)


def _out_of_memory(needed: int, free: int, device: Device) -> EngineError:
    return EngineError(
        f'the memory of {device.name} is too small: {needed / 2**20:.0f} MiB more are needed, '
        f'{free / 2**20:.0f} of {device.total / 2**20:.0f} MiB are free; close other programs, or '
        'export with a lower --precision or a smaller --preset (requirements: docs/install.md)'
    )
