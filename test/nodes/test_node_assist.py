"""The node `assist` beside `kimi`: a hand that follows its words; loss; narration; parameters."""

import re
import time

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')
pytest.importorskip('kimi_msgs.srv', reason='kimi_msgs is not built: make setup')

from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402
from visualization_msgs.msg import Marker, MarkerArray  # noqa: E402

from kimi_msgs.srv import Locate  # noqa: E402
from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.images import fill_image  # noqa: E402

WIDTH, HEIGHT, FOCAL = 320, 240, 300.0
HAND = 0.3  # metres before the camera
LEVEL = [0.0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1]  # optical frame -> base frame
SPEED = 0.4  # metres a second
WAIT = 240.0  # seconds, on a loaded machine
WAYS = {'right': (0, 1), 'left': (0, -1), 'down': (1, 1), 'up': (1, -1), 'forward': (2, 1),
        'back': (2, -1), '右': (0, 1), '左': (0, -1), '下': (1, 1), '上': (1, -1), '前': (2, 1),
        '后': (2, -1)}  # fmt: skip


class HeldCamera:
    """A camera in a hand, which sees a bright square and moves as it is told.

    :ivar target: of the square in the optical frame, metres; None: it is not there.
    """

    def __init__(self, graph, namespace, target, side=0.09):
        self.target = None if target is None else np.array(target, float)
        self._left = np.zeros(3)
        self._graph, self._side = graph, side
        node = graph.node
        self._publishers = {
            topic: node.create_publisher(kind, f'/{namespace}/{topic}', qos.IMAGES)
            for topic, kind in (
                ('image', Image),
                ('depth/image', Image),
                ('camera_info', CameraInfo),
            )
        }
        rng = np.random.default_rng(1)
        self._wall = rng.integers(0, 110, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        self._wall = cv2.resize(self._wall, (WIDTH, HEIGHT))
        self._square = rng.integers(130, 240, (9, 9, 3), np.uint8)
        self._square[4, 4] = 255  # which the scripted model finds
        self._latest = time.monotonic()

    def hear(self, sentence):
        """Follow a sentence literally."""
        for pattern in (r'(?P<n>\d+) centimetres? (?P<way>\w+)\.', r'向(?P<way>.)(?P<n>\d+)厘米。'):
            if found := re.search(pattern, sentence):
                axis, sign = WAYS[found['way']]
                self._left[axis] += sign * int(found['n']) / 100

    def publish(self):
        """Move on, and publish what is seen, at most ten times a second."""
        now = time.monotonic()
        passed = now - self._latest
        if passed < 0.1:
            return
        self._latest = now
        size = np.linalg.norm(self._left)
        step = self._left * min(1.0, SPEED * passed / size) if size else self._left
        self._left = self._left - step
        if self.target is not None:
            self.target = self.target - step
        rgb, depth = self._render()
        stamp = self._graph.node.get_clock().now().to_msg()
        info = CameraInfo(width=WIDTH, height=HEIGHT)
        info.k = [FOCAL, 0.0, WIDTH / 2, 0.0, FOCAL, HEIGHT / 2, 0.0, 0.0, 1.0]
        messages = {'image': fill_image(Image(), rgb, 'rgb8'), 'camera_info': info}
        messages['depth/image'] = fill_image(Image(), depth, '32FC1')
        for topic, message in messages.items():
            message.header.stamp, message.header.frame_id = stamp, 'held_optical'
            self._publishers[topic].publish(message)

    def _render(self):
        rgb, depth = self._wall.copy(), np.full((HEIGHT, WIDTH), 3.0, np.float32)
        if self.target is None:
            return rgb, depth
        x, y, z = self.target
        u, v, half = (
            FOCAL * x / z + WIDTH / 2,
            FOCAL * y / z + HEIGHT / 2,
            FOCAL * self._side / 2 / z,
        )
        matrix = np.array([[2 * half / 9, 0, u - half], [0, 2 * half / 9, v - half]])
        size = (WIDTH, HEIGHT)
        inside = cv2.warpAffine(np.ones((9, 9), np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
        square = cv2.warpAffine(self._square, matrix, size, flags=cv2.INTER_NEAREST)
        rgb[inside > 0], depth[inside > 0] = square[inside > 0], z
        return rgb, depth

    def until(self, done, what, timeout=WAIT):
        """Publish until something has come."""
        deadline = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < deadline, f'waited {timeout} s for {what()}'
            self.publish()
            self._graph.spin_once()


class Assist:
    """What the node says and draws."""

    def __init__(self, graph, namespace):
        self._graph, self._name = graph, f'/{namespace}/assist'
        self.said = graph.subscribe(String, f'{self._name}/say', qos.STATUS)
        self.hazards = graph.subscribe(String, f'{self._name}/hazard', qos.STATUS)
        self.states = graph.subscribe(String, f'{self._name}/state', qos.LATCHED)
        self._requests = graph.node.create_publisher(
            String, f'{self._name}/request', qos.INSTRUCTIONS
        )
        graph.until(self._requests.get_subscription_count, 'the node assist', WAIT)

    def ask(self, text):
        self._requests.publish(String(data=text))

    def set(self, **values):
        request = SetParameters.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        )
        results = self._graph.call(SetParameters, f'{self._name}/set_parameters', request).results
        return [r.reason for r in results if not r.successful]

    def texts(self):
        return [m.data for m in self.said]

    def end(self):
        assert self._graph.call(Trigger, f'{self._name}/stop', Trigger.Request(), True).success


@pytest.fixture(scope='module')
def nodes(start_shared, tmp_path_factory):
    """The scripted node and the node assist."""
    things = tmp_path_factory.mktemp('things') / 'things.yaml'
    things.write_text('- {en: bright knife, zh: 亮的刀, hazard: true}', encoding='utf-8')
    kimi = start_shared('scripted_node', {'max_frame_age': 5.0}, '-r', '__ns:=/held')
    assist = start_shared(
        'kimi_ros.nodes.assist_node',
        {
            'camera_pose': [float(v) for v in LEVEL],
            'hand': [0.0, 0.0, HAND],
            'max_frame_age': 5.0,
            'things': str(things),
        },
        '-r',
        '__ns:=/held',
    )

    def check():
        kimi.check()
        assist.check()

    return check


@pytest.fixture
def assist(nodes, graph):
    nodes()
    assist = Assist(graph, 'held')
    assert assist.set(language='en') == []
    yield assist
    assist.end()
    nodes()


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_hand_that_follows_the_words_reaches_the_thing(assist, graph, language):
    camera = HeldCamera(graph, 'held', (-0.08, 0.0, 0.5))
    markers = graph.subscribe(MarkerArray, '/held/assist/markers', qos.STATUS)
    pictures = graph.subscribe(CompressedImage, '/held/assist/annotated/compressed', qos.CAMERA)
    locate = graph.node.create_client(Locate, '/held/kimi/locate')
    camera.until(locate.service_is_ready, lambda: 'kimi')
    if language == 'en':
        assist.ask('Help me find the bright knife.')
    else:  # the scripted model knows no Chinese name
        assert assist.set(language='zh', target='bright knife') == []
        assert assist.set(mode='guide') == []
    heard, times = 0, []

    def reached():
        nonlocal heard
        for text in assist.texts()[heard:]:
            camera.hear(text)
            times.append(time.monotonic())
        heard = len(assist.said)
        return any(state.data == 'reached' for state in assist.states)

    camera.until(reached, lambda: f'the thing; it said {assist.texts()}')
    texts = assist.texts()
    assert np.linalg.norm(camera.target - (0, 0, HAND)) < 0.025, (camera.target, texts)
    assert ('under your hand' if language == 'en' else '在你手下') in texts[-1]
    moves = [t for t in texts if re.search(r'centimetres? \w+\.|向.\d+厘米', t)]
    assert len(moves) >= 2
    assert min(np.diff(times[:-1])) > 0.9  # 1.5 s, less what the way here differs by
    assert any(m.type == Marker.ARROW for array in markers for m in array.markers)
    assert all(m.header.frame_id == 'held_optical' for m in markers[-1].markers)
    picture = cv2.imdecode(np.frombuffer(pictures[-1].data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (HEIGHT, WIDTH, 3)


def test_loss_is_said_and_guidance_goes_on_when_the_thing_is_back(assist, graph):
    camera = HeldCamera(graph, 'held', (0.1, 0.0, 0.6))
    assert assist.set(target='bright knife') == [] and assist.set(mode='guide') == []
    camera.until(lambda: assist.said, lambda: 'a sentence')
    assert 'bright knife' in assist.texts()[0].lower()
    assist.ask('What is on my left?')
    camera.until(
        lambda: 'Ask again when the guidance has ended.' in assist.texts(), lambda: 'a refusal'
    )
    target, camera.target = camera.target, np.array((5.0, 0.0, 0.6))  # out of the image
    camera.until(
        lambda: 'lost sight' in assist.texts()[-1], lambda: f'the loss; it said {assist.texts()}'
    )
    lost = len(assist.said)
    camera.target = target
    camera.until(lambda: assist.states[-1].data == 'guiding', lambda: 'the thing again')
    camera.until(lambda: len(assist.said) > lost, lambda: 'a sentence')


def test_narration_names_what_is_near_and_answers_in_between(assist, graph):
    camera = HeldCamera(graph, 'held', (0.0, 0.0, 3.0), side=0.6)
    assert assist.set(mode='narrate') == []
    camera.until(lambda: assist.hazards, lambda: f'a hazard; it said {assist.texts()}')
    assert 'neither cane nor dog' in assist.texts()[0]  # at the start, before anything else
    # The camera is level and sees no floor: no side is called free.
    assert assist.hazards[0].data == 'Bright knife, ahead, 3 metres; sides not checked.'
    assert assist.set(units='steps', clock=True) == []
    told = len(assist.hazards)
    camera.target = np.array((0.0, 0.0, 0.85))
    camera.until(
        lambda: len(assist.hazards) > told,
        lambda: f'the hazard at hand; it said {[m.data for m in assist.hazards]}',
    )
    assert assist.hazards[-1].data == "Bright knife, twelve o'clock; stop."
    said = len(assist.said)
    assist.ask('What is on my left?')
    camera.until(lambda: len(assist.said) > said, lambda: 'an answer')
    assert 'nothing there' in assist.texts()[-1]
    assert assist.set(units='metres', clock=False) == []


@pytest.mark.parametrize('word', ['stop', '停'])
def test_stop_word_ends_narration(assist, graph, word):
    camera = HeldCamera(graph, 'held', (0.0, 0.0, 3.0), side=0.6)
    assert assist.set(mode='narrate') == []

    def latest():
        return [state.data for state in assist.states][-1:]

    camera.until(lambda: latest() == ['narrating'], lambda: 'narration')
    assist.ask(word)
    camera.until(lambda: latest() == ['off'], lambda: 'the end')


def test_question_while_narration_is_off(assist, graph):
    camera = HeldCamera(graph, 'held', (0.0, 0.0, 1.5), side=0.6)
    began = time.monotonic()  # until no image of another test is young enough (max_frame_age)
    camera.until(lambda: time.monotonic() - began > 6.0, lambda: 'images')
    assist.ask('前面有什么？')
    camera.until(lambda: assist.said, lambda: 'an answer')
    assert assist.texts() == ['亮的刀，正前方，1.5米。']


def test_question_without_kimi_is_not_answered_with_nothing(start_shared, graph):
    start_shared('kimi_ros.nodes.assist_node', {'max_frame_age': 5.0}, '-r', '__ns:=/alone')
    assist, camera = Assist(graph, 'alone'), HeldCamera(graph, 'alone', (0.0, 0.0, 1.5))
    assist.ask('What is in front of me?')
    camera.until(lambda: assist.said, lambda: 'an answer')
    assert assist.texts() == ['I cannot tell: the model has not answered.']


def test_parameters_and_requests_that_make_no_sense_say_why(assist, graph):
    assert assist.set(target='') == []
    (reason,) = assist.set(mode='guide')
    assert 'needs target' in reason
    (reason,) = assist.set(units='feet')
    assert 'metres, steps' in reason
    assist.ask('sing a song')
    graph.until(lambda: assist.said, 'an answer', WAIT)
    assert 'help me find' in assist.texts()[-1]
