"""Executes a plan's steps, one by one, with the skills; remembers what the hand holds."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np

from kimi_ros.sim.libero import skills
from kimi_ros.sim.libero.motion import CLOSED, OPEN, move_to
from kimi_ros.sim.libero.points import Target
from kimi_ros.sim.libero.robot import ArmState, OutOfSteps, Robot
from kimi_ros.sim.libero.skills import Held, Result

CHANGES = ('open', 'close', 'push')
"""Skills after which things are elsewhere: what comes next must be looked for again."""

_PLACES = ('place', 'stack')
_OTHERS = {
    'open': skills.open_drawer,
    'close': skills.close,
    'push': skills.push,
    'turn_on': skills.turn_on,
    'turn_off': skills.turn_off,
}


class Executor:
    """Executes skills on one robot.

    :ivar held: what the hand holds, or None.
    """

    def __init__(self, robot: Robot):
        self._robot = robot
        self.held: Held | None = None

    def execute(self, skill: str, targets: Sequence[Target]) -> Result:
        """Execute one step; it fails where the task's control steps are used up.

        :param skill: its name in the catalogue.
        :param targets: of the skill's arguments, in their order.
        """
        try:
            return self._execute(skill, targets)
        except OutOfSteps as error:
            return Result(False, str(error))

    def rest(self, home: ArmState) -> None:
        """Take the hand to where it hides nothing from the table's camera.

        Where the task's control steps are used up it stops without an error.

        :param home: a state of the arm in which it hides nothing.
        """
        with contextlib.suppress(OutOfSteps):
            gripper = OPEN if self.held is None else CLOSED
            up = np.array([*self._robot.arm.position[:2], home.position[2]])
            if self._robot.arm.position[2] < home.position[2] - 0.05:
                move_to(self._robot, up, None, gripper, tolerance=0.04)
            move_to(self._robot, home.position, home.rotation, gripper, tolerance=0.05)

    def _execute(self, skill: str, targets: Sequence[Target]) -> Result:
        if skill == 'pick':
            result = skills.pick(self._robot, targets[0])
            self.held = result.held
            return result
        if skill in _PLACES:
            if self.held is None:
                return Result(False, 'the hand is empty')
            result = skills.place(self._robot, targets[-1], self.held)
            self.held = None
            return result
        if skill in _OTHERS:
            return _OTHERS[skill](self._robot, *targets)
        return Result(False, f'the arm cannot {skill}')
