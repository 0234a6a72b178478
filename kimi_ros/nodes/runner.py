"""Running a node until it is told to stop, and then until its requests have their results."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread
from typing import TypeVar

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import Executor, ExternalShutdownException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from kimi_ros.process import SignalSafeEvent

_DRAIN_TIMEOUT = 4.0  # seconds; `ros2 launch` sends SIGTERM five seconds after SIGINT
_NodeT = TypeVar('_NodeT', bound=Node)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RosLogHandler(logging.Handler):
    """Forwards records of Python's logging to the node's logger."""

    def __init__(self, node: Node):
        super().__init__(logging.INFO)
        self._logger = node.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; rclpy requires one severity per call site."""
        text = self.format(record)
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)


def run_node(
    make_node: Callable[[], _NodeT],
    make_executor: Callable[[_NodeT], Executor],
    args: Sequence[str] | None = None,
) -> int:
    """Create a node and spin it until SIGINT or SIGTERM; returns the exit status of the process.

    An invalid parameter is reported in one line, with status 2. An exception in a callback is
    logged and the node goes on: one bad message must not take it down. On the first signal the
    node's `drain(timeout)`, where it has one, is called while it still spins; a second signal ends
    the process at once.
    """
    # rclpy's own handlers shut the context down, after which no result can be sent.
    rclpy.init(
        args=None if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO
    )
    stop = SignalSafeEvent()
    with _signals_to(stop):
        try:
            node = make_node()
        except (ParameterException, ValueError) as error:
            rclpy.try_shutdown()
            print(f'not started: {error}', file=sys.stderr)
            return 2
        executor = make_executor(node)
        executor.add_node(node)
        done = Event()
        spinner = Thread(target=_spin, args=(executor, node, done, stop), name='spin', daemon=True)
        with _python_logging_to(node):
            spinner.start()
            stop.wait()
            if rclpy.ok() and (drain := getattr(node, 'drain', None)):
                drain(_DRAIN_TIMEOUT)
            done.set()
            executor.wake()
            spinner.join(2.0)
            executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _spin(executor: Executor, node: Node, done: Event, ended: SignalSafeEvent) -> None:
    while rclpy.ok() and not done.is_set():
        try:
            executor.spin_once(timeout_sec=1.0)
        except ExternalShutdownException:
            break
        except Exception as error:
            if not rclpy.ok():
                break
            node.get_logger().error(f'a callback failed: {type(error).__name__}: {error}')
    ended.set()


@contextlib.contextmanager
def _signals_to(stop: SignalSafeEvent) -> Iterator[None]:
    """Set the event on the first SIGINT or SIGTERM; the next one acts as usual."""
    previous = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def on_signal(*_: object) -> None:
        stop.set()
        restore()

    for number in _SIGNALS:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        restore()


@contextlib.contextmanager
def _python_logging_to(node: Node) -> Iterator[None]:
    """Send the package's log records to the node's logger while the node exists."""
    logger = logging.getLogger('kimi_ros')
    handlers, level, propagate = logger.handlers, logger.level, logger.propagate
    logger.handlers, logger.propagate = [RosLogHandler(node)], False
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
