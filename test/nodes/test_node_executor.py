"""From words to a moved thing over ROS: the simulated robot, the node with nano, the executor.

Every plan to pick or place waits for approval here, so that what is not approved can be seen to be
left alone.
"""

import json

import pytest
import yaml
from geometry_msgs.msg import PoseStamped
from rclpy.action import ActionClient
from std_msgs.msg import String
from std_srvs.srv import Trigger

from kimi_ros.nodes import qos
from kimi_ros.resources import share
from kimi_ros.sim import GLNotAvailable, Renderer, sample_scene

SEED = 2_000_001  # the ball lies in a black bowl
BALL, PAN = 'yellow ball', 'pink pan'
WORDS = {'en': f'put the {BALL} in the {PAN}', 'zh': '找到黄色的球'}
WAIT = 180.0  # seconds, an upper bound for a loaded machine


@pytest.fixture(scope='module')
def nodes(environment, start_shared, tmp_path_factory):
    actions = pytest.importorskip('kimi_msgs.action')
    if not hasattr(actions, 'ExecuteSkill'):
        pytest.skip('kimi_msgs is older than its sources: make setup')
    try:
        Renderer(64, 48).close()
    except GLNotAvailable as error:
        pytest.skip(f'no OpenGL here: {error}')
    skills = yaml.safe_load(share('config/skills.yaml').read_text())
    for skill in skills['skills']:
        if skill['name'] in ('pick', 'place'):
            skill['approval'] = 'always'
    file = tmp_path_factory.mktemp('skills') / 'skills.yaml'
    file.write_text(yaml.safe_dump(skills, allow_unicode=True))
    here, both = ('-r', '__ns:=/robot'), {'skills': str(file)}
    # Transforms are the graph's: the camera of other tests may still say where its frame is.
    sim_robot = {'seed': SEED, 'rate': 4.0, 'frame_id': 'robot_camera_optical'}
    return [
        start_shared('kimi_ros.nodes.sim_robot', sim_robot, *here),
        start_shared(
            'kimi_ros.nodes.kimi_node', both | {'max_frame_age': 5.0, 'frame_wait': 30.0}, *here
        ),
        start_shared('kimi_ros.nodes.executor_node', both | {'max_plan_age': 300.0}, *here),
    ]


class Table:
    """What is asked for, what is planned, and what the robot does."""

    def __init__(self, graph):
        from kimi_msgs.msg import ExecutionStatus, Plan

        self._graph = graph
        self.plans = graph.subscribe(Plan, '/robot/kimi/plan', qos.STATUS)
        self.told = graph.subscribe(ExecutionStatus, '/robot/executor/status', qos.STATUS)
        self.states = graph.subscribe(String, '/robot/sim/state', qos.LATCHED)
        self.words = graph.node.create_publisher(String, '/robot/instruction', qos.INSTRUCTIONS)
        self.as_kimi = graph.node.create_publisher(Plan, '/robot/kimi/plan', qos.LATCHED)
        graph.until(lambda: self.states and self.words.get_subscription_count(), 'nodes', WAIT)
        graph.until(lambda: self.as_kimi.get_subscription_count() >= 2, 'the executor', WAIT)

    @property
    def state(self):
        return json.loads(self.states[-1].data)

    def plan(self, words):
        """Give an instruction and return its plan."""
        before = len(self.plans)
        self.words.publish(String(data=words))
        self._graph.until(lambda: len(self.plans) > before, f'a plan for {words}', WAIT)
        return self.plans[-1]

    def status(self, plan, *names):
        """Return the executor's status of a plan once it is one of these."""
        from kimi_msgs.msg import ExecutionStatus

        wanted = [getattr(ExecutionStatus, name) for name in names]

        def found():
            return next((s for s in self.told if s.plan_id == plan.id and s.state in wanted), None)

        return self._graph.until(found, ' or '.join(names), WAIT)

    def approve(self, plan):
        from kimi_msgs.srv import Approve

        request = Approve.Request(id=plan.id, hash=plan.hash, approve=True, approver='test')
        response = self._graph.call(Approve, '/robot/kimi/approve', request)
        assert not response.error_code, response.error_msg


@pytest.fixture
def table(nodes, graph):
    from kimi_ros.nodes.client import KimiClient

    with KimiClient('robot/kimi') as client:
        client.wait_until_ready(WAIT, lambda: [node.check() for node in nodes])
    return Table(graph)


def test_forged_plan_is_refused(table):
    plan = table.plan(WORDS['en'])
    assert plan.approval == plan.APPROVAL_PENDING and len(plan.steps) == 2, plan.say
    assert 'not approved' in table.status(plan, 'REFUSED').text
    plan.id, plan.approval = 'forged', plan.APPROVAL_GRANTED
    plan.objects[0].position.x += 0.1
    table.as_kimi.publish(plan)
    assert 'hash' in table.status(plan, 'REFUSED').text
    assert table.state['skill'] == ''


def test_robot_told_to_stop_does_not_move(table, graph):
    plan = table.plan(WORDS['en'])
    table.approve(plan)
    table.status(plan, 'RUNNING')
    assert graph.call(Trigger, '/robot/executor/stop', Trigger.Request()).message == 'stopping'
    assert table.status(plan, 'STOPPED', 'SUCCEEDED').text == 'told to stop'
    assert table.state['skill'] == ''


def test_robot_says_what_it_cannot_do(table, graph):
    from kimi_msgs.action import ExecuteSkill

    client = ActionClient(graph.node, ExecuteSkill, '/robot/execute_skill')
    target = PoseStamped()
    target.header.frame_id = 'base_link'
    for skill, targets, reason in (
        ('wave', [target], 'not wave'),
        ('pick', [], 'without a target'),
    ):
        goal = ExecuteSkill.Goal(skill=skill, targets=targets)
        handle = graph.result(client.send_goal_async(goal), 'an answer')
        result = graph.result(handle.get_result_async(), 'the result').result
        assert result.error_code and reason in result.error_msg
    client.destroy()


def test_finding_needs_no_approval_and_moves_nothing(table):
    plan = table.plan(WORDS['zh'])
    assert plan.approval == plan.APPROVAL_NOT_NEEDED and [s.skill for s in plan.steps] == ['locate']
    assert table.status(plan, 'SUCCEEDED', 'FAILED').text == 'done'
    located = sample_scene(SEED, 'full').objects[table.state['located']]
    assert f'{located.color} {located.category}' == BALL and table.state['held'] == -1


def test_inactive_executor_takes_no_plans(table, graph):
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    def change(to):
        request = ChangeState.Request(transition=Transition(id=to))
        assert graph.call(ChangeState, '/robot/executor/change_state', request).success

    change(Transition.TRANSITION_DEACTIVATE)
    ignored = table.plan(WORDS['zh'])
    change(Transition.TRANSITION_ACTIVATE)
    plan = table.plan(WORDS['zh'])
    table.status(plan, 'SUCCEEDED')
    assert not [status for status in table.told if status.plan_id == ignored.id]


def test_approved_plan_puts_the_thing_where_it_was_asked_for(table, graph):
    plan = table.plan(WORDS['en'])
    assert 'not approved' in table.status(plan, 'REFUSED').text
    table.approve(plan)
    assert table.status(plan, 'SUCCEEDED', 'STOPPED', 'FAILED').text == 'done'
    steps = [s.text for s in table.told if s.plan_id == plan.id and s.step and s.text != 'done']
    assert steps == [f'pick {BALL}', f'place {BALL}, {PAN}']
    graph.until(lambda: table.state['skill'] == 'place', f'the end, not {table.state}')
    state, things = table.state, sample_scene(SEED, 'full').objects
    assert state['held'] == -1 and state['fallen'] == []
    moved = {
        (f'{thing.color} {thing.category}', f'{things[now].color} {things[now].category}')
        for thing, now in zip(things, state['supports'], strict=True)
        if thing.support != now
    }
    assert moved == {(BALL, PAN)}
