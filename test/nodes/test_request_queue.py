"""The request queue: order, capacity, cancellation."""

import threading

import pytest

from kimi_ros.nodes.codes import ErrorCode, RequestError
from kimi_ros.nodes.request_queue import RequestQueue

WAIT = 30


class Request(threading.Thread):
    """A request that is processed until `go` is set."""

    def __init__(self, queue, order):
        super().__init__(daemon=True)
        self._queue, self._order = queue, order
        self.cancel = threading.Event()
        self.active, self.go, self.done = (threading.Event() for _ in range(3))
        self.code = None

    def run(self):
        try:
            with self._queue.track(self.cancel) as cancel, self._queue.acquire(cancel):
                self._order.append(self)
                self.active.set()
                while not (self.go.wait(0.01) or cancel.is_set()):
                    pass
        except RequestError as error:
            self.code = error.code
        self.done.set()


@pytest.fixture
def submit():
    queue, order, requests = RequestQueue(2), [], []

    def submit_one():
        request = Request(queue, order)
        requests.append(request)
        request.start()
        return request

    yield queue, order, submit_one
    for request in requests:
        request.go.set()


def until(condition):
    waiting = threading.Event()
    for _ in range(WAIT * 100):
        if condition():
            return
        waiting.wait(0.01)
    pytest.fail('timeout')


def test_requests_are_processed_in_order_and_the_excess_is_rejected(submit):
    queue, order, submit_one = submit
    first = submit_one()
    assert first.active.wait(WAIT)
    second = submit_one()
    until(lambda: queue.length == 2)
    third = submit_one()
    until(lambda: queue.length == 3)
    fourth = submit_one()
    assert fourth.done.wait(WAIT) and fourth.code is ErrorCode.BUSY and queue.rejected == 1
    assert not second.active.is_set()
    for request in (first, second, third):
        assert request.active.wait(WAIT)
        request.go.set()
        assert request.done.wait(WAIT)
    assert order == [first, second, third] and queue.length == 0 and queue.completed == 3


def test_cancel_while_waiting_and_while_active(submit):
    queue, order, submit_one = submit
    first = submit_one()
    assert first.active.wait(WAIT)
    second = submit_one()
    until(lambda: queue.length == 2)
    queue.cancel(second.cancel)
    assert second.done.wait(WAIT) and second.code is ErrorCode.CANCELLED
    assert queue.cancel_all() == 1
    assert first.done.wait(WAIT) and queue.length == 0


def test_failed_request_leaves_the_queue():
    queue = RequestQueue(0)
    with pytest.raises(ValueError), queue.acquire(threading.Event()):
        raise ValueError
    assert queue.length == 0 and queue.completed == 0


def test_registered_request_can_be_cancelled_before_it_runs():
    queue, cancel = RequestQueue(2), threading.Event()
    queue.register(cancel)
    assert queue.cancel_all() == 1 and cancel.is_set()
    with pytest.raises(RequestError) as caught, queue.track(cancel), queue.acquire(cancel):
        pass
    assert caught.value.code is ErrorCode.CANCELLED and queue.cancel_all() == 0
