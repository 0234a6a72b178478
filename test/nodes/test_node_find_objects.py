"""~/find_objects: where the objects of a plan are in an image that is newer."""

import pytest

from kimi_ros.nodes.codes import ErrorCode
from kimi_ros.nodes.stamps import nanoseconds


@pytest.fixture
def find(graph):
    from kimi_msgs.srv import FindObjects

    def call(plan, plan_id=None, after=0):
        from kimi_ros.nodes.messages import object_to_message, time_message

        request = FindObjects.Request(plan_id=plan_id or plan.id, after=time_message(after))
        request.objects = [object_to_message(item) for item in plan.objects]
        return graph.call(FindObjects, '/kimi/find_objects', request)

    return call


def test_objects_are_found_in_an_image_from_after_the_moment(client, graph, find):
    from kimi_msgs.msg import Plan
    from kimi_ros.nodes import qos

    plan = client.instruct('pick up the red cup').plan
    later = graph.subscribe(Plan, '/kimi/plan', qos.STATUS)
    now = graph.node.get_clock().now().nanoseconds
    response = find(plan, after=now)
    assert response.error_code == 0, response.error_msg
    assert nanoseconds(response.header.stamp) > now
    assert [(o.id, o.label) for o in response.objects] == [(o.id, o.label) for o in plan.objects]
    assert response.objects[0].point == pytest.approx(plan.objects[0].point)
    graph.spin_once()
    assert later == []  # nothing is planned


def test_plan_of_another_node_and_image_that_never_comes_are_named(client, find):
    plan = client.instruct('pick up the red cup').plan
    response = find(plan, plan_id='another')
    assert response.error_code == ErrorCode.NO_SUCH_PLAN and "'another'" in response.error_msg
    response = find(plan, after=round(plan.stamp * 1e9) + 3600 * 10**9)
    assert response.error_code == ErrorCode.STALE_FRAME and 'no image newer' in response.error_msg
