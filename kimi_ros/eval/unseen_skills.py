"""Instructions to robots with skills whose names are not in the training data."""

from __future__ import annotations

from kimi_ros.agent import SkillCatalogue
from kimi_ros.eval.held_out_scenes import HeldOutScene
from kimi_ros.eval.outcome import Outcome, binary
from kimi_ros.eval.planning import is_correct, outcome_of
from kimi_ros.eval.system import System
from kimi_ros.sim.expression_sampling import sample_two_expressions
from kimi_ros.sim.skill_catalogues import HELD_OUT_SKILLS, RobotSkills, sample_catalogue
from kimi_ros.sim.tasks import Task, sample_task


def catalogues(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Give an instruction to a robot with other skills; half ask for a held-out skill."""
    task, catalogue = task_with_other_skills(world, language)
    skills = SkillCatalogue.from_data({'skills': catalogue.entries()}, 'a drawn catalogue')
    plan = system.plan(world.frame, task.instruction, skills)
    return [outcome_of(plan, task, world, {'exact': binary(is_correct(plan, task, world))})]


def task_with_other_skills(world: HeldOutScene, language: str) -> tuple[Task, RobotSkills]:
    """Return a task and the catalogue that it is for, with at least one custom skill."""
    task = sample_task(world.objects, language, world.rng('other tasks'))
    # What depends on the language is drawn last or apart: both have the same catalogues.
    rng = world.rng('catalogues')
    asks_own = rng.random() < 0.5
    catalogue = sample_catalogue(rng, HELD_OUT_SKILLS, task.required_skills)
    while not catalogue.custom:
        catalogue = sample_catalogue(rng, HELD_OUT_SKILLS, task.required_skills)
    alone = sample_two_expressions(world.objects, rng) if asks_own else ()
    if len(alone) == 2:
        return catalogue.custom_task(alone, world.objects, language, rng), catalogue
    return catalogue.translated(task), catalogue
