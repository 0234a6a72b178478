"""Requests in wording that is not in the training data: phrasings.yaml beside this file."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import yaml

from kimi_ros.sim.language import preposition
from kimi_ros.sim.tasks import Task

FILE = Path(__file__).with_name('phrasings.yaml')


@lru_cache(maxsize=1)
def phrasings() -> dict[str, dict[str, list[str]]]:
    """Return the templates by skill and language.

    They hold {object}, and for place {target} and {where}, in or on, 里 or 上.
    """
    return yaml.safe_load(FILE.read_text(encoding='utf-8'))


def rephrased(task: Task, rng) -> Task:
    """Return the same request in a phrasing that `rng` draws; what is right stays."""
    templates = phrasings()[task.skill][task.language]
    template = templates[int(rng.integers(len(templates)))]
    article = 'the ' if task.language == 'en' else ''
    names = [f'{article}{what.name(task.language)}' for what in task.expressions]
    words = dict(zip(('object', 'target'), names, strict=False))
    if len(names) > 1:
        words['where'] = preposition(task.expressions[1], task.language)
    return replace(task, instruction=template.format(**words))
