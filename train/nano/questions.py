"""Questions about a rendered scene, with their answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from tokenizers import Tokenizer

from kimi_ros.agent.answers import IDENTITY_ANSWERS, PRESENCE_ANSWERS
from kimi_ros.agent.prompts import (
    attribute_question,
    check_question,
    count_question,
    describe_question,
    plan_prompt,
    presence_question,
    relation_question,
)
from kimi_ros.sim import COLORS, ObjectTruth
from kimi_ros.sim.expression_sampling import (
    PRESENCE_MIX,
    Mix,
    perturbed,
    sample_expression,
    sample_two_expressions,
)
from kimi_ros.sim.facts import by_number, sample_attribute, sample_relation
from kimi_ros.sim.full.object_classes import PEOPLE, SIZES
from kimi_ros.sim.language import caption, scene_description, with_article
from kimi_ros.sim.referring_expression import (
    LANGUAGES,
    ReferringExpression,
    attribute_name,
    relation_name,
)
from kimi_ros.sim.skill_catalogues import (
    DEFAULT_SKILLS,
    TRAINING_SKILLS,
    RobotSkills,
    sample_catalogue,
)
from kimi_ros.sim.tasks import Task, sample_task
from kimi_ros.vlm.config import ModelConfig
from kimi_train.nano.question_example import NOTHING, QuestionExample, named_attributes

# Hard questions are more frequent than in use.
TRAINING_MIX = Mix(absent=0.3, duplicates=0.2, sized=0.21, superlative=0.24, relation=0.15)
COMPOUND_SHARE = 0.2  # of plans: one thing and then another
PLAN_OPENING = '{"status":"'
# Of `short` questions; the rest ask for points and boxes.
SHORT_QUESTION_SHARES = {
    'presence': 0.07,
    'check': 0.08,
    'count': 0.42,
    'relation': 0.05,
    'attribute': 0.05,
    'grasp_point': 0.08,
}
OFF_CENTER = 0.015  # of the picture's width or height between a thing's point and its box's middle
Scene = Sequence[ObjectTruth]


class QuestionWriter:
    """Writes questions about scenes with a tokenizer and a config's templates."""

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer):
        self.tokens = config.tokenizer
        self._encode = lru_cache(maxsize=100_000)(lambda text: tuple(tokenizer.encode(text).ids))

    def short(self, scene: Scene, rng: np.random.Generator) -> QuestionExample:
        """Return a question with a short answer: where, is it there, how many, what is it like."""
        language = _some_language(rng)
        draw = rng.random()
        for question_type, share in SHORT_QUESTION_SHARES.items():
            if draw < share:
                question = getattr(self, question_type)(scene, language, rng)
                if question is not None:
                    return question
                break
            draw -= share
        what = sample_expression(scene, rng, TRAINING_MIX)
        return self.locate(scene, what, language, boxes=rng.random() < 0.45)

    def long(self, scene: Scene, rng: np.random.Generator) -> QuestionExample:
        """Return a question with a long answer: a plan (mostly), a caption, a description."""
        draw = rng.random()
        language = _some_language(rng)
        if draw < 0.92:
            return self.plan(scene, language, rng)
        everything = list(range(len(scene)))
        if draw < 0.95:
            length = ('short', 'normal', 'long')[int(rng.integers(3))]
            ids = self.tokens.templates.caption[length]
            return self._answer('caption', list(ids), caption(scene, length), everything)
        prompt = self._query(describe_question(language))
        return self._answer('caption', prompt, scene_description(scene, language), everything)

    def locate(
        self, scene: Scene, what: ReferringExpression, language: str, boxes: bool
    ) -> QuestionExample:
        """Point at, or box, all the objects meant, by their boxes' middles from left to right."""
        template = self.tokens.templates.detect if boxes else self.tokens.templates.point
        name = self._encode(f' {what.name(language)}')
        out = QuestionExample([*template.prefix, *name, *template.suffix], question_type='locate')
        out.decided = out.last_position
        found = what.matches(scene)
        out.counted[out.last_position] = found
        note_hops(out, what, scene)
        for index in found:
            x0, y0, x1, y1 = scene[index].box
            out.target_ids[out.last_position] = self.tokens.coord_id
            for value in _place(scene[index], boxes):
                out.attention[out.last_position] = [index]
                if not boxes:
                    # A mean over all patches of a spoon points beside it.
                    out.point_patch.add(out.last_position)
                out.append_coordinate(value, self.tokens.coord_id)
            if boxes:
                out.attention[out.last_position] = [index]
                out.append_size((x1 - x0, y1 - y0), self.tokens.size_id)
        out.target_ids[out.last_position] = self.tokens.eos_id
        out.attention[out.last_position] = []
        return out

    def grasp_point(self, scene: Scene, language: str, rng) -> QuestionExample | None:
        """Point at what is not to be touched in its box's middle: spoons, bananas, full bowls.

        Of all things they are few, and where a point and a middle are one nothing tells them apart.
        """
        apart = [np.subtract(_place(t, box=True), t.point) for t in scene]
        bent = [t for t, far in zip(scene, apart, strict=True) if np.abs(far).max() > OFF_CENTER]
        if not bent:
            return None
        thing = bent[int(rng.integers(len(bent)))]
        return self.locate(
            scene, ReferringExpression(thing.category, thing.color), language, boxes=False
        )

    def presence(self, scene: Scene, language: str, rng) -> QuestionExample:
        """Ask whether something is there."""
        if rng.random() < 0.06:
            what = ReferringExpression(PEOPLE[int(rng.integers(len(PEOPLE)))])
        else:
            what = sample_expression(scene, rng, PRESENCE_MIX)
        found = what.matches(scene)
        prompt = self._query(presence_question(what.name(language), language))
        out = self._answer('presence', prompt, PRESENCE_ANSWERS[language][0 if found else 1], found)
        return note_hops(out, what, scene)

    def count(self, scene: Scene, language: str, rng) -> QuestionExample:
        """Ask how many there are: many more often than few, which are easily counted."""
        what, found = _some_count(scene, rng)
        prompt = self._query(count_question(what.name(language), language))
        return note_hops(self._answer('count', prompt, str(len(found)), found), what, scene)

    def relation(self, scene: Scene, language: str, rng) -> QuestionExample | None:
        """Ask where one thing stands to another."""
        drawn = sample_relation(scene, rng)
        if drawn is None:
            return None
        i, relation, j, true = drawn
        where = relation_name(relation, language)
        one, other = (
            ReferringExpression(scene[i].category, scene[i].color),
            ReferringExpression(scene[j].category, scene[j].color),
        )
        question = relation_question(one.name(language), where, other.name(language), language)
        out = self._answer(
            'relation', self._query(question), IDENTITY_ANSWERS[language][not true], [i]
        )
        note_hops(out, one, scene)
        out.first_hop[out.decided] = [j]
        return _with_verdict(out, true)

    def attribute(self, scene: Scene, language: str, rng) -> QuestionExample | None:
        """Ask whether something has a certain colour or size."""
        drawn = sample_attribute(scene, rng)
        if drawn is None:
            return None
        what, index, attribute, true = drawn
        word = attribute_name(attribute, language)
        question = attribute_question(what.name(language), word, language)
        out = self._answer(
            'attribute', self._query(question), IDENTITY_ANSWERS[language][not true], [index]
        )
        # Whether the cup is red is whether there is a red cup.
        part = 'color' if attribute in COLORS else 'size'
        out.named_attributes = named_attributes(replace(what, **{part: attribute}))
        out.first_hop[out.decided] = [index]
        return _with_verdict(out, true)

    def check(self, scene: Scene, language: str, rng) -> QuestionExample:
        """Ask what a box or a point shows, or whether it shows a certain thing."""
        index = int(rng.integers(len(scene)))
        thing = scene[index]
        true, named = ReferringExpression(thing.category, thing.color), None
        if rng.random() < 0.25:
            zh = language == 'zh'
            name = true.name(language)
            question = '这是什么？' if zh else 'What is this?'
            answer = name if zh else with_article(name).capitalize()
        else:
            what = _part(true if rng.random() < 0.5 else perturbed(true, rng), thing, rng)
            named = named_attributes(what)
            question = check_question(what.name(language), language)
            answer = IDENTITY_ANSWERS[language][0 if what.matches([thing]) else 1]
        out = self.about_place(question, thing, rng)
        out.named_attributes = named
        out = self._finish(out, answer, [index])
        return out if named is None else _with_verdict(out, answer == IDENTITY_ANSWERS[language][0])

    def about_place(self, question: str, thing: ObjectTruth, rng) -> QuestionExample:
        """Ask about where an object is: mostly its box, else its point, neither quite exact."""
        jitter = rng.normal(0, 0.008, 4)
        x0, y0, x1, y1 = thing.box
        box = rng.random() < 0.8
        place = np.clip(np.array(_place(thing, box)) + jitter[:2], 0, 1).tolist()
        coord, size = self.tokens.coord_id, self.tokens.size_id
        spatial = [coord, coord, size] if box else [coord, coord]
        out = QuestionExample(self._query(question, spatial), question_type='check')
        start = len(self.tokens.templates.query.prefix)
        out.coords = {start: place[0], start + 1: place[1]}
        if box:
            width, height = (x1 - x0) * np.exp(jitter[2] * 5), (y1 - y0) * np.exp(jitter[3] * 5)
            out.sizes = {start + 2: (width, height)}
        return out

    def plan(self, scene: Scene, language: str, rng) -> QuestionExample:
        """Ask for a plan as the planner asks, under some robot's catalogue, answered in JSON."""
        task, catalogue = (
            sample_task(scene, language, rng, TRAINING_MIX, COMPOUND_SHARE),
            DEFAULT_SKILLS,
        )
        if rng.random() < 0.6:
            catalogue = sample_catalogue(
                rng, TRAINING_SKILLS if rng.random() < 0.5 else (), task.required_skills
            )
            alone = (
                sample_two_expressions(scene, rng)
                if catalogue.custom and rng.random() < 0.75
                else ()
            )
            if len(alone) == 2:
                task = catalogue.custom_task(alone, scene, language, rng)
            else:
                task = catalogue.translated(task)
        return self.plan_of(task, catalogue, scene)

    def plan_of(self, task: Task, catalogue: RobotSkills, scene: Scene) -> QuestionExample:
        """Ask for the plan of a task under a catalogue."""
        text = json.dumps(task.plan, ensure_ascii=False, separators=(',', ':'))
        prompt = self._query(plan_prompt(task.instruction, catalogue.signatures))
        out = self._answer('plan', prompt, text, [])
        if task.expressions:
            self._attend_to_each(out, task, scene)
        return out

    def _attend_to_each(self, out: QuestionExample, task: Task, scene: Scene) -> None:
        """Attend to the named objects one after the other, while '{"status":"' is written."""
        named = dict(
            zip((m.name(task.language) for m in task.expressions), task.expressions, strict=True)
        )
        start = out.decided - len(self._encode(PLAN_OPENING))
        for at in range(start, out.decided + 1):
            what = list(named.values())[min(at - start, len(named) - 1)]
            found = what.matches(scene)
            out.attention[at], out.counted[at] = found or [NOTHING], found
            if first := _first_hop(what, scene):
                out.first_hop[at] = first
        out.named_attributes = named_attributes(what)

    def _query(self, question: str, spatial: Sequence[int] = ()) -> list[int]:
        template = self.tokens.templates.query
        # The suffix stands twice, as the reference's prompt has it outside reasoning mode.
        suffix = [*template.suffix, *template.suffix]
        return [*template.prefix, *spatial, *self._encode(question), *suffix]

    def _answer(
        self, question_type: str, prompt: list[int], text: str, seen: list[int]
    ) -> QuestionExample:
        return self._finish(QuestionExample(prompt, question_type=question_type), text, seen)

    def _finish(self, out: QuestionExample, text: str, seen: list[int]) -> QuestionExample:
        start = out.last_position
        # A plan begins with '{"status":"', which says nothing: it is decided after that.
        out.decided = start + (
            len(self._encode(PLAN_OPENING)) if out.question_type == 'plan' else 0
        )
        out.append_answer(self._encode(text), self.tokens.eos_id)
        for at in {start, out.decided}:
            out.attention[at] = out.counted[at] = seen
        return out


def _place(thing: ObjectTruth, box: bool) -> tuple[float, float]:
    """Return the middle of the box; without one, where one would touch the thing.

    The middle of a box may lie beside a banana.
    """
    x0, y0, x1, y1 = thing.box
    return ((x0 + x1) / 2, (y0 + y1) / 2) if box else thing.point


def _part(what: ReferringExpression, thing: ObjectTruth, rng) -> ReferringExpression:
    """Return the description, or only its kind or its colour, or with a size."""
    draw = rng.random()
    if draw < 0.25:
        return ReferringExpression(category=what.category)
    if draw < 0.33 and what.color:
        return ReferringExpression(color=what.color)
    if draw < 0.45 and thing.size_name:
        size = thing.size_name if rng.random() < 0.5 else list(SIZES)[int(rng.integers(len(SIZES)))]
        return ReferringExpression(what.category, what.color, size)
    return what


def note_hops(out: QuestionExample, what: ReferringExpression, scene: Scene) -> QuestionExample:
    """Note what a question names first, and where it leads before it is decided."""
    out.named_attributes = named_attributes(what)
    if first := _first_hop(what, scene):
        out.first_hop[out.decided] = first
    return out


def _first_hop(what: ReferringExpression, scene: Scene) -> list[int]:
    """Return what must be seen before what is meant: what it stands by, or is compared to."""
    if what.relation:
        return what.other.matches(scene)
    if what.superlative or what.size:
        return replace(what, superlative='', size='').matches(scene)
    return []


def _some_language(rng) -> str:
    return LANGUAGES[int(rng.random() < 0.5)]


def _some_count(scene: Scene, rng) -> tuple[ReferringExpression, list[int]]:
    """Return what to count and the indices of it; a count of n is drawn with a weight of n + 1.

    Expressions of one count are drawn so that category, colour, and both are equally likely.
    """
    numbered = by_number(scene)
    numbers = np.array(sorted(numbered))
    number = rng.choice(numbers, p=(numbers + 1) / (numbers + 1).sum())
    forms: dict[tuple[bool, bool], list[ReferringExpression]] = {}
    for what in numbered[number]:
        forms.setdefault((bool(what.category), bool(what.color)), []).append(what)
    form = list(forms.values())[int(rng.integers(len(forms)))]
    what = form[int(rng.integers(len(form)))]
    return what, what.matches(scene)


def _with_verdict(out: QuestionExample, true: bool) -> QuestionExample:
    """Supervise the counting head on the objects asked about only if the answer is yes."""
    if not true:
        out.counted[out.decided] = []
    return out
