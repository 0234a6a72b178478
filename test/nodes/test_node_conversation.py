"""Several turns with one node: what the next instruction may leave out, and which camera it names.

The reader is the real one; the model sees two green cups, left and right.
"""

import pytest
from std_msgs.msg import String
from std_srvs.srv import Trigger

from kimi_ros.agent import Status
from kimi_ros.nodes import qos
from kimi_ros.nodes.codes import ErrorCode


@pytest.fixture
def ask(graph, client):
    """Ask in a conversation of its own."""
    graph.call(Trigger, '/kimi/forget', Trigger.Request(), resend=True)

    def one(instruction, camera='front', **options):
        result = client.instruct(instruction, camera=camera, **options)
        assert result.code is ErrorCode.NONE, result.message
        return result.plan

    return one


def steps(plan):
    return [(s.skill, *(plan.object(i).label for i in s.object_ids)) for s in plan.steps]


def test_later_instruction_may_leave_out_the_verb(ask):
    assert steps(ask('pick up the red cup')) == [('pick', 'red cup')]
    plan = ask('the blue cup, too')
    assert plan.planner == 'reader' and steps(plan) == [('pick', 'blue cup')]


def test_question_is_answered_in_the_next_turn(ask):
    plan = ask('pick up the green cup')
    assert plan.status is Status.NEEDS_CLARIFICATION and len(plan.objects) == 2
    plan = ask('the left one')
    assert plan.status is Status.OK, plan.say
    assert [s.skill for s in plan.steps] == ['pick']
    (cup,) = plan.objects
    assert cup.point[0] == pytest.approx(0.2 * 160, abs=2)


def test_the_other_one_is_not_the_one_before(ask):
    ask('pick up the green cup')
    left, right = ask('the left one'), ask('the other one, too')
    assert right.status is Status.OK and steps(right)[0][0] == 'pick'
    assert right.objects[0].point[0] - left.objects[0].point[0] > 50


def test_instruction_that_stands_alone_is_planned_alone(ask):
    ask('pick up the red cup')
    assert ask('pick up the blue cup').planner == 'model'


def test_forgotten_turns_are_not_used(graph, ask):
    ask('pick up the red cup')
    graph.call(Trigger, '/kimi/forget', Trigger.Request(), resend=True)
    assert ask('the blue cup, too').planner == 'model'


def test_topic_and_action_share_the_conversation(graph, client, ask):
    said = graph.subscribe(String, '/kimi/say', qos.STATUS)
    publisher = graph.node.create_publisher(String, 'instruction', qos.INSTRUCTIONS)
    graph.until(publisher.get_subscription_count, 'the node')
    graph.until(lambda: graph.node.count_publishers('/kimi/say'), '~/say')
    graph.until(lambda: graph.node.count_subscribers('/kimi/say'), 'this subscriber')
    publisher.publish(String(data='pick up the red cup'))  # the first camera is the front one
    graph.until(lambda: said, 'what is said')
    plan = ask('the blue cup, too')
    assert steps(plan) == [('pick', 'blue cup')]


def test_camera_named_in_the_instruction_is_used(graph, client, ask):
    camera = graph.camera('odd')
    camera.send()
    text = 'pick up the red cup with the odd camera'
    plan = ask(text, camera='')
    assert plan.frame_id == 'odd_optical' and plan.instruction == text
    assert plan.hash == plan.content_hash() and steps(plan) == [('pick', 'red cup')]
    assert ask('用front摄像头拿起红色的杯子', camera='').frame_id == 'camera_optical'


def test_camera_that_is_not_there_is_named(client):
    result = client.instruct('pick up the red cup with the left camera')
    assert result.code is ErrorCode.NO_FRAME and "no camera 'left'" in result.message
    assert 'front, odd, none' in result.message
