"""The TensorRT executor: loads engines and runs them on a CUDA stream.

Uses only the Python API that TensorRT 10.3 and 11.1 have in common; docs/tensorrt.md compares each
call.
"""

from __future__ import annotations

import logging
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DeviceNotAvailable, EngineError, ModelFolderError
from ..folder import ModelFolder
from .bindings import EngineSpec, folder_engine_specs, profile_shapes
from .build_info import Machine, build_mismatches, check_build, read_build_info
from .cuda_graph import CudaGraph
from .device_memory import Device, open_device
from .kv_cache import StridedCopy
from .runners import Binding, DeviceBuffer

_LOG = logging.getLogger(__name__)


def import_tensorrt() -> Any:
    """Import the module tensorrt. Raises DeviceNotAvailable with installation instructions."""
    try:
        import tensorrt
    # The wheel may be installed without the libraries, which can raise any exception.
    except Exception as error:
        raise DeviceNotAvailable(
            f'TensorRT cannot be imported ({error}); on Jetson it comes with JetPack (apt install '
            'nvidia-jetpack), elsewhere: pip install tensorrt. See docs/install.md'
        ) from error
    return tensorrt


def open_executor(folder: ModelFolder) -> TensorRtExecutor:
    """Load a folder's engines on the first GPU.

    Engines that were built for another machine, or whose hash differs from model.json, are never
    deserialized. Raises ModelFolderError, DeviceNotAvailable, EngineError.
    """
    tensorrt = import_tensorrt()
    build_info, graphs = read_build_info(folder), folder_engine_specs(folder)
    device = open_device()
    try:
        here = machine(tensorrt, device)
        check_build(folder.path, build_info, here, folder.precision, profile_shapes(graphs))
        files = {name: folder.file(f'{name}.engine') for name in graphs}
        return TensorRtExecutor(tensorrt, device, files, build_info.engines, graphs)
    except BaseException:
        device.close()
        raise


def machine(tensorrt: Any, device: Device) -> Machine:
    """This machine, as recorded in engines that are built now."""
    return Machine(tensorrt.__version__, device.compute_capability, device.name)


def describe(folder: ModelFolder) -> tuple[str, list[str], str]:
    """For diagnostics: what the engines were built for, mismatches, and the rebuild command.

    Raises ModelFolderError, and DeviceNotAvailable if this machine has no TensorRT or GPU.
    """
    build_info = read_build_info(folder)
    built = build_info.machine
    tensorrt, device = import_tensorrt(), open_device()
    here = machine(tensorrt, device)
    device.close()
    wrong = build_mismatches(
        build_info, here, folder.precision, profile_shapes(folder_engine_specs(folder))
    )
    built_for = (
        f'built with TensorRT {built.version} for {built.device} ({built.compute_capability})'
    )
    return built_for, wrong, build_info.rebuild


@dataclass(eq=False)
class _PinnedBuffer:
    """A device buffer and the page-locked host memory for copies to and from it."""

    address: int
    nbytes: int
    host: np.ndarray | None = None
    busy: bool = False


@dataclass(eq=False)
class _Context:
    """An execution context with a fixed profile, and the CUDA graph captured from it."""

    context: Any
    graph: CudaGraph | None = None
    runs: int = 0


class TensorRtExecutor:
    """Implements runners.Executor.

    Each profile has its own execution context, because switching profiles in one context is slow.
    Contexts run one after the other, so they share one block of scratch memory.
    """

    def __init__(
        self,
        tensorrt: Any,
        device: Device,
        files: Mapping[str, Path],
        digests: Mapping[str, str],
        graphs: Mapping[str, EngineSpec],
    ) -> None:
        """Deserialize the engine files; the device is closed with this object."""
        self._tensorrt = tensorrt
        self._device = device
        self._graphs = graphs
        self._logger = make_logger(tensorrt)
        self._blocks: list[_PinnedBuffer] = []
        self._contexts: dict[tuple[str, str], _Context] = {}
        self._engines: dict[str, Any] = {}
        with device.current():
            self._runtime = tensorrt.Runtime(self._logger)
            for name, path in files.items():
                self._engines[name] = self._load(path, digests[path.name])
                self._check(name, path)
            self._make_contexts()
            device.synchronize()

    def allocate(self, nbytes: int) -> _PinnedBuffer:
        """Allocate zeroed device memory."""
        with self._device.current():
            block = _PinnedBuffer(self._device.allocate(nbytes), nbytes)
            self._device.clear(block.address, nbytes)
        self._blocks.append(block)
        return block

    def upload(self, values: np.ndarray, memory: DeviceBuffer) -> None:
        """Asynchronous, through page-locked memory."""
        with self._device.current():
            buffer = _own(memory)
            if buffer.busy:
                self._synchronize()
            host = self._host(buffer, values.nbytes)
            host[:] = values.reshape(-1).view(np.uint8)
            self._device.upload(host, buffer.address)
            buffer.busy = True

    def download(
        self, memory: DeviceBuffer, shape: tuple[int, ...], dtype: np.dtype, offset: int = 0
    ) -> np.ndarray:
        """Synchronous, through page-locked memory."""
        nbytes = int(np.prod(shape)) * dtype.itemsize
        with self._device.current():
            buffer = _own(memory)
            if buffer.busy:
                self._synchronize()
            host = self._host(buffer, nbytes)
            self._device.download(buffer.address + offset, host)
            self._synchronize()
        return host.view(dtype).reshape(shape).copy()

    def copy(self, source: DeviceBuffer, target: DeviceBuffer, extent: StridedCopy) -> None:
        """One strided copy on the device."""
        with self._device.current():
            self._device.copy(_own(source).address, _own(target).address, extent)

    def prepare(
        self, graph: str, profile: str, bindings: Mapping[str, Binding], repeated: bool
    ) -> Callable[[], None]:
        """Set shapes and addresses; see runners.Executor."""
        held = self._contexts[graph, profile]
        context = held.context
        with self._device.current():
            self._drop_graph(held)
            for name, tensor in self._graphs[graph].tensors.items():
                binding = bindings[name]
                shaped = not tensor.is_input or context.set_input_shape(name, binding.shape)
                address = _own(binding.memory).address + binding.offset
                if not (shaped and context.set_tensor_address(name, address)):
                    raise self._failure(graph, f'{name} cannot be {binding.shape}')

        def run() -> None:
            with self._device.current():
                self._run(graph, held, repeated)

        return run

    def synchronize(self) -> None:
        """Wait until the stream is idle."""
        with self._device.current():
            self._synchronize()

    def close(self) -> None:
        """Free CUDA graphs, contexts, engines and memory, in this order."""
        with self._device.current():
            for held in self._contexts.values():
                self._drop_graph(held)
            # TensorRT frees objects without references.
            self._contexts, self._engines, self._runtime = {}, {}, None
            for block in self._blocks:
                # Page-locked memory must be freed while the context is current.
                block.host = None
        self._device.close()

    def _load(self, path: Path, digest: str) -> Any:
        """Deserialize exactly the bytes that were hashed."""
        try:
            with path.open('rb') as stream:
                data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise ModelFolderError(f'{path} cannot be read: {error}') from error
        found = sha256(data).hexdigest()
        if found != digest:
            raise ModelFolderError(
                f'{path} is not the engine that was built: its sha256 is {found}, model.json lists '
                f'{digest}; it was not loaded. Export the checkpoint again'
            )
        engine = self._runtime.deserialize_cuda_engine(data)
        if engine is None:
            raise EngineError(
                f'TensorRT could not load {path}: {self._logger.last_error()}; if memory is low, '
                'close other programs or export with a lower --precision'
            )
        return engine

    def _check(self, name: str, path: Path) -> None:
        """Compare the engine's tensors and profiles with its specification."""
        trt, engine, graph = self._tensorrt, self._engines[name], self._graphs[name]
        found = {engine.get_tensor_name(index) for index in range(engine.num_io_tensors)}
        wrong = sorted(found ^ set(graph.tensors))
        for tensor_name in found & set(graph.tensors):
            tensor = graph.tensors[tensor_name]
            is_input = engine.get_tensor_mode(tensor_name) == trt.TensorIOMode.INPUT
            dtype = np.dtype(trt.nptype(engine.get_tensor_dtype(tensor_name)))
            shape = tuple(engine.get_tensor_shape(tensor_name))
            if (is_input, dtype, shape) != (tensor.is_input, tensor.dtype, tensor.at(-1)):
                wrong.append(tensor_name)
        if wrong or engine.num_optimization_profiles != len(graph.profiles):
            raise ModelFolderError(
                f'{path} does not match this version of kimi_ros'
                + (f' (differs in {", ".join(wrong)})' if wrong else '')
                + '; export the checkpoint again'
            )

    def _make_contexts(self) -> None:
        strategy = self._tensorrt.ExecutionContextAllocationStrategy.USER_MANAGED
        largest = max(engine.device_memory_size_v2 for engine in self._engines.values())
        scratch = self._device.allocate(largest) if largest else 0
        for name, engine in self._engines.items():
            for index, profile in enumerate(self._graphs[name].profiles):
                context = engine.create_execution_context(strategy)
                if context is None:
                    raise self._failure(name, f'no context for the profile {profile.name}')
                context.set_device_memory(scratch, largest)
                if not context.set_optimization_profile_async(index, self._device.stream):
                    raise self._failure(name, f'no profile {profile.name}')
                self._contexts[name, profile.name] = _Context(context)

    def _run(self, graph: str, held: _Context, repeated: bool) -> None:
        if held.graph is not None:
            held.graph.launch()
            return

        def enqueue() -> None:
            if not held.context.execute_async_v3(self._device.stream):
                raise self._failure(graph, 'it could not be run')

        # The first run after a change of shapes initializes the context and must not be captured.
        if repeated and held.runs == 1:
            try:
                held.graph = CudaGraph(self._device.stream, enqueue)
            except EngineError as error:
                _LOG.warning('%s runs without a CUDA graph: %s', graph, error)
            else:
                held.graph.launch()
                return
        enqueue()
        held.runs += 1

    def _drop_graph(self, held: _Context) -> None:
        if held.graph is not None:
            held.graph.close()
        held.graph, held.runs = None, 0

    def _host(self, memory: _PinnedBuffer, nbytes: int) -> np.ndarray:
        # Smaller than the buffer: the KV cache, by far the largest, is hardly ever read.
        if memory.host is None or len(memory.host) < nbytes:
            memory.host = self._device.pinned(nbytes)
        return memory.host[:nbytes]

    def _synchronize(self) -> None:
        self._device.synchronize()
        for block in self._blocks:
            block.busy = False

    def _failure(self, graph: str, what: str) -> EngineError:
        return EngineError(f'{graph}.engine: {what}: {self._logger.last_error()}')


def _own(memory: DeviceBuffer) -> _PinnedBuffer:
    """A buffer of this executor; there are no others."""
    if not isinstance(memory, _PinnedBuffer):
        raise TypeError(f'{memory!r} was not allocated by this executor')
    return memory


def make_logger(tensorrt: Any) -> Any:
    """An ILogger that keeps the last error for exceptions and forwards messages to logging."""

    class Logger(tensorrt.ILogger):
        def __init__(self) -> None:
            tensorrt.ILogger.__init__(self)
            self._last = ''

        def log(self, severity: Any, message: str) -> None:
            if severity in (tensorrt.ILogger.ERROR, tensorrt.ILogger.INTERNAL_ERROR):
                self._last = message
                _LOG.error('TensorRT: %s', message)
            elif severity == tensorrt.ILogger.WARNING:
                _LOG.info('TensorRT: %s', message)

        def last_error(self) -> str:
            return self._last or 'TensorRT gave no reason'

    return Logger()
