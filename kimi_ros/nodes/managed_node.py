"""What the managed (lifecycle) nodes share: the way down, parameters' values and diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.callback_groups import (
    CallbackGroup,
    MutuallyExclusiveCallbackGroup,
    ReentrantCallbackGroup,
)
from rclpy.lifecycle import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node

from kimi_ros.nodes import qos
from kimi_ros.nodes.diagnostics import StatusReport


class ManagedNode(LifecycleNodeMixin, Node):
    """A lifecycle node; subclasses say what configuring, activating and their opposites do."""

    def __init__(self, name: str, **options: Any):
        """Create the node and its publisher of /diagnostics.

        :param options: of rclpy.node.Node: context, namespace, parameter_overrides, ...
        """
        Node.__init__(self, name, **options)
        self._callback_group = ReentrantCallbackGroup()
        LifecycleNodeMixin.__init__(self, callback_group=self._callback_group)
        self._diagnostics = self.publisher(DiagnosticArray, '/diagnostics', qos.STATUS)

    def value(self, name: str) -> Any:
        """Return a parameter's current value."""
        return self.get_parameter(name).value

    def publisher(self, kind: type, topic: str, profile: Any) -> Any:
        """Return a publisher whose QoS users may override."""
        return self.create_publisher(kind, topic, profile, qos_overriding_options=qos.overridable())

    def subscribe(
        self,
        kind: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: Any,
        group: CallbackGroup | None = None,
    ) -> None:
        """Subscribe for as long as the node lives, with a QoS that users may override.

        :param group: None: one of its own.
        """
        self.create_subscription(
            kind,
            topic,
            callback,
            profile,
            callback_group=group or MutuallyExclusiveCallbackGroup(),
            qos_overriding_options=qos.overridable(),
        )

    def start(self) -> None:
        """Configure and activate, where `autostart` says so."""
        success = TransitionCallbackReturn.SUCCESS
        if self.value('autostart') and self.trigger_configure() is success:
            self.trigger_activate()

    def publish_reports(self, reports: Iterable[StatusReport], hardware_id: str) -> None:
        """Publish on /diagnostics."""
        name = self.get_fully_qualified_name().lstrip('/')
        array = DiagnosticArray(
            status=[
                DiagnosticStatus(
                    level=bytes([report.level]),
                    name=f'{name}: {report.component}',
                    message=report.message,
                    hardware_id=hardware_id,
                    values=[KeyValue(key=key, value=value) for key, value in report.values],
                )
                for report in reports
            ]
        )
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    def _deactivate(self) -> None:
        """Undo what activating did, whether or not the node is active."""
        raise NotImplementedError

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Undo what activating did."""
        self._deactivate()
        return super().on_deactivate(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Do what deactivating and cleaning up do."""
        self._deactivate()
        self.on_cleanup(state)
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Return to unconfigured after an exception in a transition."""
        return self.on_shutdown(state)
