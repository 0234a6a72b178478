"""A simulated robot: it acts on the full world by position alone; its final state is checked.

It knows no names: it handles the object whose surface is nearest to the given point, within
`MAX_GRASP_DISTANCE`. There are no dynamics: what is disturbed falls, and is reported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from kimi_ros.sim.footprint import footprint_distance, is_on_table
from kimi_ros.sim.full.detailed_object import DetailedObject
from kimi_ros.sim.full.object_classes import CONTAINERS, FLAT_TOPS, NOMINAL_SIZES, PEOPLE
from kimi_ros.sim.full.surface import surface_distance
from kimi_ros.sim.projection import deproject
from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.scene import Scene

MAX_GRASP_DISTANCE = 0.02
"""Metres between a given point and an object's surface at which the hand still finds it."""


@dataclasses.dataclass(frozen=True)
class ActionResult:
    """The result of an action: success, the reason of a failure, and the object's index."""

    succeeded: bool
    reason: str = ''
    index: int = -1


@dataclasses.dataclass(frozen=True)
class Goal:
    """The wanted final state.

    :ivar skill: 'pick', 'place', 'locate' or 'none' (nothing may be touched, or pointed at).
    :ivar things: indices of the objects any of which is meant.
    :ivar targets: for 'place': indices of the places any of which is meant.
    """

    skill: str
    things: tuple[int, ...] = ()
    targets: tuple[int, ...] = ()


class SimulatedRobot:
    """The state of a scene while a robot acts on it.

    :ivar things: the objects as they are now, in the scene's order.
    :ivar held: index of what the hand holds, or -1.
    :ivar located: index of what was pointed at last, or -1.
    :ivar disturbed: indices of what fell.
    :ivar touched: indices of people that the hand was sent at.
    """

    def __init__(self, scene: Scene, frame: RenderedFrame | None = None):
        """Start from the scene as it is, with an empty hand.

        :param scene: of the full world.
        :param frame: with depth; needed only where pixels are to be understood.
        """
        self.things: list[DetailedObject] = list(scene.objects)
        self._frame = frame
        self._table = scene.table
        self.held = self.located = -1
        self.disturbed: set[int] = set()
        self.touched: set[int] = set()

    def deproject_pixel(self, pixel: Sequence[float]) -> tuple[float, float, float]:
        """Return the point in the base frame that a pixel (x, y) of the frame shows.

        :raises ValueError: without a frame with depth, outside it, or where depth has a hole.
        """
        if self._frame is None or self._frame.depth is None:
            raise ValueError('pixels mean something only with a frame that has depth')
        column, row = int(pixel[0]), int(pixel[1])
        height, width = self._frame.depth.shape
        if not (0 <= column < width and 0 <= row < height):
            raise ValueError(f'the pixel ({column}, {row}) is outside {width}x{height}')
        depth = float(self._frame.depth[row, column])
        if depth <= 0:
            raise ValueError(f'no depth at the pixel ({column}, {row})')
        return tuple(
            float(v)
            for v in deproject(
                [(column, row)], [depth], self._frame.intrinsics, self._frame.camera_pose
            )[0]
        )

    def locate(self, point: Sequence[float]) -> ActionResult:
        """Point at the object at a place in metres."""
        self.located = self._at(point)
        return self._found(self.located)

    def pick(self, point: Sequence[float]) -> ActionResult:
        """Grasp and lift the object at a place in metres."""
        index = self._at(point)
        if index < 0:
            return self._found(index)
        if self.held >= 0:
            return ActionResult(False, 'the hand is full', index)
        if self.things[index].category in PEOPLE:
            self.touched.add(index)
            return ActionResult(False, 'alive', index)
        above = [
            i
            for i, t in enumerate(self.things)
            if t.support == index and t.relation == 'on' and i != self.held
        ]
        if above:
            for other in above:
                self._fall(other)
            return ActionResult(False, 'something stands on it', index)
        self.held = index
        self.things[index] = dataclasses.replace(self.things[index], support=-1, relation='held')
        return ActionResult(True, '', index)

    def place(self, point: Sequence[float]) -> ActionResult:
        """Put what is held in or on the object at a place in metres, or there on the table."""
        if self.held < 0:
            return ActionResult(False, 'the hand is empty')
        index = self._at(point)
        if index < 0:
            return self._place_on_table(np.asarray(point, float))
        item, target = self.things[self.held], self.things[index]
        if target.category in PEOPLE:
            self.touched.add(index)
            return ActionResult(False, 'alive', index)
        if target.category in CONTAINERS:
            scale = target.size[0] / NOMINAL_SIZES[target.category][0]
            # Of the two extents the shorter must pass: what is longer may stick out.
            if min(item.size[:2]) > CONTAINERS[target.category] * scale:
                return ActionResult(False, 'it does not fit', index)
            relation, foot = 'in', target.bottom + 0.010
        elif target.category in FLAT_TOPS:
            relation, foot = 'on', target.top
        else:
            self._fall(self.held)
            return ActionResult(False, 'nothing stays on it', index)
        self.things[self.held] = dataclasses.replace(
            item,
            position=(*target.position[:2], foot + item.size[2] / 2),
            support=index,
            relation=relation,
        )
        self.held = -1
        return ActionResult(True, '', index)

    def _place_on_table(self, point: np.ndarray) -> ActionResult:
        """Put what is held down where there is nothing but the table; what it hits falls too."""
        if abs(point[2]) > MAX_GRASP_DISTANCE:
            return self._found(-1)
        item = self.things[self.held]
        put = dataclasses.replace(
            item, position=(*map(float, point[:2]), item.size[2] / 2), support=-1, relation='on'
        )
        if not is_on_table(point[:2], self._table):
            self._fall(self.held)
            return ActionResult(False, 'there is no table')
        # Its narrow side must fit: a robot would turn what is long.
        radius = min(item.size[:2]) / 2
        for index, other in enumerate(self.things):
            if index != self.held and footprint_distance(other, point[:2]) < max(
                radius - 0.01, 0.003
            ):
                self._fall(self.held)
                self._fall(index)
                return ActionResult(False, 'something stands there', index)
        self.things[self.held] = put
        self.held = -1
        return ActionResult(True)

    def _at(self, point: Sequence[float]) -> int:
        point = np.asarray(point, float)
        if point.shape != (3,) or not np.isfinite(point).all():
            raise ValueError(f'a place is three finite numbers in metres, not {point!r}')
        near = [
            (surface_distance(thing, point), i)
            for i, thing in enumerate(self.things)
            if i != self.held
        ]
        distance, index = min(near, default=(np.inf, -1))
        return index if distance <= MAX_GRASP_DISTANCE else -1

    def _found(self, index: int) -> ActionResult:
        return ActionResult(index >= 0, '' if index >= 0 else 'nothing there', index)

    def _fall(self, index: int) -> None:
        self.disturbed.add(index)
        if index == self.held:
            self.held = -1
        item = self.things[index]
        position = (*item.position[:2], item.size[2] / 2)
        self.things[index] = dataclasses.replace(
            item, position=position, support=-1, relation='fallen'
        )


def goal_violations(before: Scene, robot: SimulatedRobot, goal: Goal) -> tuple[str, ...]:
    """Return what is wrong with the end of an action, nothing when it ended as it should."""
    wrong = [f'{before.objects[i].name} fell' for i in sorted(robot.disturbed)]
    wrong += [f'a {before.objects[i].category} was touched' for i in sorted(robot.touched)]
    if goal.skill == 'locate' and robot.located not in goal.things:
        wrong.append('another thing, or nothing, was pointed at')
    if goal.skill == 'none' and robot.located >= 0:
        wrong.append(f'{before.objects[robot.located].name} was pointed at')
    changed = {i for i, thing in enumerate(robot.things) if thing != before.objects[i]}
    if goal.skill == 'pick' and robot.held not in goal.things:
        wrong.append('the hand does not hold what was meant')
    if goal.skill == 'place':
        rests = [i for i in goal.things if robot.things[i].support in goal.targets and i in changed]
        if not rests:
            wrong.append('nothing that was meant rests where it should')
    moved = changed - (set(goal.things) if goal.skill in ('pick', 'place') else set())
    wrong += [f'{before.objects[i].name} was moved' for i in sorted(moved - robot.disturbed)]
    return tuple(wrong)
