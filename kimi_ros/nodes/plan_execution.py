"""Carrying out one plan: its steps, one after the other, and a look at the scene after each."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Event
from typing import Protocol

from builtin_interfaces.msg import Time

from kimi_msgs.msg import GroundedObject, PlanStep
from kimi_msgs.msg import Plan as PlanMessage
from kimi_ros.nodes.executor_checks import Position, held_after, put_on, unseen_effect
from kimi_ros.nodes.targets import has_position

Objects = Sequence[GroundedObject]


class StoppedError(Exception):
    """Carrying out the plan was called off; the message says why."""


class FailedError(Exception):
    """A step failed, or the scene is not what the rest of the plan expects."""


class Robot(Protocol):
    """What carries out steps."""

    def carry_out(
        self, step: PlanStep, objects: Objects, stamps: Mapping[str, Time], stop: Stop
    ) -> None:
        """Do one step; raises StoppedError, once the robot has stopped, or FailedError.

        :param objects: of the step, in order.
        :param stamps: by object, of the images that they were seen in.
        """


class Stop:
    """A request to stop, with its reason. Thread-safe."""

    def __init__(self) -> None:
        self._event = Event()
        self._reason = ''

    def set(self, reason: str) -> None:
        """Ask to stop; the first reason counts."""
        self._reason = self._reason or reason
        self._event.set()

    def check(self) -> None:
        """Raise StoppedError if it was asked for."""
        if self._event.is_set():
            raise StoppedError(self._reason)

    def wait(self, seconds: float) -> None:
        """Wait, unless it is or was asked for."""
        self._event.wait(seconds)


class PlanExecution:
    """One plan that is, or is about to be, carried out.

    :ivar plan: the kimi_msgs/Plan.
    :ivar stop: set to call it off, from any thread.
    :ivar step: number of the step that is being carried out, from 1; 0 before.
    """

    def __init__(
        self,
        plan: PlanMessage,
        robot: Robot,
        find: Callable[[PlanMessage, Objects, Stop], tuple[Time, Objects]] | None,
        max_move: float,
    ):
        """Take what is needed.

        :param find: returns the stamp of a new image and those of the objects that are in it; None
            does not look again.
        :param max_move: metres that an object may be away from where it was before.
        """
        self.plan = plan
        self.stop = Stop()
        self.step = 0
        self._robot = robot
        self._find = find
        self._max_move = max_move
        self._objects = {item.id: item for item in plan.objects}
        self._stamps = dict.fromkeys(self._objects, plan.header.stamp)

    def run(self, on_step: Callable[[str], None]) -> None:
        """Carry out all steps.

        :param on_step: called as each begins with what it is, in words.
        :raises StoppedError: it was called off.
        :raises FailedError: nothing more can be done.
        """
        for number, step in enumerate(self.plan.steps, 1):
            self.stop.check()
            self.step = number
            objects = [self._objects[i] for i in step.object_ids]
            on_step(f'{step.skill} {", ".join(item.label for item in objects)}'.rstrip())
            self._robot.carry_out(step, objects, self._stamps, self.stop)
            if self._find is not None:
                self._look_again(step)

    def _look_again(self, step: PlanStep) -> None:
        """Check what the step should have done, and take the positions of what is to come."""
        steps = self.plan.steps
        held = held_after(done.expected_effect for done in steps[: self.step])
        later = {i for rest in steps[self.step :] for i in rest.object_ids} - held
        before = _positions(self._objects.values())
        expected = before | put_on(step.expected_effect, before)
        asked = [
            _moved(item, expected[i])
            for i, item in self._objects.items()
            if i in expected and i in later.union(step.object_ids) and not _is_free_place(item)
        ]
        if not asked:
            return
        assert self._find is not None
        stamp, seen = self._find(self.plan, asked, self.stop)
        # A position in another frame is no newer one of the same place.
        seen = [o for o in seen if o.position_frame == self._objects[o.id].position_frame]
        now = _positions(seen)
        if wrong := unseen_effect(step.expected_effect, before, now):
            raise FailedError(f'{step.skill} did not have its effect: {wrong}')
        for item in asked:
            if item.id not in later:
                continue
            if item.id not in now:
                raise FailedError(f'{item.label} is not in view any more')
            if (apart := math.dist(now[item.id], expected[item.id])) > self._max_move:
                raise FailedError(f'{item.label} is {apart:.2f} m from where it was')
        # What is done with need not be where a thing of the same name is now.
        self._objects |= {item.id: item for item in seen if item.id in later}
        self._stamps |= {item.id: stamp for item in seen if item.id in later}


def _positions(objects: Iterable[GroundedObject]) -> dict[str, Position]:
    return {
        item.id: (item.position.x, item.position.y, item.position.z)
        for item in objects
        if has_position(item)
    }


def _moved(item: GroundedObject, position: Position) -> GroundedObject:
    moved = copy.deepcopy(item)
    moved.position.x, moved.position.y, moved.position.z = position
    return moved


def _is_free_place(item: GroundedObject) -> bool:
    """Tell whether it is a place without a thing, which cannot be looked for."""
    return math.isnan(item.box[0])
