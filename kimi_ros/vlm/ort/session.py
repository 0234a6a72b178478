"""ONNX Runtime sessions: execution providers, threads and the shared memory arena."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime import InferenceSession, IOBinding, OrtValue, RunOptions

from ..errors import DeviceNotAvailable, EngineError, ModelFolderError
from ..folder import ModelFolder

_LOG = logging.getLogger(__name__)
_MAX_THREADS = 4
_EXTEND_SAME_AS_REQUESTED = 1  # arena_extend_strategy; the default grows in powers of two


class Session(InferenceSession):
    """An InferenceSession that raises EngineError, naming the graph."""

    def __init__(self, path: str, options: onnxruntime.SessionOptions, providers: list[str]):
        super().__init__(path, options, providers=providers)
        self._path = path

    def run(self, *feeds: Any) -> list[Any]:
        """See InferenceSession. Raises EngineError."""
        with self._wrap_errors():
            outputs: list[Any] = super().run(*feeds)
        return outputs

    def run_with_iobinding(self, *binding: Any) -> None:
        """See InferenceSession. Raises EngineError."""
        with self._wrap_errors():
            super().run_with_iobinding(*binding)

    @contextmanager
    def _wrap_errors(self) -> Iterator[None]:
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
    # Threads spin within a run, which makes tokens faster, and sleep between runs, since other
    # nodes of the robot need the cores.
    options.add_session_config_entry('session.force_spinning_stop', '1')
    # Graphs run one after the other, so they share one arena.
    options.add_session_config_entry('session.use_env_allocators', '1')
    options.log_severity_level = 3
    try:
        return Session(str(path), options, providers=providers)
    # onnxruntime's exceptions have no common base class but Exception.
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
    growth = onnxruntime.OrtArenaCfg({'arena_extend_strategy': _EXTEND_SAME_AS_REQUESTED})
    onnxruntime.create_and_register_allocator(where, growth)


def shrink_arena_options() -> RunOptions:
    """Run options for a large run, which return its arena memory to the system."""
    options = RunOptions()
    options.add_run_config_entry('memory.enable_memory_arena_shrinkage', 'cpu:0')
    return options


def bind_input(binding: IOBinding, name: str, array: np.ndarray) -> None:
    """Bind the array as an input, without a copy on the CPU; the caller keeps it alive."""
    binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(array))


def bind_output(binding: IOBinding, name: str, array: np.ndarray) -> None:
    """Bind the array as an output, without a copy on the CPU; the caller keeps it alive."""
    binding.bind_ortvalue_output(name, OrtValue.ortvalue_from_numpy(array))


def default_threads() -> int:
    """Physical cores, at most 4."""
    return min(_MAX_THREADS, physical_cores())


def physical_cores() -> int:
    """Physical cores that this process may use: hyper-threads of one core count once."""
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
    """Execution providers for a device; if 'auto' cannot use CUDA, the reason is logged.

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
            _LOG.warning('using the CPU: %s', problem)
        return ['CPUExecutionProvider']
    return ['CUDAExecutionProvider', 'CPUExecutionProvider']


def _no_cuda(folder: ModelFolder, has_cuda: bool) -> str:
    """Why this folder cannot run on CUDA here, with a hint; '' if it can."""
    if folder.quantization.activations == 'fp32':
        # On CUDA, GroupQueryAttention exists in half precision only.
        return (
            f'{folder.path} has fp32 activations (model.json), which onnxruntime cannot decode on '
            'CUDA; export it for a GPU (--preset desktop_gpu)'
        )
    if not has_cuda:
        return (
            'this onnxruntime has no CUDA provider; on a machine with an NVIDIA GPU replace it '
            '(pip uninstall onnxruntime, then pip install onnxruntime-gpu)'
        )
    return ''


def check_version(folder: ModelFolder) -> None:
    """Raise ModelFolderError if this onnxruntime is too old for the folder's graphs."""
    needed, found = folder.min_onnxruntime, onnxruntime.__version__
    if needed and parse_version(found) < parse_version(needed):
        raise ModelFolderError(
            f'{folder.path} needs onnxruntime {needed} or newer, this is {found}: '
            f'pip install "onnxruntime>={needed}"'
        )


def parse_version(text: str) -> tuple[int, ...]:
    """Parse '1.23.2' into a comparable tuple of ints."""
    return tuple(int(part) for part in text.split('+')[0].split('.')[:3] if part.isdigit())
