"""Sessions of onnxruntime: where they run, how many threads they take, what memory they share."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime import InferenceSession, IOBinding, OrtValue, RunOptions

from ..errors import DeviceNotAvailable, EngineError, ModelFolderError
from ..folder import ModelFolder

_LOG = logging.getLogger(__name__)
_MOST_THREADS = 4
_AS_REQUESTED = 1  # how the arena grows: not in powers of two


class Session(InferenceSession):
    """A session whose failures have a name."""

    def __init__(self, path: str, options: onnxruntime.SessionOptions, providers: list[str]):
        super().__init__(path, options, providers=providers)
        self._path = path

    def run(self, *feeds):
        """As onnxruntime's. Raises EngineError."""
        with self._named():
            return super().run(*feeds)

    def run_with_iobinding(self, *binding) -> None:
        """As onnxruntime's. Raises EngineError."""
        with self._named():
            super().run_with_iobinding(*binding)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise EngineError(f'{self._path} could not be run: {error}') from error


def open_session(path: Path, providers: list[str], threads: int) -> Session:
    """Open a graph. Raises ModelFolderError."""
    _share_arena()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads wait awake within a run, which makes tokens faster, and sleep between two of them: a
    # robot's other nodes need the cores.
    options.add_session_config_entry('session.force_spinning_stop', '1')
    # The graphs run one after the other: what one worked in serves the next.
    options.add_session_config_entry('session.use_env_allocators', '1')
    options.log_severity_level = 3
    try:
        return Session(str(path), options, providers=providers)
    # onnxruntime's exceptions share no base class but Exception.
    except Exception as error:
        raise ModelFolderError(f'{path} cannot be loaded: {error}') from error


@functools.cache
def _share_arena() -> None:
    where = onnxruntime.OrtMemoryInfo(
        'Cpu',
        onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR,
        0,
        onnxruntime.OrtMemType.DEFAULT,
    )
    growth = onnxruntime.OrtArenaCfg({'arena_extend_strategy': _AS_REQUESTED})
    onnxruntime.create_and_register_allocator(where, growth)


def giving_back() -> RunOptions:
    """Options of a large run: it gives the memory that it worked in back to the system."""
    options = RunOptions()
    options.add_run_config_entry('memory.enable_memory_arena_shrinkage', 'cpu:0')
    return options


def bind_input(binding: IOBinding, name: str, array: np.ndarray) -> None:
    """Let the session read the array, whose memory the caller keeps."""
    binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(array))


def bind_output(binding: IOBinding, name: str, array: np.ndarray) -> None:
    """Let the session write the array, whose memory the caller keeps."""
    binding.bind_ortvalue_output(name, OrtValue.ortvalue_from_numpy(array))


def default_threads() -> int:
    """Physical cores, at most 4."""
    return min(_MOST_THREADS, physical_cores())


def physical_cores() -> int:
    """Cores that this process may use, siblings on one core counted once."""
    if not hasattr(os, 'sched_getaffinity'):
        return os.cpu_count() or 1
    cores = set()
    for cpu in os.sched_getaffinity(0):
        siblings = Path(f'/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list')
        try:
            cores.add(siblings.read_text(encoding='ascii').strip())
        except OSError:
            cores.add(str(cpu))
    return max(1, len(cores))


def providers_for(device: str, folder: ModelFolder) -> list[str]:
    """What to ask onnxruntime for; where 'auto' cannot have CUDA, the log says why.

    Raises DeviceNotAvailable.
    """
    if device not in ('auto', 'cpu', 'cuda'):
        raise DeviceNotAvailable(f'device must be "auto", "cpu" or "cuda", not {device!r}')
    has_cuda = 'CUDAExecutionProvider' in onnxruntime.get_available_providers()
    problem = _no_cuda(folder, has_cuda)
    if device == 'cuda' and problem:
        raise DeviceNotAvailable(f'{problem}, or use device="cpu"')
    if device == 'cpu' or problem:
        if device == 'auto' and has_cuda:
            _LOG.warning('the CPU is used: %s', problem)
        return ['CPUExecutionProvider']
    return ['CUDAExecutionProvider', 'CPUExecutionProvider']


def _no_cuda(folder: ModelFolder, has_cuda: bool) -> str:
    """Why this folder cannot be run by CUDA here, and what to do; '' where it can."""
    if folder.layout.activations == 'fp32':
        # CUDA has its attention over a cache, GroupQueryAttention, in half precision only.
        return (
            f'{folder.path} computes in fp32 (activations in model.json), which onnxruntime cannot '
            'decode on CUDA; export it for a GPU (--preset desktop_gpu)'
        )
    if not has_cuda:
        return (
            'this onnxruntime has no CUDA; on a machine with an NVIDIA GPU replace it (pip '
            'uninstall onnxruntime, then pip install onnxruntime-gpu)'
        )
    return ''


def check_version(folder: ModelFolder) -> None:
    """Raise ModelFolderError where this onnxruntime is older than the folder's graphs."""
    needed, found = folder.min_onnxruntime, onnxruntime.__version__
    if needed and as_version(found) < as_version(needed):
        raise ModelFolderError(
            f'{folder.path} needs onnxruntime {needed} or newer, this is {found}: '
            f'pip install "onnxruntime>={needed}"'
        )


def as_version(text: str) -> tuple[int, ...]:
    """'1.23.2' as numbers that can be compared."""
    return tuple(int(part) for part in text.split('+')[0].split('.')[:3] if part.isdigit())
