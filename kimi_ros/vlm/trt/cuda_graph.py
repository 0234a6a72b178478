"""CUDA graphs: what was launched once, launched again by one call.

pycuda knows no stream capture, so these six driver functions are called as they are, whichever
library holds the memory. They are the same since CUDA 11.4.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from ..errors import EngineError

_LIBRARY = 'libcuda.so.1'
# Only calls of this thread may disturb the capture: others may use the GPU meanwhile.
_THREAD_LOCAL = 1
_SUCCESS = 0


class CudaGraph:
    """A captured piece of work. The context must be current in every call."""

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
        """Capture what `work` asks of the stream, without running it. Raises EngineError."""
        self._driver = load_driver()
        self._stream = ctypes.c_void_p(stream)
        self._executable = ctypes.c_void_p()
        graph = ctypes.c_void_p()
        self._call('cuStreamBeginCapture_v2', self._stream, ctypes.c_int(_THREAD_LOCAL))
        try:
            work()
        finally:
            # Also where the work fails: a stream that is left capturing is of no use any more.
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
        """Put the work on the stream. Raises EngineError."""
        self._call('cuGraphLaunch', self._executable, self._stream)

    def close(self) -> None:
        """Free it."""
        self._driver.cuGraphExecDestroy(self._executable)

    def _call(self, function: str, *arguments: object) -> None:
        status = getattr(self._driver, function)(*arguments)
        if status != _SUCCESS:
            raise EngineError(f'CUDA: {function} failed with status {status}')


def load_driver() -> ctypes.CDLL:
    """The driver's library. Raises EngineError where there is none."""
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise EngineError(f'CUDA: {error}') from error
