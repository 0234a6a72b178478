"""Running a node until it is told to stop, whatever its callbacks meet with."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import Executor, ExternalShutdownException
from rclpy.node import Node


class RosHandler(logging.Handler):
    """Hands what the ROS-free rooms log to the node's log."""

    def __init__(self, node: Node):
        super().__init__(logging.INFO)
        self._logger = node.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; rclpy keeps a severity for every place in the code that logs."""
        text = self.format(record)
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)


def run(
    make_node: Callable[[], Node],
    make_executor: Callable[[], Executor],
    args: Sequence[str] | None = None,
) -> int:
    """Make a node and spin it until the context is shut down; returns the process's exit status.

    A parameter that cannot be is said in one line. An exception in a callback is logged, and the
    node goes on: one broken message must not take it down.
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
        with _logging_through(node):
            try:
                _spin(executor, node)
            finally:
                stop = getattr(node, 'stop_all', None)
                if stop:
                    stop()
                executor.shutdown(timeout_sec=5.0)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        # A second interrupt may arrive in here.
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
def _logging_through(node: Node) -> Iterator[None]:
    """Send what the package logs to the node's logger, as long as there is a node."""
    logger = logging.getLogger('kimi_ros')
    handlers, level, propagate = logger.handlers, logger.level, logger.propagate
    logger.handlers, logger.propagate = [RosHandler(node)], False
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
