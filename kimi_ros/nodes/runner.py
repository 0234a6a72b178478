"""Running a node until it is shut down, whatever its callbacks raise."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import Executor, ExternalShutdownException
from rclpy.node import Node


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
    make_node: Callable[[], Node],
    make_executor: Callable[[], Executor],
    args: Sequence[str] | None = None,
) -> int:
    """Create a node and spin it until shutdown; returns the exit status of the process.

    An invalid parameter is reported in one line, with status 2. An exception in a callback is
    logged and the node goes on: one bad message must not take it down.
    """
    rclpy.init(args=args)
    node = None
    try:
        try:
            node = make_node()
        except (ParameterException, ValueError) as error:
            print(f'not started: {error}', file=sys.stderr)
            return 2
        executor = make_executor()
        executor.add_node(node)
        with _python_logging_to(node):
            try:
                _spin(executor, node)
            finally:
                cancel_all = getattr(node, 'cancel_all', None)
                if cancel_all:
                    cancel_all()
                executor.shutdown(timeout_sec=5.0)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        # A second interrupt may arrive here.
        with contextlib.suppress(KeyboardInterrupt):
            if node is not None:
                node.destroy_node()
            rclpy.try_shutdown()
    return 0


def _spin(executor: Executor, node: Node) -> None:
    while rclpy.ok():
        try:
            executor.spin_once(timeout_sec=1.0)
        except (KeyboardInterrupt, ExternalShutdownException):
            return
        except Exception as error:
            if not rclpy.ok():
                return
            node.get_logger().error(f'a callback failed: {type(error).__name__}: {error}')


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
