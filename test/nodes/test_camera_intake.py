"""Messages of a fast camera are taken when they are wanted, not as they come."""

import threading
import time

import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from std_msgs.msg import Int32  # noqa: E402

from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.camera_intake import Intake, IntakeGroup, is_fast  # noqa: E402


class Stream:
    """A topic, its intake, and what was taken from it."""

    def __init__(self, graph):
        self.graph, self.taken, self.group = graph, [], IntakeGroup()
        node, topic = graph.node, f'numbers_{time.monotonic_ns()}'
        self.intake = Intake(node, self.group)
        subscription = node.create_subscription(
            Int32, topic, self.take, qos.CAMERA, callback_group=self.group
        )
        self.intake.add(subscription, self.take)
        self.publisher = node.create_publisher(Int32, topic, qos.IMAGES)
        graph.until(self.publisher.get_subscription_count, 'the subscription')

    def take(self, message, info):
        self.taken.append((message.data, info['publication_sequence_number']))

    def send(self, *numbers):
        for number in numbers:
            self.publisher.publish(Int32(data=number))
        time.sleep(0.2)

    def spin(self):
        for _ in range(5):
            self.graph.spin_once()

    @property
    def numbers(self):
        return [number for number, _ in self.taken]


@pytest.fixture
def stream(graph):
    return Stream(graph)


def test_messages_are_taken_as_they_come_until_paced(stream):
    stream.send(1)
    stream.spin()
    stream.intake.pace(True)
    stream.send(2, 3, 4)
    stream.spin()
    assert stream.numbers == [1]
    stream.intake.pace(False)
    stream.spin()
    assert stream.numbers == [1, 4]


def test_who_wants_a_message_gets_the_newest_and_those_that_follow(stream):
    stream.intake.pace(True)
    stream.send(1, 2, 3)
    with stream.intake.wanted() as paced:
        assert paced and stream.numbers == [3]
        stream.send(4)
        stream.spin()
        with stream.intake.wanted():  # another request
            pass
        stream.send(5)
        stream.spin()
    stream.send(6)
    stream.spin()
    assert stream.numbers == [3, 4, 5]
    assert [counted for _, counted in stream.taken] == [3, 4, 5]


def test_messages_that_rest_do_not_wake_the_executor(stream, monkeypatch):
    stream.intake.pace(True)
    stream.spin()
    asked, can_execute = [], stream.group.can_execute

    def asking(entity):
        asked.append(entity)
        return can_execute(entity)

    monkeypatch.setattr(stream.group, 'can_execute', asking)
    sender = threading.Timer(0.1, lambda: [stream.send(n) for n in range(5)])
    sender.start()
    stream.graph.spin_once(2.0)
    sender.join()
    assert len(asked) < 3 * len(set(asked)) and not stream.numbers


def test_time_since_messages_were_wanted(stream):
    assert not stream.intake.idle_for(0.0)  # all are taken
    stream.intake.pace(True)
    assert stream.intake.idle_for(1000.0)
    with stream.intake.wanted():
        assert not stream.intake.idle_for(0.0)
    assert stream.intake.idle_for(0.0) and not stream.intake.idle_for(1000.0)


def test_queue_of_a_user_is_not_left_to_fill_up(graph):
    group = IntakeGroup()
    intake = Intake(graph.node, group)
    subscription = graph.node.create_subscription(
        Int32, 'queue', lambda message, info: None, 10, callback_group=group
    )
    intake.add(subscription, print)
    intake.pace(True)
    assert not intake.paced and group.can_execute(subscription)


def test_destroyed_intake_can_be_wanted(stream):
    stream.intake.pace(True)
    stream.intake.destroy()
    with stream.intake.wanted():
        pass
    assert stream.numbers == []


@pytest.mark.parametrize(
    ('rate', 'width', 'height', 'depth', 'fast'),
    [
        (30, 640, 480, 4, False),
        (30, 1280, 720, 2, False),
        (10, 1920, 1080, 4, False),
        (60, 640, 480, 0, True),
        (30, 1920, 1080, 0, True),
    ],
)
def test_which_cameras_are_fast(rate, width, height, depth, fast):
    assert is_fast(rate, width * height * (3 + depth)) is fast
