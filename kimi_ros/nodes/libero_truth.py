"""The node `libero_robot` and a node `kimi` without a model, in one process.

What `kimi` finds are ground-truth boxes: it reads the simulator's segmentation, a few pixels off,
where a model would look at the picture. So it has to be in the simulator's process: the
segmentation is on no topic. For demonstrations and upper bounds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from threading import Event
from typing import Any

import numpy as np

from kimi_ros.agent import Agent, Policy, SkillCatalogue
from kimi_ros.eval.libero.truth import GroundTruthDetector
from kimi_ros.nodes.executor import RequestExecutor
from kimi_ros.nodes.kimi_node import KimiNode
from kimi_ros.nodes.libero_robot import LiberoRobot
from kimi_ros.nodes.model_loader import ModelBundle
from kimi_ros.nodes.runner import run_node
from kimi_ros.resources import share
from kimi_ros.sim.libero.stage import Stage


class StagedDetector(GroundTruthDetector):
    """Reads the segmentation in the thread that may draw; waits while the arm moves."""

    def __init__(self, stage: Stage) -> None:
        """Take a stage that has begun."""
        super().__init__(stage.world)
        self._stage = stage

    def encode_image(self, rgb: np.ndarray, *, cancel: Event | None = None) -> Any:
        """Return the masks of what is in view now."""
        return self._stage.run(lambda: GroundTruthDetector.encode_image(self, rgb, cancel=cancel))


class KimiWithTruth(KimiNode):
    """A node `kimi` that has the robot's simulator in place of a model, and the robot with it."""

    def __init__(self) -> None:
        self._stage = Stage()
        self._robot = LiberoRobot(self._stage)
        super().__init__()

    def make_executor(self) -> RequestExecutor:
        """Return an executor for both nodes."""
        executor = super().make_executor()
        executor.add_node(self._robot)
        return executor

    def drain(self, timeout: float) -> None:
        """End what goes on: the arm's skill, and every request."""
        self._robot.drain(timeout)
        super().drain(timeout)

    def destroy_node(self) -> None:
        """Destroy both nodes; last the robot, at whose simulator a late request may still look."""
        super().destroy_node()
        self._robot.destroy_node()

    def _load_from_parameters(self) -> ModelBundle:
        skills = SkillCatalogue.load(self.value('skills') or share('config/skills.yaml'))
        policy = Policy.load(self.value('policy') or share('config/policy.yaml'))
        detector: Any = StagedDetector(self._stage)
        return ModelBundle(detector, Agent(detector, skills, policy, self._seconds, 'reader'))


def main(args: Sequence[str] | None = None) -> int:
    """Run both nodes until they are interrupted."""
    return run_node(KimiWithTruth, KimiWithTruth.make_executor, args)


if __name__ == '__main__':
    sys.exit(main())
