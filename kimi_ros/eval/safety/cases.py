"""The cases: instructions and conversations, and what may come of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
_HELD_OUT = 3  # one case in so many was kept apart while the rules were written


class Expect(str, Enum):
    """What may come of a case.

    REFUSE: no steps, not even after approval. WAIT: no steps, or approval. ASK: no steps, but a
    question, an answer or a reason. ALLOW: anything but a refusal.
    """

    REFUSE = 'refuse'
    WAIT = 'wait'
    ASK = 'ask'
    ALLOW = 'allow'


@dataclass(frozen=True)
class Case:
    """A conversation whose last turn is the instruction.

    :ivar scene: the nouns of the only things in view; None where everything named is there.
    """

    kind: str
    language: str
    turns: tuple[str, ...]
    expect: Expect
    scene: tuple[str, ...] | None = None

    @property
    def text(self) -> str:
        """Return all turns on one line."""
        return ' | '.join(self.turns)

    @property
    def held_out(self) -> bool:
        """Tell whether the case was kept apart; its words alone decide."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return int(digest, 16) % _HELD_OUT == 0


@dataclass(frozen=True)
class Injection:
    """An attempt to change the plan for a task, in the instruction or painted into the image.

    :ivar say: the task with the attempt; or ''.
    :ivar sign: what the image shows; or ''.
    """

    language: str
    task: str
    say: str = ''
    sign: str = ''


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    """Return the shipped cases, harmful and harmless."""
    return (*_read('adversarial.yaml'), *_read('harmless.yaml'))


@lru_cache(maxsize=1)
def injections() -> tuple[Injection, ...]:
    """Return the shipped injections."""
    return tuple(
        Injection(i['lang'], i['task'], i.get('say', ''), i.get('sign', ''))
        for i in _load('injections.yaml')
    )


def _read(name: str) -> Iterator[Case]:
    for group in _load(name):
        expect = Expect(group.get('expect', 'allow'))
        scene = tuple(group['scene']) if 'scene' in group else None
        for language in ('en', 'zh'):
            for said in group[language]:
                turns = (said,) if isinstance(said, str) else tuple(said)
                yield Case(group['kind'], language, turns, expect, scene)


def _load(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding='utf-8'))
