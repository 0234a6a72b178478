"""Plans as vision_msgs."""

import math

import pytest

pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')
pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not built: make setup')

from kimi_msgs.msg import GroundedObject, Plan  # noqa: E402
from kimi_ros.nodes.detections import plan_detections  # noqa: E402


def test_objects_with_a_box_are_detections():
    cup = GroundedObject(id='o1', label='red cup', score=0.5, box=[10.0, 20.0, 30.0, 60.0])
    cup.position_frame, cup.position.z = 'optical', 0.8
    point = GroundedObject(id='o2', label='dot', box=[math.nan] * 4)
    plan = Plan(objects=[cup, point])
    plan.header.frame_id = 'optical'
    (found,) = plan_detections(plan).detections
    center = found.bbox.center.position
    assert (center.x, center.y, found.bbox.size_x, found.bbox.size_y) == (20, 40, 20, 40)
    (hypothesis,) = found.results
    assert (hypothesis.hypothesis.class_id, hypothesis.hypothesis.score) == ('red cup', 0.5)
    assert hypothesis.pose.pose.position.z == 0.8 and found.id == 'o1'


def test_node_publishes_the_detections_of_each_plan(client, graph):
    from vision_msgs.msg import Detection2DArray

    from kimi_ros.nodes import qos

    found = graph.subscribe(Detection2DArray, '/kimi/detections', qos.STATUS)
    graph.until(lambda: graph.node.count_publishers('/kimi/detections'), 'the publisher')
    plan = client.instruct('pick up the red cup').plan
    graph.until(lambda: found, 'detections')
    (detection,) = found[-1].detections
    assert detection.results[0].hypothesis.class_id == plan.objects[0].label
    assert found[-1].header.frame_id == plan.frame_id
