"""What the node `assist` publishes: words, and what an AR client draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import Point
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import ColorRGBA, Header, String
from visualization_msgs.msg import Marker, MarkerArray

from kimi_ros.assist.overlay import draw_sight
from kimi_ros.assist.sight import Sight, Thing
from kimi_ros.nodes import qos
from kimi_ros.nodes.images import encode_jpeg
from kimi_ros.nodes.managed_node import ManagedNode

foxglove: Any = None
try:
    import foxglove_msgs.msg as installed

    foxglove = installed
except ImportError:  # not among the ROS wheels on PyPI
    pass

_COLOR = (0.94, 0.89, 0.26)
_DIAMETER, _TEXT_HEIGHT, _SHAFT = 0.04, 0.05, 0.01  # metres
_LIFETIME = 0.5  # seconds, after which a marker without a newer one is gone


class AssistOutput:
    """The publishers of one node."""

    def __init__(self, node: ManagedNode):
        """Create them."""
        self._node = node
        self._sentence = ''
        self._say = node.publisher(String, '~/say', qos.STATUS)
        self._hazard = node.publisher(String, '~/hazard', qos.STATUS)
        self._state = node.publisher(String, '~/state', qos.LATCHED)
        self._annotated = node.publisher(CompressedImage, '~/annotated/compressed', qos.IMAGES)
        self._markers = node.publisher(MarkerArray, '~/markers', qos.STATUS)
        self._annotations: Any = None
        if foxglove is not None:
            self._annotations = node.publisher(
                foxglove.ImageAnnotations, '~/image_annotations', qos.STATUS
            )
        self._last_state = ''

    def say(self, text: str, urgent: bool = False) -> None:
        """Publish a sentence for the person; an urgent one interrupts what is being said."""
        self._sentence = text
        (self._hazard if urgent else self._say).publish(String(data=text))

    def state(self, text: str) -> None:
        """Publish the state where it has changed."""
        if text != self._last_state:
            self._last_state = text
            self._state.publish(String(data=text))

    def sight(
        self, rgb: np.ndarray, header: Header, sight: Sight, hand: Sequence[float] | None
    ) -> None:
        """Publish what is drawn, where somebody wants it.

        :param rgb: uint8 (H, W, 3).
        :param header: the image's stamp and frame.
        :param hand: metres in the optical frame, from where an arrow points to the thing; or None.
        """
        if self._markers.get_subscription_count():
            self._markers.publish(sight_markers(sight.things, header, hand))
        if self._annotations is not None and self._annotations.get_subscription_count():
            self._annotations.publish(image_annotations(foxglove, sight.things, header))
        if self._annotated.get_subscription_count():
            message = CompressedImage(header=header, format='jpeg')
            quality = self._node.value('jpeg_quality')
            message.data = encode_jpeg(draw_sight(rgb, sight, self._sentence), quality)
            self._annotated.publish(message)


def sight_markers(
    things: Sequence[Thing], header: Header, hand: Sequence[float] | None
) -> MarkerArray:
    """Return a sphere and a label for each thing with a position, in the camera's frame.

    :param hand: from where an arrow points to each, or None.
    """
    array = MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
    for number, thing in enumerate(things):
        if thing.xyz is None:
            continue
        x, y, z = (float(v) for v in thing.xyz)
        kinds = [(Marker.SPHERE, 'things', _DIAMETER), (Marker.TEXT_VIEW_FACING, 'labels', 0.0)]
        if hand is not None:
            kinds.append((Marker.ARROW, 'ways', _SHAFT))
        for kind, namespace, size in kinds:
            marker = Marker(header=header, type=kind, ns=namespace, id=number, action=Marker.ADD)
            marker.pose.orientation.w = 1.0
            marker.scale.x = marker.scale.y = marker.scale.z = size
            marker.color = ColorRGBA(r=_COLOR[0], g=_COLOR[1], b=_COLOR[2], a=0.9)
            marker.lifetime.nanosec = int(_LIFETIME * 1e9)
            if kind == Marker.ARROW and hand is not None:
                begin = Point(x=float(hand[0]), y=float(hand[1]), z=float(hand[2]))
                marker.points = [begin, Point(x=x, y=y, z=z)]
                marker.scale.y, marker.scale.z = 2 * size, 0.0
            else:
                marker.pose.position = Point(x=x, y=y, z=z)
            if kind == Marker.TEXT_VIEW_FACING:
                marker.pose.position.y -= 2 * _DIAMETER  # above it: y points down
                marker.scale.z = _TEXT_HEIGHT
                marker.text = thing.label
            array.markers.append(marker)
    return array


def image_annotations(messages: Any, things: Sequence[Thing], header: Header) -> Any:
    """Return a foxglove_msgs/ImageAnnotations with a box and a label for each thing.

    :param messages: the module foxglove_msgs.msg.
    """
    color = messages.Color(r=_COLOR[0], g=_COLOR[1], b=_COLOR[2], a=1.0)
    result = messages.ImageAnnotations()
    for thing in things:
        x0, y0, x1, y1 = (float(v) for v in thing.box)
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        box = messages.PointsAnnotation(
            timestamp=header.stamp,
            type=messages.PointsAnnotation.LINE_LOOP,
            points=[messages.Point2(x=x, y=y) for x, y in corners],
            outline_color=color,
            thickness=2.0,
        )
        text = messages.TextAnnotation(
            timestamp=header.stamp,
            position=messages.Point2(x=x0, y=y0),
            text=thing.label,
            font_size=18.0,
            text_color=color,
        )
        result.points.append(box)
        result.texts.append(text)
    return result
