"""The examinations. Each asks one thing of each scene and returns the figures it counts.

The words are drawn from the scene's number and the suite alone, so English and Chinese face the
same questions and their difference is paired.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable

import numpy as np

from kimi_ros.agent import Agent, Policy, SkillCatalogue
from kimi_ros.agent.grounding import overlap
from kimi_ros.agent.prompts import presence_question
from kimi_ros.eval.demo_tasks import demo_tasks
from kimi_ros.eval.judge import mistakes
from kimi_ros.eval.worlds import World
from kimi_ros.resources import share
from kimi_ros.sim.language import Description
from kimi_ros.sim.tasks import Mix, some_description, some_task
from kimi_ros.vlm import VisionLanguageModel

Figures = dict[str, float]
ANSWERS = {'en': ('no', 'yes'), 'zh': ('没有', '有')}


def points(vlm: VisionLanguageModel, world: World, language: str) -> Figures:
    """Point at the one thing of a description: is the first point inside its mask?"""
    what = _one_thing(world, _rng('points', world))
    if what is None:
        return {}
    found = vlm.point(vlm.encode_image(world.frame.rgb), what.name(language))
    width, height = world.frame.size
    (index,) = what.matches(world.objects)
    hit = bool(found) and world.shows(index, (found[0].x * width, found[0].y * height))
    return {'in_mask': float(hit)}


def boxes(vlm: VisionLanguageModel, world: World, language: str) -> Figures:
    """Box the same things: how much do the first box and the true one overlap?"""
    what = _one_thing(world, _rng('points', world))
    if what is None:
        return {}
    found = vlm.detect(vlm.encode_image(world.frame.rgb), what.name(language))
    width, height = world.frame.size
    (index,) = what.matches(world.objects)
    iou = 0.0
    if found:
        box = found[0].clip()
        corners = (box.x_min * width, box.y_min * height, box.x_max * width, box.y_max * height)
        iou = overlap(corners, world.objects[index].box)
    return {'iou50': float(iou >= 0.5), 'mean_iou': iou}


def questions(vlm: VisionLanguageModel, world: World, language: str) -> Figures:
    """Ask whether something is there; half of the time it is not."""
    rng = _rng('questions', world)
    there = bool(rng.integers(2))
    for _ in range(1000):
        what = some_description(world.objects, rng, Mix(absent=0.5, sides=0))
        if bool(what.matches(world.objects)) == there:
            break
    answer = vlm.query(
        vlm.encode_image(world.frame.rgb),
        presence_question(what.name(language), language),
        max_tokens=8,
    ).text
    return {'exact': float(answer.strip().rstrip('.。').lower() == ANSWERS[language][there])}


def plans(vlm: VisionLanguageModel, world: World, language: str) -> Figures:
    """Give an instruction through the whole agent; many must be asked back or turned down."""
    task = some_task(world.objects, language, _rng('plans', world))
    plan = _agent(vlm).run(world.frame, task.instruction)
    return {'exact': float(not mistakes(plan, task, world))}


def demo(vlm: VisionLanguageModel, world: World, language: str) -> Figures:
    """Ask what `make demo` asks of this seed, in both languages: are both answers right?"""
    agent = _agent(vlm)
    return {
        'right': float(
            not any(
                mistakes(agent.run(world.frame, task.instruction), task, world)
                for task in demo_tasks(world.objects, world.seed)
            )
        )
    }


SUITES: dict[str, Callable[[VisionLanguageModel, World, str], Figures]] = {
    'points': points,
    'boxes': boxes,
    'questions': questions,
    'plans': plans,
    'demo': demo,
}


def examine(
    suite: str, vlm: VisionLanguageModel, scenes: Iterable[World], language: str
) -> dict[str, list[float]]:
    """Return each figure's value for every scene that the suite has a question for."""
    values: dict[str, list[float]] = {}
    for world in scenes:
        for name, value in SUITES[suite](vlm, world, language).items():
            values.setdefault(name, []).append(value)
    return values


def interval(values: list[float]) -> tuple[float, float]:
    """Return the mean's 95 % interval.

    Wilson's score interval (1927) for shares; the normal one for other means.
    """
    n, mean, z = len(values), float(np.mean(values)), 1.96
    if set(values) <= {0.0, 1.0}:
        middle = (mean + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n))
        return float(middle - half), float(middle + half)
    half = z * float(np.std(values, ddof=1)) / n**0.5 if n > 1 else 0.0
    return mean - half, mean + half


def _agent(vlm: VisionLanguageModel) -> Agent:
    skills = SkillCatalogue.load(share('config/skills.yaml'))
    return Agent(vlm, skills, Policy.load(share('config/policy.yaml')))


def _one_thing(world: World, rng) -> Description | None:
    """Return a name that means one thing alone; None where all things are alike."""
    for _ in range(1000):
        what = some_description(world.objects, rng, Mix(absent=0))
        if len(what.matches(world.objects)) == 1:
            return what
    return None


def _rng(suite: str, world: World) -> np.random.Generator:
    return np.random.default_rng((zlib.crc32(suite.encode()), world.seed))
