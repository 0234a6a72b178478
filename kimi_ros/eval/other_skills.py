"""Instructions to robots with skills that no training has named."""

from __future__ import annotations

from kimi_ros.agent import SkillCatalogue
from kimi_ros.eval.outcome import Outcome, share
from kimi_ros.eval.planning import is_right, outcome_of, planned
from kimi_ros.eval.worlds import World
from kimi_ros.sim.catalogues import UNTAUGHT, Catalogue, some_catalogue
from kimi_ros.sim.tasks import Task, some_task, two_alone
from kimi_ros.vlm import VisionLanguageModel


def catalogues(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Give an instruction to a robot with other skills; half ask for one that nobody knows."""
    task, catalogue = elsewhere(world, language)
    skills = SkillCatalogue.from_data({'skills': catalogue.entries()}, 'a drawn catalogue')
    plan = planned(vlm, world, task, skills)
    return [outcome_of(plan, task, world, {'exact': share(is_right(plan, task, world))})]


def elsewhere(world: World, language: str) -> tuple[Task, Catalogue]:
    """Return a task and the catalogue that it is for, which has a skill of its own at least."""
    task = some_task(world.objects, language, world.rng('other tasks'))
    # What depends on the language is drawn last or apart: both have the same catalogues.
    rng = world.rng('catalogues')
    asks_own = rng.random() < 0.5
    catalogue = some_catalogue(rng, UNTAUGHT, task.needs)
    while not catalogue.own:
        catalogue = some_catalogue(rng, UNTAUGHT, task.needs)
    alone = two_alone(world.objects, rng) if asks_own else ()
    if len(alone) == 2:
        return catalogue.own_task(alone, world.objects, language, rng), catalogue
    return catalogue.translated(task), catalogue
