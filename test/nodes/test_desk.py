"""One at a time, few in line, the rest turned away."""

import threading

import pytest

from kimi_ros.nodes.codes import Code, NodeError
from kimi_ros.nodes.desk import Desk

WAIT = 30


class Visitor(threading.Thread):
    """Comes to the desk and stays there until it is told to go."""

    def __init__(self, desk, order):
        super().__init__(daemon=True)
        self._desk, self._order = desk, order
        self.cancel = threading.Event()
        self.served, self.go, self.done = (threading.Event() for _ in range(3))
        self.code = None

    def run(self):
        try:
            with self._desk.errand(self.cancel) as cancel, self._desk.turn(cancel):
                self._order.append(self)
                self.served.set()
                while not (self.go.wait(0.01) or cancel.is_set()):
                    pass
        except NodeError as error:
            self.code = error.code
        self.done.set()


@pytest.fixture
def visit():
    desk, order, visitors = Desk(2), [], []

    def come():
        visitor = Visitor(desk, order)
        visitors.append(visitor)
        visitor.start()
        return visitor

    yield desk, order, come
    for visitor in visitors:
        visitor.go.set()


def until(condition):
    waiting = threading.Event()
    for _ in range(WAIT * 100):
        if condition():
            return
        waiting.wait(0.01)
    pytest.fail('waited in vain')


def test_served_one_by_one_in_order_and_the_rest_turned_away(visit):
    desk, order, come = visit
    first = come()
    assert first.served.wait(WAIT)
    second = come()
    until(lambda: desk.length == 2)
    third = come()
    until(lambda: desk.length == 3)
    fourth = come()
    assert fourth.done.wait(WAIT) and fourth.code is Code.BUSY and desk.turned_away == 1
    assert not second.served.is_set()
    for visitor in (first, second, third):
        assert visitor.served.wait(WAIT)
        visitor.go.set()
        assert visitor.done.wait(WAIT)
    assert order == [first, second, third] and desk.length == 0 and desk.served == 3


def test_stopped_in_line_and_at_the_desk(visit):
    desk, order, come = visit
    first = come()
    assert first.served.wait(WAIT)
    second = come()
    until(lambda: desk.length == 2)
    desk.stop(second.cancel)
    assert second.done.wait(WAIT) and second.code is Code.CANCELLED
    assert desk.stop_all() == 1
    assert first.done.wait(WAIT) and desk.length == 0


def test_failed_errand_leaves_the_line():
    desk = Desk(0)
    with pytest.raises(ValueError), desk.turn(threading.Event()):
        raise ValueError
    assert desk.length == 0 and desk.served == 0


def test_errand_that_has_begun_can_be_stopped_before_it_is_run():
    desk, cancel = Desk(2), threading.Event()
    desk.begin(cancel)
    assert desk.stop_all() == 1 and cancel.is_set()
    with pytest.raises(NodeError) as caught, desk.errand(cancel), desk.turn(cancel):
        pass
    assert caught.value.code is Code.CANCELLED and desk.stop_all() == 0
