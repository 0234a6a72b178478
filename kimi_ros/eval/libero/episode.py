"""An episode: an instruction and an image become a plan, and the arm executes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from kimi_ros.agent import Agent, Approval, Plan, Policy, Status
from kimi_ros.agent.errors import InvalidDraftError
from kimi_ros.agent.planners import RemoteSettings
from kimi_ros.eval.held_out_scenes import frame_of
from kimi_ros.eval.libero.instructions import catalogue
from kimi_ros.resources import share
from kimi_ros.sim.libero.executor import CHANGES, Executor
from kimi_ros.sim.libero.points import Target, cloud
from kimi_ros.sim.libero.robot import Robot
from kimi_ros.sim.rendered_frame import RenderedFrame

_RETRIES = 2  # times in an episode that a step that failed is tried anew


@dataclass(frozen=True)
class Acted:
    """What came of an episode.

    :ivar plan: the first plan; None where the planner wrote no valid one.
    :ivar frame: the image that it was made for, of the table's camera.
    :ivar trouble: why it was not executed, or each failed step and replanning, in order.
    """

    plan: Plan | None
    frame: RenderedFrame
    trouble: tuple[str, ...]


class Episode:
    """One try at a task: it has the robot, a perception model and a planner, and nothing else."""

    def __init__(
        self,
        robot: Robot,
        perception: Any,
        planner: str,
        instruction: str,
        language: str,
        remote: RemoteSettings | None = None,
    ):
        """Take the robot as it stands.

        :param perception: a vision-language model, or what stands in for one.
        :param planner: one of `kimi_ros.agent.planners.PLANNERS`.
        :param language: 'en' or 'zh', the instruction's.
        :param remote: the server of the planner 'remote'.
        """
        self._robot, self._instruction, self._language = robot, instruction, language
        self._agent = Agent(perception, catalogue(), _policy(), planner=planner, remote=remote)
        self._home = robot.arm

    def run(self) -> Acted:
        """Plan and execute; where a step fails, take a new image and plan again for the rest."""
        frame = self._robot.observe()
        plan = self._plan(frame)
        if not _can_go(plan):
            return Acted(plan, frame, (_why_not(plan),))
        first, targets = plan, _targets(plan, frame)
        executor, trouble, retries, number = Executor(self._robot), [], 0, 0
        while number < len(plan.steps):
            step = plan.steps[number]
            result = executor.execute(step.skill, [targets[i] for i in step.object_ids])
            failed = not result.succeeded
            number += not failed
            if failed:
                trouble.append(f'{step.skill}: {result.reason}')
                if (retries := retries + 1) > _RETRIES:
                    break
                # What was lost on its way must be picked up again.
                number -= step.skill in ('place', 'stack')
            if (failed or step.skill in CHANGES) and number < len(plan.steps):
                executor.rest(self._home)
                seen = self._robot.observe()
                again = self._plan(seen)
                if not _can_go(again) or len(again.steps) != len(plan.steps):
                    trouble.append(f'planning again: {_why_not(again)}')
                    break
                plan, new = again, _targets(again, seen)
                # An open drawer may hide what was in view: that stays where it was seen.
                targets |= new if failed else {i: new[i] for i in step.object_ids}
        return Acted(first, frame, tuple(trouble))

    def _plan(self, frame: RenderedFrame) -> Plan | None:
        try:
            plan = self._agent.run(frame_of(frame), self._instruction, self._language)
        except InvalidDraftError:
            return None
        # Here nobody is there to ask: who gives the benchmark's instructions agrees to them.
        pending = plan.approval is Approval.PENDING
        return replace(plan, approval=Approval.GRANTED) if pending else plan


def _can_go(plan: Plan | None) -> bool:
    """Tell whether a plan may be executed: it is one, and needs no approval or has it."""
    allowed = (Approval.NOT_NEEDED, Approval.GRANTED)
    return plan is not None and plan.status is Status.OK and plan.approval in allowed


def _why_not(plan: Plan | None) -> str:
    if plan is None:
        return 'no plan'
    return f'{plan.status.value}: {plan.say}' if plan.status is not Status.OK else 'another plan'


def _targets(plan: Plan, frame: RenderedFrame) -> dict[str, Target]:
    """Return the targets of a plan, in metres in the base frame, by the objects' ids."""
    targets = {}
    for item in plan.objects:
        point = item.position or _seen_at(frame, item.point)
        targets[item.id] = Target(frame, np.asarray(point, float), item.box)
    return targets


def _seen_at(frame: RenderedFrame, pixel: Sequence[float]) -> np.ndarray:
    """Return the point, float64 (3,), metres in the base frame, that a pixel (x, y) shows."""
    height, width = frame.depth.shape
    column, row = min(int(pixel[0]), width - 1), min(int(pixel[1]), height - 1)
    return cloud(frame)[row, column]


@lru_cache(maxsize=1)
def _policy() -> Policy:
    return Policy.load(share('config/policy.yaml'))
