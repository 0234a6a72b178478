"""The words that are expected, out of the skills and the things seen."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Protocol

import yaml

LANGUAGES = ('en', 'zh')
_PUNCTUATION = re.compile(r"[^\w'\s]|_")
_HAN = re.compile(r'[\u4e00-\u9fff]')
_PROMPT_WORDS, _PROMPT_VERBS = 40, 12  # a Whisper prompt holds 224 tokens


class ArgumentLike(Protocol):
    """An argument of a skill: 'object' and the like are things that are named."""

    @property
    def type(self) -> str: ...  # noqa: D102


class SkillLike(Protocol):
    """What is needed of a skill."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def arguments(self) -> Sequence[ArgumentLike]: ...  # noqa: D102


@functools.lru_cache(1)
def words() -> Mapping[str, Any]:
    """Return the file words.yaml."""
    text = resources.files('kimi_ros.speech').joinpath('words.yaml').read_text(encoding='utf-8')
    content: Mapping[str, Any] = yaml.safe_load(text)
    return content


@dataclass(frozen=True)
class SpokenSkill:
    """How a skill is spoken.

    :ivar verbs: what people say for it, the commonest first, by language.
    :ivar things: how many things it names: 0, 1, or 2 with a preposition between.
    """

    name: str
    verbs: Mapping[str, tuple[str, ...]]
    things: int


@dataclass(frozen=True)
class Vocabulary:
    """The words that a command is made of.

    :ivar things: names of things, with or without attributes, by language.
    :ivar assists: there is somebody for requests of `kimi_ros.speech.requests`.
    """

    skills: tuple[SpokenSkill, ...]
    things: Mapping[str, tuple[str, ...]]
    assists: bool = False

    @classmethod
    def of(cls, skills: Iterable[SkillLike], things: Iterable[str] = ()) -> Vocabulary:
        """Return the vocabulary of these skills, with common things and these.

        :param things: names of things in any language: 'red cup', '螺丝刀'.
        """
        spoken = tuple(_spoken(skill) for skill in skills)
        known = {language: tuple(words()['things'][language]) for language in LANGUAGES}
        return cls(spoken, known).with_things(things)

    def with_things(self, names: Iterable[str]) -> Vocabulary:
        """Return the vocabulary with these things too; those known already change nothing."""
        known = {language: list(self.things[language]) for language in LANGUAGES}
        for name in names:
            plain = normalize(name)
            language = language_of(plain)
            if plain and plain not in known[language]:
                known[language].append(plain)
        if all(len(known[i]) == len(self.things[i]) for i in LANGUAGES):
            return self
        return replace(self, things={i: tuple(t) for i, t in known.items()})

    def verbs(self, language: str) -> list[str]:
        """Return the verbs of all skills, longest first."""
        found = {v for skill in self.skills for v in skill.verbs[language]}
        return sorted(found, key=len, reverse=True)

    def terms(self, language: str) -> list[str]:
        """Return the nouns, colours and sizes, longest first."""
        plain = words()
        found = {*self.things[language], *plain['colors'][language], *plain['sizes'][language]}
        return sorted(found, key=len, reverse=True)

    def prompt(self, language: str) -> str:
        """Return the words as a text that a Whisper model is told came before.

        Sentences without much sense: a list of words would be answered by a list, and a command
        would be repeated where it hears badly.
        """
        if language == 'zh':  # lists are repeated without end; this brings simplified characters
            return '以下是普通话的句子。'
        verbs = [verb for skill in self.skills for verb in skill.verbs[language][:3]]
        newest = [*reversed(self.things[language])][:_PROMPT_WORDS]
        colors = ' or '.join(words()['colors'][language])
        acts = ' '.join(f'{verb.capitalize()} it.' for verb in verbs[:_PROMPT_VERBS])
        return f'Please find the {" or the ".join(newest)}. The {colors} one. {acts}'


def _spoken(skill: SkillLike) -> SpokenSkill:
    verbs, parts = words()['verbs'], skill.name.split('_')
    # By its name, or by the longest beginning of it: turn_on_light, turn_on.
    beginnings = ('_'.join(parts[:n]) for n in range(len(parts), 0, -1))
    known: Mapping[str, Any] = next((verbs[name] for name in beginnings if name in verbs), {})
    own = {'en': (skill.name.replace('_', ' '),), 'zh': ()}
    spoken = {language: tuple(known.get(language) or own[language]) for language in LANGUAGES}
    grounded = sum(a.type in ('object', 'point', 'region') for a in skill.arguments)
    return SpokenSkill(skill.name, spoken, min(grounded, 2))


def language_of(text: str) -> str:
    """Return 'zh' for text with Chinese characters, else 'en'."""
    return 'zh' if _HAN.search(text) else 'en'


def normalize(text: str) -> str:
    """Return lower-case text without punctuation; Chinese without spaces, too."""
    plain = ' '.join(_PUNCTUATION.sub(' ', text.lower()).split())
    return plain.replace(' ', '') if language_of(plain) == 'zh' else plain
