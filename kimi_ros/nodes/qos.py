"""Quality of service, in one place; every setting can be overridden through `qos_overrides`."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

# A camera's newest picture only: an old one is worth nothing, and connects to any publisher.
CAMERA = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE
)
# Pictures are offered reliably, so that both kinds of subscribers connect.
PICTURES = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE
)
# The newest one also reaches those who come later.
LATCHED = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)
# Every instruction gets its answer, if only that the node is busy: none may be dropped unread.
INSTRUCTIONS = QoSProfile(
    depth=1000, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE
)
# Words come faster than some clients look: with ten, the default, states in between are lost.
FEEDBACK = QoSProfile(
    depth=200, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE
)
STATUS = QoSProfile(
    depth=10, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE
)


def overridable() -> QoSOverridingOptions:
    """Return the option that lets a user override history, depth and reliability."""
    return QoSOverridingOptions.with_default_policies()
