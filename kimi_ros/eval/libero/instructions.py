"""What the benchmark says, in both languages, and which skills it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from kimi_ros.agent import SkillCatalogue
from kimi_ros.sim.libero.benchmark import Task

_FOLDER = Path(__file__).parent
SKILLS_FILE = _FOLDER / 'skills.yaml'
"""What the arm can do."""

_USUAL = ('pick', 'place')


@dataclass(frozen=True)
class Wording:
    """An instruction.

    :ivar zh: its translation.
    :ivar skills: that it asks for, in order.
    :ivar also: others that do as well; () where there are none.
    """

    zh: str
    skills: tuple[str, ...]
    also: tuple[str, ...] = ()


def wording(task: Task) -> Wording:
    """Return what a task's instruction is in Chinese, and which skills it asks for."""
    return _wordings()[task.instruction]


def said(task: Task, language: str) -> str:
    """Return a task's instruction in 'en' or 'zh'."""
    return task.instruction if language == 'en' else wording(task).zh


def asks_for(task: Task, skills: Sequence[str]) -> bool:
    """Tell whether these are the skills that a task asks for, in order."""
    asked = wording(task)
    return bool(skills) and tuple(skills) in (asked.skills, asked.also)


@lru_cache(maxsize=1)
def catalogue() -> SkillCatalogue:
    """Return what the arm can do."""
    return SkillCatalogue.load(SKILLS_FILE)


@lru_cache(maxsize=1)
def _wordings() -> dict[str, Wording]:
    data = yaml.safe_load((_FOLDER / 'instructions.yaml').read_text(encoding='utf-8'))
    return {
        row['en']: Wording(row['zh'], tuple(row.get('skills', _USUAL)), tuple(row.get('also', ())))
        for row in data
    }
