"""A plan's objects as markers for RViz and Foxglove."""

from __future__ import annotations

from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from kimi_msgs.msg import Plan
from kimi_ros.nodes.targets import has_position

_DIAMETER = 0.04  # metres
_TEXT_HEIGHT = 0.05  # metres
_VERIFIED_COLOR = ColorRGBA(r=0.0, g=0.78, b=0.55, a=0.9)
_UNVERIFIED_COLOR = ColorRGBA(r=0.94, g=0.89, b=0.26, a=0.9)


def plan_markers(plan: Plan) -> MarkerArray:
    """Return a sphere and a label for every object with a position, after a DELETEALL."""
    array = MarkerArray(markers=[Marker(action=Marker.DELETEALL)])
    array.markers[0].header = plan.header
    for number, item in enumerate(plan.objects):
        if not has_position(item):
            continue
        for kind, namespace, size in (
            (Marker.SPHERE, 'objects', _DIAMETER),
            (Marker.TEXT_VIEW_FACING, 'labels', _TEXT_HEIGHT),
        ):
            marker = Marker(type=kind, ns=namespace, id=number, action=Marker.ADD)
            marker.header.stamp = plan.header.stamp
            marker.header.frame_id = item.position_frame
            marker.pose.position.x = item.position.x
            marker.pose.position.y = item.position.y
            marker.pose.position.z = item.position.z
            marker.pose.orientation.w = 1.0
            marker.scale.x = marker.scale.y = marker.scale.z = size
            marker.color = _VERIFIED_COLOR if item.verified else _UNVERIFIED_COLOR
            if kind == Marker.TEXT_VIEW_FACING:
                marker.pose.position.z += 2 * _DIAMETER
                marker.text = f'{item.id} {item.label}'
            array.markers.append(marker)
    return array
