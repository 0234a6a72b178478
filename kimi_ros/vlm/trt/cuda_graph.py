"""CUDA graphs: a captured sequence of launches, replayed by one call.

pycuda has no stream capture, so six driver functions are called directly, whichever library owns
the memory. They have not changed since CUDA 11.4.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from ..errors import EngineError

_LIBRARY = 'libcuda.so.1'
# Only calls of this thread invalidate the capture: other threads may use the GPU meanwhile.
_THREAD_LOCAL = 1
_SUCCESS = 0


class CudaGraph:
    """A captured CUDA graph. The CUDA context must be current in every call."""

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
        """Capture the launches of `work` on the stream without running them. Raises EngineError."""
        self._driver = load_driver()
        self._stream = ctypes.c_void_p(stream)
        self._executable = ctypes.c_void_p()
        graph = ctypes.c_void_p()
        self._call('cuStreamBeginCapture_v2', self._stream, ctypes.c_int(_THREAD_LOCAL))
        try:
            work()
        finally:
            # Also after a failure: a stream that is left capturing is unusable.
            status = self._driver.cuStreamEndCapture(self._stream, ctypes.byref(graph))
        if status != _SUCCESS:
            raise EngineError(f'CUDA: the capture of a graph failed with status {status}')
        try:
            self._call(
                'cuGraphInstantiateWithFlags',
                ctypes.byref(self._executable),
                graph,
                ctypes.c_ulonglong(0),
            )
        finally:
            self._driver.cuGraphDestroy(graph)

    def launch(self) -> None:
        """Launch the graph on its stream. Raises EngineError."""
        self._call('cuGraphLaunch', self._executable, self._stream)

    def close(self) -> None:
        """Free the graph."""
        self._driver.cuGraphExecDestroy(self._executable)

    def _call(self, function: str, *arguments: object) -> None:
        status = getattr(self._driver, function)(*arguments)
        if status != _SUCCESS:
            raise EngineError(f'CUDA: {function} failed with status {status}')


def load_driver() -> ctypes.CDLL:
    """Load the CUDA driver library. Raises EngineError if it is missing."""
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise EngineError(f'CUDA: {error}') from error
