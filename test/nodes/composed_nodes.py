"""Two nodes with scripted models in one process and one executor."""

import sys

import rclpy
import scripted_node
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.parameter import Parameter

from kimi_ros.nodes.kimi_node import KimiNode


def main():
    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    rclpy.signals.install_signal_handlers(rclpy.signals.SignalHandlerOptions.ALL)
    nodes = [
        KimiNode(
            scripted_node.load,
            context=context,
            namespace=name,
            parameter_overrides=[Parameter('max_frame_age', value=60.0)],
        )
        for name in ('first', 'second')
    ]
    executor = MultiThreadedExecutor(8, context=context)
    for node in nodes:
        executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    for node in nodes:
        node.destroy_node()
    context.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())
