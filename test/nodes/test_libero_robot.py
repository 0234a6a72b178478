"""The node `libero_robot` with an arm without a simulator, in an environment that tells too much.

Where the extra is installed, test/cli/test_demo_robot.py has the benchmark's own.
"""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')
pytest.importorskip('kimi_msgs.action', reason='kimi_msgs is not built: make setup')

from geometry_msgs.msg import PoseStamped
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

from kimi_msgs.action import ExecuteSkill
from kimi_ros.nodes import qos
from kimi_ros.nodes.images import to_depth
from kimi_ros.nodes.libero_robot import JOINTS, LiberoRobot
from kimi_ros.nodes.transforms import TFMessage
from kimi_ros.sim.libero.robot import HEIGHT, WIDTH, Robot
from kimi_ros.sim.libero.skills import Held, Result

pytestmark = pytest.mark.skipif(
    'boxes' not in ExecuteSkill.Goal.get_fields_and_field_types(),
    reason='kimi_msgs is older than its sources: make setup',
)

EYE = np.array([0.5, 0.0, 1.0])  # where both cameras are, looking down on a bare table
NEAR, FAR = 0.01, 50.0
SECRET = 0.123456789  # where the milk is
FRAME = 'libero_camera_optical'
TOPICS = {'/tf': TFMessage, '/joint_states': JointState}
for camera in ('', 'wrist/'):
    TOPICS |= {f'/{camera}image': Image, f'/{camera}image/compressed': CompressedImage}
    TOPICS |= {f'/{camera}camera_info': CameraInfo, f'/{camera}depth/image': Image}


class Environment:
    """An arm without dynamics over a bare table."""

    def __init__(self):
        self.position = np.array([0.4, 0.0, 0.3])
        self.robots = [SimpleNamespace(base_pos=np.zeros(3))]
        self.env = SimpleNamespace(_get_observations=self.observation)
        self.sim = SimpleNamespace(
            render=self.render,
            data=SimpleNamespace(cam_xmat=np.eye(3).reshape(1, 9), cam_xpos=EYE[None]),
            model=SimpleNamespace(
                camera_name2id=lambda name: 0,
                cam_fovy=[45.0],
                vis=SimpleNamespace(map=SimpleNamespace(znear=NEAR, zfar=FAR)),
                stat=SimpleNamespace(extent=1.0),
            ),
        )

    def observation(self):
        return {
            'robot0_eef_pos': self.position,
            'robot0_eef_quat': np.array([1.0, 0, 0, 0]),
            'robot0_gripper_qpos': np.array([0.02, -0.02]),
            'robot0_joint_pos': np.arange(7.0),
            'milk_1_pos': np.full(3, SECRET),
            'object-state': np.full(14, SECRET),
        }

    def render(self, camera_name, width, height, depth):
        buffer = (1 - NEAR / EYE[2]) / (1 - NEAR / FAR)
        return np.zeros((height, width, 3), np.uint8), np.full((height, width), buffer)

    def step(self, action):
        self.position = self.position + 0.015 * action[:3]
        time.sleep(0.005)
        return self.observation(), 0.0, False, {}


class Simulator:
    def __init__(self):
        self._thread = ThreadPoolExecutor(1)
        self.environment = Environment()

    def begin(self, suite, task, state, step_limit, verdict):
        assert suite == 'libero_object' and not verdict
        return Robot(self.environment, step_limit or 500)

    def run(self, function):
        return self._thread.submit(function).result()

    def close(self):
        self._thread.shutdown()


@pytest.fixture
def robot(graph):
    # Frames of its own: nodes of other tests go on looking theirs up on /tf.
    frame = Parameter('frame_id', value=FRAME)
    node = LiberoRobot(Simulator(), context=graph.context, parameter_overrides=[frame])
    executor = node.make_executor()
    executor.add_node(node)
    spinner = Thread(target=executor.spin)
    spinner.start()
    yield node
    executor.shutdown()
    spinner.join()
    node.destroy_node()


@pytest.fixture
def client(robot, graph):
    client = ActionClient(graph.node, ExecuteSkill, 'execute_skill')
    graph.until(client.server_is_ready, 'the action')
    yield client
    client.destroy()


def goal(skill='pick', frame='base_link', stamp=0, boxes=()):
    target = PoseStamped()
    target.header.frame_id, target.header.stamp.sec = frame, stamp
    target.pose.position.x = 0.5
    return ExecuteSkill.Goal(
        skill=skill, labels=['milk'], targets=[target], boxes=[float(side) for side in boxes]
    )


def result_of(graph, client, sent):
    handle = graph.result(client.send_goal_async(sent), 'an answer')
    return graph.result(handle.get_result_async(), 'the result').result


def test_no_topic_tells_more_than_a_real_robot_would(robot, graph):
    published = robot.get_publisher_names_and_types_by_node('libero_robot', '/')
    own = {name for name, _ in published if '/_action/' not in name}
    assert own - {'/parameter_events', '/rosout'} == set(TOPICS)
    received = {name: graph.subscribe(kind, name, qos.STATUS) for name, kind in TOPICS.items()}
    graph.until(lambda: all(received.values()), 'a message on every topic')
    joints = received['/joint_states'][-1]
    assert tuple(joints.name) == JOINTS
    assert list(joints.position) == pytest.approx([*range(7), 0.02, 0.02])
    assert not joints.velocity and not joints.effort
    poses = {t.child_frame_id: t.transform.translation for t in received['/tf'][-1].transforms}
    assert set(poses) == {'hand', FRAME, f'wrist_{FRAME}'}
    assert [poses['hand'].x, poses['hand'].z] == pytest.approx([0.4, 0.3])
    assert poses[FRAME].z == 1.0
    assert to_depth(received['/depth/image'][-1]) == pytest.approx(1.0, abs=1e-3)
    assert received['/camera_info'][-1].width == WIDTH
    assert not [name for name in TOPICS if str(SECRET)[:8] in str(received[name][-1])[:9999]]


def test_a_skill_is_carried_out_shown_and_ends_where_the_arm_hides_nothing(robot, graph, client):
    infos = graph.subscribe(CameraInfo, '/camera_info', qos.STATUS)
    told = graph.subscribe(TFMessage, '/tf', qos.FEEDBACK)
    box = (WIDTH / 2 - 20, HEIGHT / 2 - 20, WIDTH / 2 + 20, HEIGHT / 2 + 20)
    graph.until(lambda: infos and told, 'a camera')
    result = result_of(graph, client, goal(boxes=box))
    assert result.error_code == result.FAILED
    assert result.error_msg == 'the fingers find no room'  # to grasp a bare table
    hands = [t for m in told for t in m.transforms if t.child_frame_id == 'hand']
    far = [hand.header.stamp for hand in hands if hand.transform.translation.x > 0.43]
    assert far
    assert robot._robot.arm.position == pytest.approx([0.4, 0, 0.3], abs=0.05)
    assert 'dance' in result_of(graph, client, goal('dance')).error_msg
    seen_in_motion = goal()
    seen_in_motion.targets[0].header.stamp = far[-1]
    assert 'look again' in result_of(graph, client, seen_in_motion).error_msg


@pytest.mark.parametrize(
    ('sent', 'reason'),
    [
        (goal(frame=FRAME), 'targets must be given in base_link'),
        (ExecuteSkill.Goal(skill='pick'), 'pick came without a target'),
        (goal(stamp=1), 'look again'),
        (goal(boxes=(1, 2)), '4 numbers a target'),
    ],
)
def test_what_cannot_be_carried_out_is_refused_before_the_arm_moves(
    robot, graph, client, sent, reason
):
    assert reason in result_of(graph, client, sent).error_msg
    assert robot._robot.steps == 0


@pytest.mark.parametrize(
    ('boxes', 'box'), [((1, 2, 3, 4), (1, 2, 3, 4)), ((math.nan,) * 4, None), ((), None)]
)
def test_a_target_without_a_box_is_a_free_spot(robot, graph, client, monkeypatch, boxes, box):
    given = []
    monkeypatch.setattr(
        robot._arm_executor, 'execute', lambda *arguments: given.append(arguments) or Result(True)
    )
    assert not result_of(graph, client, goal(boxes=boxes)).error_code
    ((skill, (target,)),) = given
    assert skill == 'pick' and target.box == box
    assert target.point == pytest.approx([0.5, 0, 0]) and target.frame.depth.shape[1] == WIDTH


def test_a_cancelled_skill_stops_between_two_control_steps(robot, graph, client):
    handle = graph.result(client.send_goal_async(goal()), 'an answer')
    graph.until(lambda: robot._robot.steps > 2, 'motion')
    graph.result(handle.cancel_goal_async(), 'cancelling')
    result = graph.result(handle.get_result_async(), 'the result').result
    assert 'cancelled: the arm stands still' in result.error_msg
    steps = robot._robot.steps
    assert steps < 60
    time.sleep(0.2)
    assert robot._robot.steps == steps


def test_what_is_held_is_still_held_when_placing_is_stopped(robot, monkeypatch):
    from kimi_ros.nodes.skill_server import SkillStopped
    from kimi_ros.sim.libero import skills

    def stopped(*_):
        raise SkillStopped('here')

    monkeypatch.setattr(skills, 'place', stopped)
    executor = robot._arm_executor
    executor.held = Held(np.zeros(3), 0.0, np.ones(3))
    with pytest.raises(SkillStopped):
        executor.execute('place', [None])
    assert executor.held is not None
