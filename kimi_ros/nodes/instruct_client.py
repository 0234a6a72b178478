"""The client side of the action ~/instruct."""

from __future__ import annotations

from typing import Any

from rclpy.action import ActionClient
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from kimi_msgs.action import Instruct
from kimi_ros.nodes import qos


def instruct_client(node: Node, kimi: str, group: CallbackGroup | None = None) -> Any:
    """Return an action client for the node with this name, with queues that are deep enough.

    With the default depth of 10, responses to other clients crowd out one's own.
    """
    return ActionClient(
        node,
        Instruct,
        f'{kimi}/instruct',
        callback_group=group,
        goal_service_qos_profile=qos.INSTRUCTIONS,
        result_service_qos_profile=qos.INSTRUCTIONS,
        cancel_service_qos_profile=qos.INSTRUCTIONS,
        feedback_sub_qos_profile=qos.FEEDBACK,
    )
