"""How a camera's messages are taken: as they come, or, of a fast camera, when they are wanted.

rclpy copies each message that it takes and keeps the interpreter meanwhile, about a millisecond for
each megabyte. Of a camera of 1080p at 60 Hz with depth, that is most of a core for images that
nobody looks at. So such a camera's subscriptions rest: executors leave them out, and the
middleware keeps the newest message of each. Who wants a frame takes these, and then what comes
until it is there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from time import monotonic
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.subscription import Subscription

_EVENTS: Any
try:
    from rclpy import event_handler as _EVENTS
except ImportError:  # Humble
    _EVENTS = None

_FAST_RATE = 45.0  # images a second
_FAST_BYTES = 150e6  # a second: about a seventh of a core


def is_fast(rate: float, size: int) -> bool:
    """Return whether taking all of a camera's messages costs too much.

    :param rate: images a second.
    :param size: bytes of an image, with its depth.
    """
    return rate > _FAST_RATE or rate * size > _FAST_BYTES


class IntakeGroup(MutuallyExclusiveCallbackGroup):
    """A callback group whose subscriptions may rest: executors do not wait for them."""

    def __init__(self) -> None:
        """Create a group in which nothing rests."""
        super().__init__()
        self._resting: frozenset[Any] = frozenset()

    def can_execute(self, entity: Any) -> bool:
        """Return False for subscriptions that rest, and where another callback runs."""
        return entity not in self._resting and super().can_execute(entity)

    def rest(self, entities: Iterable[Any]) -> None:
        """Leave these out from now on."""
        self._resting |= frozenset(entities)

    def resume(self, entities: Iterable[Any]) -> None:
        """Wait for these again, from when the executor looks next."""
        self._resting -= frozenset(entities)


class Intake:
    """Takes the messages of one camera. Thread-safe.

    :ivar paced: messages are taken only when they are wanted.
    """

    def __init__(self, node: Node, group: IntakeGroup):
        """Create an intake without subscriptions, which takes all messages.

        :param group: of the subscriptions.
        """
        self.paced = False
        self._node = node
        self._group = group
        self._lock = Lock()
        self._subscriptions: list[tuple[Subscription[Any], Callable[..., None]]] = []
        self._resting = False
        self._wanted = 0
        self._wanted_at = float('-inf')  # monotonic seconds

    def add(self, subscription: Subscription[Any], callback: Callable[..., None]) -> None:
        """Add a subscription; `callback(message, info)` is the one it was created with."""
        self._subscriptions.append((subscription, callback))

    def pace(self, paced: bool) -> None:
        """Take messages only when they are wanted, or all of them again.

        Where a user has asked for a queue, all are taken: it is not to fill up meanwhile.
        """
        with self._lock:
            self.paced = paced and all(s.qos_profile.depth == 1 for s, _ in self._subscriptions)
            self._apply()

    @contextlib.contextmanager
    def wanted(self) -> Iterator[bool]:
        """Take what has arrived, and all that arrives until the end; yields whether it is paced."""
        with self._lock:
            if self.paced and not self._wanted:
                self._take_arrived()
            self._wanted += 1
            self._wanted_at = monotonic()
            self._apply()
            paced = self.paced
        try:
            yield paced
        finally:
            with self._lock:
                self._wanted -= 1
                self._apply()

    def idle_for(self, seconds: float) -> bool:
        """Return whether messages rest, and none were wanted for so long."""
        return self.paced and not self._wanted and monotonic() - self._wanted_at > seconds

    def destroy(self) -> None:
        """Unsubscribe."""
        with self._lock:
            self._group.resume(self._entities())
            for subscription, _ in self._subscriptions:
                self._node.destroy_subscription(subscription)
            self._subscriptions.clear()

    def _apply(self) -> None:
        resting = self.paced and not self._wanted
        if resting == self._resting:
            return
        self._resting = resting
        (self._group.rest if resting else self._group.resume)(self._entities())
        if (executor := self._node.executor) is not None:
            executor.wake()  # it waits with the others

    def _entities(self) -> list[Any]:
        """Return the subscriptions, and their events: these wake an executor with each message."""
        subscriptions = [subscription for subscription, _ in self._subscriptions]
        return subscriptions + [event for s in subscriptions for event in s.event_handlers]

    def _take_arrived(self) -> None:
        """Take the message of each subscription that the middleware keeps, as an executor does."""
        for subscription, callback in self._subscriptions:
            try:
                with subscription.handle:
                    taken = subscription.handle.take_message(
                        subscription.msg_type, subscription.raw
                    )
            except InvalidHandle:  # destroyed
                continue
            if taken is not None:
                callback(*taken)


class LossCounter:
    """Counts the messages that a subscription has lost, as the middleware reports. Thread-safe.

    No executor waits for these reports, since it would be woken by each message: they are read
    when they are asked for.

    :ivar supported: the middleware reports losses.
    """

    def __init__(self, node: Node, subscription: Subscription[Any]):
        """Begin to count the losses of a subscription, which must outlive this."""
        self._context = node.context
        self._lock = Lock()
        self._event: Any = None
        if _EVENTS is not None:
            with contextlib.suppress(_EVENTS.UnsupportedEventTypeError):
                self._event = _EVENTS.EventHandler(
                    callback_group=ReentrantCallbackGroup(),
                    callback=lambda _: None,
                    event_type=_EVENTS.QoSSubscriptionEventType.RCL_SUBSCRIPTION_MESSAGE_LOST,
                    parent_impl=subscription.handle,
                )
        self.supported = self._event is not None

    def take(self) -> int:
        """Return how many messages were lost since the last call."""
        with self._lock:
            if self._event is None:
                return 0
            context: Any = self._context.handle
            with context, self._event:
                wait_set = rclpy_implementation.WaitSet(0, 0, 0, 0, 0, 1, context)
                wait_set.clear_entities()
                self._event.add_to_wait_set(wait_set)
                wait_set.wait(0)
                report = self._event.take_data() if self._event.is_ready(wait_set) else None
            return report.total_count_change if report is not None else 0

    def destroy(self) -> None:
        """Count no more."""
        with self._lock:
            if self._event is not None:
                self._event.destroy()
            self._event = None
