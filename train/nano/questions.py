"""Questions about a rendered scene, with their answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from tokenizers import Tokenizer

from kimi_ros.agent.prompts import (
    check_question,
    describe_question,
    plan_prompt,
    presence_question,
)
from kimi_ros.sim import COLORS, KINDS
from kimi_ros.sim.language import (
    LANGUAGES,
    Description,
    answer_describe,
    caption,
    with_article,
)
from kimi_ros.sim.tasks import Mix, some_description, some_task, wrong
from kimi_ros.vlm.config import ModelConfig
from kimi_train.lessons import Lesson
from kimi_train.words import IS, YES

SKILLS = (
    ('locate', ('object',)),
    ('pick', ('object',)),
    ('place', ('object', 'target')),
    ('describe', ()),
)
# What is hard is asked more often than people would.
LESSONS = Mix(absent=0.32, sides=0.2, twins=0.2)
NOTHING = -1  # among objects to look at: the image's first position
PLAN_OPENING = '{"status":"'
KINDS_OF_QUESTION = ('locate', 'presence', 'check', 'plan', 'caption')


@dataclass(frozen=True)
class Thing:
    """An object of a scene: names, and its box (x_min, y_min, x_max, y_max) in 0-1."""

    kind: str
    color: str
    box: tuple[float, float, float, float]

    @property
    def center(self) -> tuple[float, float]:
        """Return the middle of the box."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def size(self) -> tuple[float, float]:
        """Return width and height of the box."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


def things(rows: np.ndarray) -> list[Thing]:
    """Return the objects of one scene of `objects.npy`."""
    return [
        Thing(KINDS[int(r[0])], COLORS[int(r[1])], tuple(float(v) for v in r[2:]))
        for r in rows
        if r[0] >= 0
    ]


@dataclass
class Dialogue(Lesson):
    """A question with its answer, and how it is decided.

    `looks[i]` are the objects that the looking head should see from position i, an empty list or
    `NOTHING` for 'none of them'; `hops[i]` those that it should see first, where they are others;
    `counts` likewise for the counting head. `decided` is where the answer is decided, and `kind`
    what sort of question it is, for figures to follow. `asked` are the kind and the colour
    (indices, one past the last for any) of the thing named first.
    """

    kind: str = ''
    decided: int = 0
    asked: tuple[int, int] | None = None
    looks: dict[int, list[int]] = field(default_factory=dict)
    hops: dict[int, list[int]] = field(default_factory=dict)
    counts: dict[int, list[int]] = field(default_factory=dict)


class QuestionWriter:
    """Writes questions about scenes with a tokenizer and a config's templates."""

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer):
        self.tokens = config.tokenizer
        self._encode = lru_cache(maxsize=100_000)(lambda text: tuple(tokenizer.encode(text).ids))

    def short(self, scene: Sequence[Thing], rng: np.random.Generator) -> Dialogue:
        """Return a question with a short answer: point, detect, presence, what a place shows."""
        draw = rng.random()
        language = LANGUAGES[int(rng.random() < 0.4)]
        if draw < 0.70:
            return self.locate(
                scene, some_description(scene, rng, LESSONS), language, boxes=rng.random() < 0.45
            )
        if draw < 0.84:
            return self.presence(scene, language, rng)
        return self.check(scene, language, rng)

    def long(self, scene: Sequence[Thing], rng: np.random.Generator) -> Dialogue:
        """Return a question with a long answer: a plan (mostly), a caption, a description."""
        draw = rng.random()
        language = LANGUAGES[int(rng.random() < 0.5)]
        if draw < 0.84:
            return self.plan(scene, language, rng)
        everything = list(range(len(scene)))
        if draw < 0.94:
            length = ('short', 'normal', 'long')[int(rng.integers(3))]
            ids = self.tokens.templates.caption[length]
            return self._answer('caption', list(ids), caption(scene, length), everything)
        prompt = self._query(describe_question(language))
        return self._answer('caption', prompt, answer_describe(scene, language), everything)

    def locate(self, scene, what: Description, language: str, boxes: bool) -> Dialogue:
        """Point at, or box, all the objects meant, from left to right."""
        template = self.tokens.templates.detect if boxes else self.tokens.templates.point
        name = self._encode(f' {what.name(language)}')
        out = Dialogue([*template.prefix, *name, *template.suffix], kind='locate')
        out.decided = out.last
        out.asked = asked(what)
        found = what.matches(scene)
        out.counts[out.last] = found
        for index in found:
            thing = scene[index]
            out.next_ids[out.last] = self.tokens.coord_id
            for value in thing.center:
                out.looks[out.last] = [index]
                out.write_coordinate(value, self.tokens.coord_id)
            if boxes:
                out.looks[out.last] = [index]
                out.write_size(thing.size, self.tokens.size_id)
        out.next_ids[out.last] = self.tokens.eos_id
        out.looks[out.last] = []
        if what.side:
            out.hops[out.decided] = what.other.matches(scene)
        return out

    def presence(self, scene, language: str, rng) -> Dialogue:
        """Ask whether something is there."""
        what = some_description(scene, rng, Mix(sides=0))
        found = what.matches(scene)
        prompt = self._query(presence_question(what.name(language), language))
        out = self._answer('presence', prompt, YES[language][0 if found else 1], found)
        out.asked = asked(what)
        return out

    def check(self, scene, language: str, rng) -> Dialogue:
        """Ask what a box or a point shows, or whether it shows a certain thing."""
        index = int(rng.integers(len(scene)))
        thing = scene[index]
        true, named = Description(thing.kind, thing.color), None
        if rng.random() < 0.3:
            zh = language == 'zh'
            name = true.name(language)
            question = '这是什么？' if zh else 'What is this?'
            answer = name if zh else with_article(name).capitalize()
        else:
            what = _part(true if rng.random() < 0.5 else wrong(true, rng), rng)
            named = asked(what)
            question = check_question(what.name(language), language)
            answer = IS[language][0 if what.matches([thing]) else 1]
        jitter = rng.normal(0, 0.008, 4)
        (x, y), (w, h) = thing.center, thing.size
        place = [float(np.clip(x + jitter[0], 0, 1)), float(np.clip(y + jitter[1], 0, 1))]
        box = rng.random() < 0.7
        coord, size = self.tokens.coord_id, self.tokens.size_id
        spatial = [coord, coord, size] if box else [coord, coord]
        out = Dialogue(self._query(question, spatial), kind='check', asked=named)
        start = len(self.tokens.templates.query.prefix)
        out.coords = {start: place[0], start + 1: place[1]}
        if box:
            out.sizes = {start + 2: (w * np.exp(jitter[2] * 5), h * np.exp(jitter[3] * 5))}
        return self._finish(out, answer, [index])

    def plan(self, scene, language: str, rng) -> Dialogue:
        """Ask for a plan as the planner asks, and answer in its JSON."""
        task = some_task(scene, language, rng, LESSONS)
        text = json.dumps(task.plan, ensure_ascii=False, separators=(',', ':'))
        # What is missing is looked for in vain, beside what is there.
        found = list(dict.fromkeys(i for _, group in task.referents for i in group or (NOTHING,)))
        out = self._answer('plan', self._query(plan_prompt(task.instruction, SKILLS)), text, found)
        out.asked = asked(task.meant[0]) if task.meant else None
        if task.meant and task.meant[0].side:
            out.hops[out.decided] = task.meant[0].other.matches(scene)
        return out

    def _query(self, question: str, spatial: Sequence[int] = ()) -> list[int]:
        template = self.tokens.templates.query
        # The suffix stands twice, as the reference's prompt has it outside reasoning mode.
        suffix = [*template.suffix, *template.suffix]
        return [*template.prefix, *spatial, *self._encode(question), *suffix]

    def _answer(self, kind: str, prompt: list[int], text: str, seen: list[int]) -> Dialogue:
        return self._finish(Dialogue(prompt, kind=kind), text, seen)

    def _finish(self, out: Dialogue, text: str, seen: list[int]) -> Dialogue:
        start = out.last
        # A plan begins with '{"status":"', which says nothing: it is decided after that.
        out.decided = start + (len(self._encode(PLAN_OPENING)) if out.kind == 'plan' else 0)
        out.say(self._encode(text), self.tokens.eos_id)
        for at in {start, out.decided}:
            out.looks[at] = seen
            out.counts[at] = [i for i in seen if i != NOTHING]
        return out


def _part(what: Description, rng) -> Description:
    """Return the description, or only its kind, or only its colour."""
    draw = rng.random()
    if draw < 0.25:
        return Description(kind=what.kind)
    return Description(color=what.color) if draw < 0.35 else what


def asked(what: Description) -> tuple[int, int]:
    """Return the kind and the colour of a description, as `Dialogue.asked` has them."""
    kind = KINDS.index(what.kind) if what.kind else len(KINDS)
    return kind, COLORS.index(what.color) if what.color else len(COLORS)
