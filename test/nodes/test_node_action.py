"""The interfaces of the node, used from another process."""

import math
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from action_msgs.msg import GoalStatus  # noqa: E402
from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from geometry_msgs.msg import PoseArray, PoseStamped  # noqa: E402
from rcl_interfaces.srv import DescribeParameters, SetParameters  # noqa: E402
from rclpy.action import ActionClient  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import CompressedImage  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402
from visualization_msgs.msg import MarkerArray  # noqa: E402

from kimi_msgs.action import Instruct  # noqa: E402
from kimi_msgs.msg import Plan as PlanMessage  # noqa: E402
from kimi_msgs.srv import Approve, Describe  # noqa: E402
from kimi_ros.agent import DepthStatus, Plan, State, Status  # noqa: E402
from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.client import KimiClient  # noqa: E402
from kimi_ros.nodes.codes import ErrorCode  # noqa: E402
from kimi_ros.nodes.images import read_comment  # noqa: E402

PICK = 'pick up the red cup'
FLOOD = 1000


class Goals:
    """An action client that records feedback."""

    def __init__(self, graph):
        self._graph = graph
        # With the default depth of 10 the client itself would drop some of a thousand responses.
        self._client = ActionClient(
            graph.node,
            Instruct,
            '/kimi/instruct',
            goal_service_qos_profile=qos.INSTRUCTIONS,
            result_service_qos_profile=qos.INSTRUCTIONS,
        )
        graph.until(self._client.server_is_ready, 'the action')
        self.feedback = []

    def send(self, instruction, camera='front'):
        goal = Instruct.Goal(instruction=instruction, camera=camera)
        return self._client.send_goal_async(
            goal, lambda message: self.feedback.append(message.feedback)
        )

    def accepted(self, instruction, camera='front'):
        handle = self._graph.result(self.send(instruction, camera), 'acceptance')
        assert handle.accepted
        return handle

    def result(self, handle):
        return self._graph.result(handle.get_result_async(), 'the result')

    def until_partial_text(self):
        self._graph.until(
            lambda: any('very' in f.partial_text for f in self.feedback), 'partial text'
        )


@pytest.fixture
def goals(graph, client):
    yield Goals(graph)
    graph.call(Trigger, '/kimi/stop', Trigger.Request())  # whatever a failed test leaves


def test_instruction_gives_a_grounded_plan(client):
    result = client.instruct(PICK, camera='front')
    assert (result.code, result.message) == (ErrorCode.NONE, '')
    assert result.plan.status is Status.OK
    assert result.plan.say == 'I will pick up the red cup.'
    assert [(s.skill, s.object_ids) for s in result.plan.steps] == [('pick', ('o1',))]
    (cup,) = result.plan.objects
    assert cup.point == pytest.approx((80, 60), abs=1) and cup.verified
    # The camera publishes depth, and its pose on /tf_static.
    assert cup.depth_status is DepthStatus.OK and cup.position_frame == 'base_link'
    assert abs(cup.position[2]) < 0.5
    assert result.states == (State.LOOKING, State.THINKING, State.GROUNDING, State.CHECKING)
    assert result.seconds > 0 and result.annotated[:2] == b'\xff\xd8'


def test_plan_say_markers_and_image_agree(graph, client):
    said = graph.subscribe(String, '/kimi/say', qos.STATUS)
    images = graph.subscribe(CompressedImage, '/kimi/annotated/compressed', qos.STATUS)
    markers = graph.subscribe(MarkerArray, '/kimi/markers', qos.STATUS)
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.STATUS)
    for topic in ('say', 'annotated/compressed', 'markers', 'plan'):
        graph.until(lambda t=topic: graph.node.count_publishers(f'/kimi/{t}'), topic)
    while not (said and images and markers and plans):  # until all have met
        result = client.instruct(PICK, camera='front')
        graph.spin_once()
    graph.until(lambda: plans[-1].id == result.plan.id, 'the newest plan')
    graph.until(lambda: images[-1].header == plans[-1].header, 'its image')
    assert said[-1].data == result.plan.say
    texts = [m.text for m in markers[-1].markers if m.text]
    assert texts == ['o1 red cup']
    assert {m.header.frame_id for m in markers[-1].markers if m.text} == {'base_link'}


def test_plan_without_kimi_msgs_is_json_and_poses(graph, client):
    texts = graph.subscribe(String, '/kimi/plan_json', qos.LATCHED)
    target = graph.subscribe(PoseStamped, '/kimi/target', qos.STATUS)
    targets = graph.subscribe(PoseArray, '/kimi/targets', qos.STATUS)
    while not (texts and target and targets):
        result = client.instruct(PICK, camera='front')
        graph.spin_once()
    graph.until(lambda: Plan.from_json(texts[-1].data).id == result.plan.id, 'the plan as JSON')
    assert Plan.from_json(texts[-1].data) == result.plan
    (cup,) = result.plan.objects
    graph.until(lambda: target[-1].pose.position.x == cup.position[0], 'its target')
    assert target[-1].header.frame_id == targets[-1].header.frame_id == 'base_link'


def test_late_subscriber_gets_the_latest_plan(graph, client):
    result = client.instruct(PICK, camera='front')
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    graph.until(lambda: plans, 'the latched plan')
    assert plans[-1].id == result.plan.id
    assert plans[-1].hash == result.plan.hash


def test_active_goal_can_be_cancelled(goals, client):
    handle = goals.accepted('slowly pick up the red cup')
    goals.until_partial_text()
    goals._graph.result(handle.cancel_goal_async(), 'the cancel')
    done = goals.result(handle)
    assert done.status == GoalStatus.STATUS_CANCELED
    assert done.result.error_code == Instruct.Result.CANCELLED
    assert done.result.plan.status == PlanMessage.STATUS_UNSET
    assert client.instruct(PICK, camera='front').code is ErrorCode.NONE


def test_waiting_goal_can_be_cancelled(goals):
    first = goals.accepted('slowly pick up the red cup')
    goals.until_partial_text()  # so it is the second that waits
    second = goals.accepted(PICK)
    goals._graph.result(second.cancel_goal_async(), 'the cancel')
    assert goals.result(second).result.error_code == Instruct.Result.CANCELLED
    goals._graph.result(first.cancel_goal_async(), 'the cancel')
    assert goals.result(first).result.error_code == Instruct.Result.CANCELLED


def test_stop_aborts_the_active_goal(goals, graph):
    handle = goals.accepted('slowly pick up the red cup')
    goals.until_partial_text()
    assert graph.call(Trigger, '/kimi/stop', Trigger.Request()).success
    done = goals.result(handle)
    assert done.status == GoalStatus.STATUS_ABORTED
    assert done.result.error_code == Instruct.Result.CANCELLED


@pytest.mark.parametrize('end', ['cancel', 'stop'])
def test_plan_of_a_cancelled_goal_is_not_published(goals, graph, client, end):
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    handle = goals.accepted('slowly and deaf, pick up the red cup')
    goals.until_partial_text()
    if end == 'cancel':
        graph.result(handle.cancel_goal_async(), 'the cancel')
    else:
        graph.call(Trigger, '/kimi/stop', Trigger.Request())
    done = goals.result(handle).result
    assert done.error_code == Instruct.Result.CANCELLED
    assert done.plan.status == PlanMessage.STATUS_UNSET
    following = client.instruct(PICK, camera='front').plan
    graph.until(lambda: following.id in [p.id for p in plans], 'the following plan')
    assert not any('deaf' in p.instruction for p in plans)


def test_stop_expires_a_granted_plan(goals, graph, client):
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    goals.accepted('pick up the knife')
    graph.until(
        lambda: plans and plans[-1].approval == PlanMessage.APPROVAL_PENDING, 'the plan to wait'
    )
    request = Approve.Request(id=plans[-1].id, hash=plans[-1].hash, approve=True)
    assert not graph.call(Approve, '/kimi/approve', request).error_code
    graph.call(Trigger, '/kimi/stop', Trigger.Request())
    graph.until(lambda: plans[-1].approval == PlanMessage.APPROVAL_EXPIRED, 'its end')


def test_annotated_image_belongs_to_its_plan(client):
    plans = [client.instruct(PICK, camera='front') for _ in range(3)]
    for result in plans:
        assert read_comment(result.annotated) == result.plan.id


def test_annotated_image_of_a_plan_is_there_for_other_clients(client):
    with KimiClient() as other:
        other.waiting_plans(60.0)  # by now it receives what the node publishes
        result = client.instruct(PICK, camera='front')
        assert other.annotated(result.plan.id, 60.0) == result.annotated != b''
        assert other.annotated('of no plan', 0.2) == b''


def test_answer_is_in_the_language_that_was_asked_for(client):
    result = client.instruct(PICK, language='zh', camera='front')
    assert result.plan is not None and result.plan.language == 'zh', result
    assert any('\u4e00' <= letter <= '\u9fff' for letter in result.plan.say), result.plan.say


def test_plan_survives_failed_drawing(client):
    result = client.instruct(f'{PICK}, undrawable', camera='front')
    assert (result.code, result.annotated) == (
        ErrorCode.NONE,
        b'',
    ) and result.plan.status is Status.OK


def test_failed_publishing_aborts_the_goal(client):
    result = client.instruct(f'{PICK}, unpublishable', camera='front')
    assert result.code is ErrorCode.UNKNOWN and 'cannot: unpublishable' in result.message
    assert client.instruct(PICK, camera='front').code is ErrorCode.NONE


def test_thousand_concurrent_goals_all_get_results(goals, client):
    sent = [goals.send('slowly pick up the red cup') for _ in range(FLOOD)]
    handles = [goals._graph.result(future, 'acceptance') for future in sent]
    results = [handle.get_result_async() for handle in handles]
    goals._graph.until(
        lambda: sum(r.done() for r in results) >= FLOOD - 5, 'most to be turned away'
    )
    busy = [r.result().result for r in results if r.done()]
    assert {r.error_code for r in busy} == {Instruct.Result.BUSY}
    assert 'again later' in busy[0].error_msg
    goals._graph.call(Trigger, '/kimi/stop', Trigger.Request())
    goals._graph.until(lambda: all(r.done() for r in results), 'the rest to be stopped')
    assert client.instruct(PICK, camera='front').code is ErrorCode.NONE


def test_sentence_that_the_model_garbled_is_never_said(graph, client):
    said = graph.subscribe(String, '/kimi/say', qos.INSTRUCTIONS)
    graph.until(lambda: graph.node.count_publishers('/kimi/say'), 'the voice')
    plan = client.instruct(f'{PICK} and garble', camera='front').plan
    assert plan.status is Status.OK and 'red cup' in plan.say and '6' not in plan.say
    graph.until(lambda: any('red cup' in m.data for m in said), 'the sentence')
    assert not any('6' in m.data for m in said)


def test_flooded_instruction_topic(graph, client):
    publisher = graph.node.create_publisher(String, '/instruction', qos.INSTRUCTIONS)
    said = graph.subscribe(String, '/kimi/say', qos.INSTRUCTIONS)
    graph.until(publisher.get_subscription_count, 'the node')
    graph.until(lambda: graph.node.count_publishers('/kimi/say'), 'the voice')
    for _ in range(FLOOD):
        publisher.publish(String(data=''))
    graph.until(lambda: any('no words' in m.data for m in said), 'a spoken refusal')
    assert client.instruct(PICK, camera='front').code is ErrorCode.NONE


def test_instruction_topic(graph, client):
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.STATUS)
    publisher = graph.node.create_publisher(String, '/instruction', qos.INSTRUCTIONS)
    graph.until(publisher.get_subscription_count, 'the node')
    words = f'{PICK}, number {time.monotonic_ns()}'

    def answered():
        return any(p.instruction == words for p in plans)

    publisher.publish(String(data=words))
    graph.until(answered, 'the plan')


@pytest.mark.parametrize(
    ('instruction', 'code', 'words'),
    [
        ('', ErrorCode.EMPTY, 'no words'),
        (' \n ?!', ErrorCode.EMPTY, 'no words'),
        ('pick up the red cup ' * 500, ErrorCode.TOO_LONG, '10000 characters'),
        ('break', ErrorCode.MODEL_FAILED, 'the engine failed'),
        ('crash', ErrorCode.UNKNOWN, 'unexpected'),
    ],
)
def test_errors_are_reported_with_code_and_message(client, instruction, code, words):
    result = client.instruct(instruction, camera='front')
    assert result.code is code and words in result.message and result.plan is None


def test_unknown_camera_and_language_are_reported(client):
    result = client.instruct(PICK, camera='back')
    assert result.code is ErrorCode.NO_FRAME and 'front, odd, none' in result.message
    result = client.instruct(PICK, camera='front', language='fr')
    assert result.code is ErrorCode.UNKNOWN and "'fr'" in result.message


def test_camera_without_images(client):
    result = client.instruct(PICK, camera='none')
    assert result.code is ErrorCode.NO_FRAME and '/none/image' in result.message


def test_stale_image_is_rejected_and_a_new_one_accepted(graph, client):
    odd = graph.camera('odd')
    result = _until(odd, client, lambda r: r.code is ErrorCode.STALE_FRAME, age=100.0)
    assert ' s old' in result.message and '/odd/image' in result.message
    _until(odd, client, lambda r: 'in the future' in r.message, age=-100.0)
    _until(odd, client, lambda r: r.code is ErrorCode.NONE)


@pytest.mark.parametrize(
    ('image', 'words'),
    [
        ({'encoding': 'theora'}, "encoding 'theora' is not supported"),
        ({'step': 1}, 'step of 1'),
        ({'height': 4800}, 'needs'),
        ({'height': 0}, 'has no pixels'),
    ],
)
def test_invalid_image_is_reported(graph, client, image, words):
    odd = graph.camera('odd')
    result = _until(odd, client, lambda r: words in r.message, **image)
    assert result.code is ErrorCode.NO_FRAME and '/odd/image' in result.message
    _until(odd, client, lambda r: r.code is ErrorCode.NONE)


@pytest.mark.parametrize('value', [0, 200])
def test_image_of_one_pixel(graph, client, value):
    odd = graph.camera('odd')
    pixels = np.full((1, 1, 3), value, np.uint8)
    result = _until(odd, client, lambda r: _status(r) is Status.INFEASIBLE, pixels=pixels)
    assert result.plan.reason_codes[0].startswith('camera_')
    _until(odd, client, lambda r: _status(r) is Status.OK)


def _status(result) -> Status | None:
    """Return the plan's status; there is none where the new image came too late."""
    return result.plan and result.plan.status


def _until(odd, client, good, **image):
    """Send a image and ask, until that image is the one that was answered."""
    deadline = time.monotonic() + 60
    while True:
        odd.send(**image)
        result = client.instruct(PICK, camera='odd')
        if good(result):
            return result
        assert time.monotonic() < deadline, result


def test_approval_requires_plan_id_and_hash(goals, graph, client):
    handle = goals.accepted('pick up the knife')
    graph.until(
        lambda: any(f.state == Instruct.Feedback.AWAITING_APPROVAL for f in goals.feedback),
        'the plan to wait',
    )
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    graph.until(lambda: plans, 'the plan')
    plan = plans[-1]
    assert plan.approval == PlanMessage.APPROVAL_PENDING and plan.steps[0].needs_approval

    def decide(plan_id, plan_hash, approved=True):
        request = Approve.Request(id=plan_id, hash=plan_hash, approve=approved, approver='test')
        return graph.call(Approve, '/kimi/approve', request)

    assert decide('another', plan.hash).error_code == Approve.Response.NO_SUCH_PLAN
    wrong = decide(plan.id, '0' * 64)
    assert wrong.error_code == Approve.Response.HASH_MISMATCH and wrong.error_msg
    right = decide(plan.id, plan.hash)
    assert (right.error_code, right.approval) == (0, PlanMessage.APPROVAL_GRANTED)
    assert goals.result(handle).result.plan.approval == PlanMessage.APPROVAL_GRANTED
    graph.until(lambda: plans[-1].approval == PlanMessage.APPROVAL_GRANTED, 'the granted plan')
    assert decide(plan.id, plan.hash, False).error_code == Approve.Response.NOT_PENDING


def waiting_plan(goals, graph, plans):
    """Ask for the knife and return the goal and the plan that waits for approval."""
    handle = goals.accepted('pick up the knife')
    graph.until(
        lambda: plans and plans[-1].approval == PlanMessage.APPROVAL_PENDING, 'the plan to wait'
    )
    return handle, plans[-1]


def test_newer_plan_leaves_the_pending_one_to_its_client(goals, graph, client):
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    handle, plan = waiting_plan(goals, graph, plans)
    assert client.instruct(PICK, camera='front').code is ErrorCode.NONE
    request = Approve.Request(id=plan.id, hash=plan.hash, approve=True, approver='test')
    assert not graph.call(Approve, '/kimi/approve', request).error_code
    done = goals.result(handle)
    assert done.status == GoalStatus.STATUS_SUCCEEDED
    assert done.result.plan.approval == PlanMessage.APPROVAL_GRANTED


def test_denied_plan_is_an_error_and_nothing_to_carry_out(goals, graph, client):
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    said = graph.subscribe(String, '/kimi/say', qos.STATUS)
    handle, plan = waiting_plan(goals, graph, plans)
    request = Approve.Request(id=plan.id, hash=plan.hash, approve=False, approver='test')
    assert not graph.call(Approve, '/kimi/approve', request).error_code
    done = goals.result(handle)
    assert done.status == GoalStatus.STATUS_ABORTED
    assert done.result.error_code == Instruct.Result.DENIED and done.result.error_msg
    for message in (done.result.plan, plans[-1]):
        assert message.approval == PlanMessage.APPROVAL_DENIED
        assert message.status != PlanMessage.STATUS_OK and not message.steps
    graph.until(lambda: said and 'not approved' in said[-1].data, 'the end to be said')


def test_pending_plan_says_what_to_type(goals, graph, client, scripted):
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    said = graph.subscribe(String, '/kimi/say', qos.STATUS)
    reports = graph.subscribe(DiagnosticArray, '/diagnostics', qos.STATUS)
    graph.until(lambda: graph.node.count_publishers('/kimi/say'), 'say')
    graph.until(lambda: reports, 'diagnostics')
    _, plan = waiting_plan(goals, graph, plans)
    typed = f'kimi approve {plan.id[:8]}'
    graph.until(lambda: any(typed in s.data for s in said), 'what to type')
    graph.until(lambda: any(typed in f.partial_text for f in goals.feedback), 'the feedback')

    def reported():
        statuses = [s for r in reports[-3:] for s in r.status if s.name == 'kimi: approval']
        return any(typed in s.message and s.values[-1].key == plan.id for s in statuses)

    graph.until(reported, 'the report')
    assert typed in scripted.log.read_text() and plan.hash in scripted.log.read_text()


def test_approver_cannot_forge_a_line_of_the_log(goals, graph, client, scripted):
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    _, plan = waiting_plan(goals, graph, plans)
    forged = 'anna\n[ERROR] [kimi]: forged'
    request = Approve.Request(id=plan.id, hash=plan.hash, approve=True, approver=forged)
    assert not graph.call(Approve, '/kimi/approve', request).error_code
    graph.until(lambda: "by 'anna" in scripted.log.read_text(), 'the decision in the log')
    assert '\n[ERROR] [kimi]: forged' not in scripted.log.read_text()


def test_forget_leaves_no_plan_to_late_subscribers(graph, client):
    client.instruct(PICK, camera='front')
    assert graph.call(Trigger, '/kimi/forget', Trigger.Request()).success
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    texts = graph.subscribe(String, '/kimi/plan_json', qos.LATCHED)
    graph.until(lambda: plans and texts, 'what is latched')
    assert plans[-1].status == PlanMessage.STATUS_UNSET and not plans[-1].instruction
    assert texts[-1].data == 'null'


def test_approval_is_void_when_the_scene_has_changed(goals, graph, client):
    odd = graph.camera('odd')
    plans = graph.subscribe(PlanMessage, '/kimi/plan', qos.LATCHED)
    # The scripted model sees the knife where the picture is brightest.

    def waits():
        odd.send(spot(20))
        return plans and plans[-1].approval == PlanMessage.APPROVAL_PENDING

    odd.send(spot(20))
    handle = goals.accepted('pick up the bright knife', camera='odd')
    graph.until(waits, 'the plan to wait')
    plan = plans[-1]
    time.sleep(0.2)  # the last picture of the old scene is on its way
    odd.send(spot(50))
    time.sleep(0.2)
    request = Approve.Request(id=plan.id, hash=plan.hash, approve=True, approver='test')
    response = graph.call(Approve, '/kimi/approve', request)
    assert response.error_code == Approve.Response.SCENE_CHANGED and 'knife' in response.error_msg
    done = goals.result(handle).result
    assert done.error_code == Instruct.Result.EXPIRED and not done.plan.steps
    assert 'scene_changed' in done.plan.reason_codes


def spot(x):
    """A dark picture with a bright spot around column x of 64."""
    pixels = np.full((48, 64, 3), 40, np.uint8)
    pixels[20:28, x - 4 : x + 4] = 250
    return pixels


def test_goal_awaiting_approval_can_be_cancelled(goals, graph):
    handle = goals.accepted('pick up the knife')
    graph.until(
        lambda: any(f.state == Instruct.Feedback.AWAITING_APPROVAL for f in goals.feedback),
        'the plan to wait',
    )
    graph.result(handle.cancel_goal_async(), 'the cancel')
    done = goals.result(handle)
    assert done.status == GoalStatus.STATUS_CANCELED
    assert done.result.plan.approval == PlanMessage.APPROVAL_EXPIRED


def test_describe(graph, client):
    answer = graph.call(Describe, '/kimi/describe', Describe.Request(camera='front'))
    assert (answer.error_code, answer.text) == (0, 'Yes')
    assert answer.header.frame_id == 'camera_optical' and answer.header.stamp.sec
    answer = graph.call(Describe, '/kimi/describe', Describe.Request(camera='none'))
    assert answer.error_code == Describe.Response.NO_FRAME


def test_safety_question_is_deferred(graph, client):
    request = Describe.Request(question='Is it safe to cross?', camera='front')
    answer = graph.call(Describe, '/kimi/describe', request)
    assert not answer.error_code and answer.text not in ('', 'Yes')


def test_forget_clears_images_and_markers(graph, client):
    odd = graph.camera('odd')
    markers = graph.subscribe(MarkerArray, '/kimi/markers', qos.LATCHED)
    _until(odd, client, lambda r: r.code is ErrorCode.NONE)
    assert graph.call(Trigger, '/kimi/forget', Trigger.Request()).success
    assert client.instruct(PICK, camera='odd').code is ErrorCode.NO_FRAME
    graph.until(lambda: markers and len(markers[-1].markers) == 1, 'the deletion of markers')


def test_parameters_have_descriptions_and_validation(graph, client):
    names = ['max_frame_age', 'model']
    described = graph.call(
        DescribeParameters, '/kimi/describe_parameters', DescribeParameters.Request(names=names)
    ).descriptors
    assert all(d.description for d in described)
    assert described[0].floating_point_range[0].to_value == 60.0 and described[1].read_only

    def put(name, value):
        parameter = Parameter(name, value=value).to_parameter_msg()
        request = SetParameters.Request(parameters=[parameter])
        (result,) = graph.call(SetParameters, '/kimi/set_parameters', request).results
        return result

    assert put('max_frame_age', 2.5).successful
    for name, value, words in (
        ('max_frame_age', 100.0, 'max_frame_age'),
        ('max_frame_age', math.nan, 'max_frame_age'),
        ('model', 'other', 'read-only'),
        ('camera_pose', [1.0, 2.0], 'several'),
    ):
        result = put(name, value)
        assert not result.successful and words in result.reason, result


def test_diagnostics_list_every_component(graph, client):
    arrays = graph.subscribe(DiagnosticArray, '/diagnostics', qos.STATUS)
    graph.until(lambda: arrays, '/diagnostics')
    status = {s.name: s for s in arrays[-1].status}
    assert set(status) == {
        'kimi: model',
        'kimi: approval',
        'kimi: instructions',
        'kimi: camera front',
        'kimi: camera odd',
        'kimi: camera none',
    }
    assert status['kimi: model'].level == b'\0'
    assert status['kimi: camera none'].level == b'\2'
    assert 'queue_length' in {v.key for v in status['kimi: instructions'].values}
