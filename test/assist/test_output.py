"""What an AR client gets: markers in the camera's frame, image annotations, the drawn image."""

import types

import numpy as np
import pytest

from kimi_ros.assist.overlay import draw_sight
from kimi_ros.assist.sight import Sight, Thing

THING = Thing('1', '红色的书', (20.0, 30.0, 60.0, 70.0), np.array([0.1, -0.2, 0.8]))
UNMEASURED = Thing('2', 'cup', (100.0, 30.0, 120.0, 50.0))


def test_overlay_marks_the_box_and_keeps_the_size():
    rgb = np.full((120, 160, 3), 90, np.uint8)
    drawn = draw_sight(rgb, Sight(things=(THING, UNMEASURED)), 'Red book: ahead.')
    assert drawn.shape == rgb.shape and (rgb == 90).all()
    assert (drawn[50, 20] != 90).any()  # the box's left edge
    assert (drawn[50, 140] == 90).all()
    assert (drawn[-10:] != 90).any()  # the sentence
    draw_sight(rgb, Sight(things=(Thing('3', 'cup', (-50.0, -50.0, 5.0, 5.0)),)), '')


def test_markers_are_in_the_frame_of_the_camera():
    pytest.importorskip('rclpy', reason='no ROS here: make setup')
    from std_msgs.msg import Header
    from visualization_msgs.msg import Marker

    from kimi_ros.nodes.assist_output import sight_markers

    header = Header(frame_id='optical')
    array = sight_markers((THING, UNMEASURED), header, (0.0, 0.0, 0.3))
    assert [m.type for m in array.markers[1:]] == [
        Marker.SPHERE,
        Marker.TEXT_VIEW_FACING,
        Marker.ARROW,
    ]
    assert all(m.header.frame_id == 'optical' for m in array.markers)
    assert array.markers[1].pose.position.z == pytest.approx(0.8)
    assert [p.z for p in array.markers[3].points] == pytest.approx([0.3, 0.8])
    assert len(sight_markers((THING,), header, None).markers) == 3


def message(**fields):
    return types.SimpleNamespace(**fields)


def test_image_annotations_hold_the_box():
    pytest.importorskip('rclpy', reason='no ROS here: make setup')
    from std_msgs.msg import Header

    from kimi_ros.nodes.assist_output import image_annotations

    class PointsAnnotation(types.SimpleNamespace):
        LINE_LOOP = 2

    messages = types.SimpleNamespace(
        Color=message,
        Point2=message,
        TextAnnotation=message,
        PointsAnnotation=PointsAnnotation,
        ImageAnnotations=lambda: message(points=[], texts=[]),
    )
    made = image_annotations(messages, (THING,), Header())
    (box,), (text,) = made.points, made.texts
    assert [(p.x, p.y) for p in box.points] == [(20, 30), (60, 30), (60, 70), (20, 70)]
    assert text.text == '红色的书' and box.type == PointsAnnotation.LINE_LOOP
