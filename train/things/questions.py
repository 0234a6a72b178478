"""Questions about views of scanned things, with their answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer

from kimi_ros.agent.answers import IDENTITY_ANSWERS, PRESENCE_ANSWERS
from kimi_ros.agent.prompts import (
    attribute_question,
    check_question,
    count_question,
    describe_question,
    presence_question,
    relation_question,
)
from kimi_ros.sim import COLORS
from kimi_ros.sim.language import with_article
from kimi_ros.sim.referring_expression import (
    LANGUAGES,
    attribute_name,
    center_x,
    related,
    relation_name,
)
from kimi_ros.sim.skill_catalogues import DEFAULT_SKILLS, TRAINING_SKILLS, sample_catalogue
from kimi_ros.sim.tasks import SKILL_SHARES, SKILLS, make_task
from kimi_ros.vlm.config import ModelConfig
from kimi_train.nano.question_example import QuestionExample
from kimi_train.nano.questions import QuestionWriter, note_hops
from kimi_train.things.expressions import ExpressionSampler, ThingExpression
from kimi_train.things.views import View

# Of `short` questions; the rest ask for points and boxes.
SHARES = {
    'presence': 0.15,
    'count': 0.12,
    'check': 0.1,
    'attribute': 0.07,
    'relation': 0.06,
}
ABSENT = {'locate': 0.25, 'presence': 0.5, 'count': 0.2, 'plan': 0.2}
_SIDE_MARGIN = 0.05  # of the picture's width: nearer, two things stand on no clear side


class ThingQuestions(QuestionWriter):
    """Writes questions about views of scanned things.

    :param things: `kimi_ros.sim.scans.Things`, whose names are used, in both languages.
    """

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer, things):
        super().__init__(config, tokenizer)
        self.sampler = ExpressionSampler(things)

    def short(self, view: View, rng: np.random.Generator) -> QuestionExample:
        """Return a question with a short answer: where, is it there, how many, what is it like."""
        language = LANGUAGES[int(rng.random() < 0.5)]
        draw, question = rng.random(), None
        for question_type, share in SHARES.items():
            if draw < share:
                ask = getattr(self, f'ask_{question_type}')
                question = ask(view, language, rng)
                break
            draw -= share
        if question is None:
            what = self.sampler.any(view, language, rng, ABSENT['locate'])
            question = self.locate(view.objects, what, language, boxes=rng.random() < 0.5)
        # What a question names is read out for the words of painted tables only.
        question.named_attributes = None
        return question

    def long(self, view: View, rng: np.random.Generator) -> QuestionExample:
        """Return a question with a long answer: a plan (mostly) or a description."""
        language = LANGUAGES[int(rng.random() < 0.5)]
        if view.known and rng.random() < 0.12:
            return self._description(view, language, rng)
        question = self._plan(view, language, rng)
        question.named_attributes = None
        return question

    def ask_presence(self, view: View, language: str, rng) -> QuestionExample:
        """Ask whether something is there."""
        what = self.sampler.any(view, language, rng, ABSENT['presence'])
        found = what.matches(view.objects)
        prompt = self._query(presence_question(what.name(language), language))
        answer = PRESENCE_ANSWERS[language][0 if found else 1]
        return note_hops(self._answer('presence', prompt, answer, found), what, view.objects)

    def ask_count(self, view: View, language: str, rng) -> QuestionExample:
        """Ask how many there are."""
        what = self.sampler.any(view, language, rng, ABSENT['count'])
        found = what.matches(view.objects)
        prompt = self._query(count_question(what.name(language), language))
        return note_hops(self._answer('count', prompt, str(len(found)), found), what, view.objects)

    def ask_attribute(self, view: View, language: str, rng) -> QuestionExample | None:
        """Ask whether something has a certain colour."""
        alone = [(i, what) for i, what in self.sampler.unique(view, language, rng)]
        alone = [(i, what) for i, what in alone if view.objects[i].color]
        if not alone:
            return None
        index, what = _choose(alone, rng)
        color, true = view.objects[index].color, rng.random() < 0.5
        asked = color if true else _choose([c for c in COLORS if c != color], rng)
        question = attribute_question(
            what.name(language), attribute_name(asked, language), language
        )
        answer = IDENTITY_ANSWERS[language][not true]
        out = self._answer('attribute', self._query(question), answer, [index])
        out.first_hop[out.decided] = [index]
        if not true:
            out.counted[out.decided] = []
        return out

    def ask_relation(self, view: View, language: str, rng) -> QuestionExample | None:
        """Ask where one thing stands to another."""
        alone = self.sampler.unique(view, language, rng)
        pairs = [(a, b) for a in alone for b in alone if a[0] != b[0]]
        touching = [
            (a, r, b)
            for a, b in pairs
            for r in ('on', 'in')
            if related(view.objects[a[0]], r, view.objects[b[0]])
        ]
        true = rng.random() < 0.5
        if touching and rng.random() < 0.5:
            one, relation, other = _choose(touching, rng)
            if not true:
                others = [
                    a
                    for a, b in pairs
                    if b[0] == other[0]
                    and not related(view.objects[a[0]], relation, view.objects[b[0]])
                ]
                if not others:
                    return None
                one = _choose(others, rng)
        else:
            clear = [
                (a, b)
                for a, b in pairs
                if abs(center_x(view.objects[a[0]]) - center_x(view.objects[b[0]])) > _SIDE_MARGIN
            ]
            if not clear:
                return None
            one, other = _choose(clear, rng)
            is_left = related(view.objects[one[0]], 'left', view.objects[other[0]])
            relation = 'left' if is_left == true else 'right'
        names = one[1].name(language), other[1].name(language)
        question = relation_question(
            names[0], relation_name(relation, language), names[1], language
        )
        answer = IDENTITY_ANSWERS[language][not true]
        out = self._answer('relation', self._query(question), answer, [one[0]])
        out.first_hop[out.decided] = [other[0]]
        if not true:
            out.counted[out.decided] = []
        return out

    def ask_check(self, view: View, language: str, rng) -> QuestionExample | None:
        """Ask what a box or a point shows, or whether it shows a certain thing."""
        known = self.sampler.unique(view, language, rng)
        if not known:
            return None
        index, what = _choose(known, rng)
        true = True
        if rng.random() < 0.25:
            question = '这是什么？' if language == 'zh' else 'What is this?'
            name = self.sampler.things[view.objects[index].thing].names[language][0]
            answer = name if language == 'zh' else with_article(name).capitalize()
        else:
            true = rng.random() < 0.5
            if not true:
                others = [other for i, other in known if i != index and rng.random() < 0.8]
                what = others[0] if others else self.sampler.absent(view, language, rng)
            question = check_question(what.name(language), language)
            answer = IDENTITY_ANSWERS[language][not true]
        out = self.about_place(question, view.objects[index], rng)
        out = self._finish(out, answer, [index])
        if not true:
            out.counted[out.decided] = []
        return out

    def _plan(self, view: View, language: str, rng) -> QuestionExample:
        """Ask for a plan as the planner asks, under some robot's catalogue."""
        skill = SKILLS[int(rng.choice(len(SKILLS), p=SKILL_SHARES))]
        expressions = [self.sampler.any(view, language, rng, ABSENT['plan'])]
        if skill == 'place':
            target = self._target(expressions[0], view, language, rng)
            if target is None:
                skill = 'pick'
            else:
                expressions.append(target)
        meant = () if skill == 'describe' else expressions
        task = make_task(skill, view.objects, meant, language, rng, _wording)
        catalogue = DEFAULT_SKILLS
        if rng.random() < 0.5:
            invented = TRAINING_SKILLS if rng.random() < 0.5 else ()
            catalogue = sample_catalogue(rng, invented, task.required_skills)
            task = catalogue.translated(task)
        return self.plan_of(task, catalogue, view.objects)

    def _target(
        self, what: ThingExpression, view: View, language: str, rng
    ) -> ThingExpression | None:
        """Return a name of something to put a thing on or in, and that is not that thing."""
        taken = what.matches(view.objects)
        places = [
            other
            for i, other in self.sampler.unique(view, language, rng)
            if self.sampler.things[view.objects[i].thing].supports
            and i not in taken
            and not other.ids & what.ids
            and all(view.objects[k].support != view.objects[i].index for k in taken)
        ]
        return _choose(places, rng) if places else None

    def _description(self, view: View, language: str, rng) -> QuestionExample:
        """Ask for a caption or a description of all that is clear, from left to right."""
        known = sorted(view.known, key=lambda i: center_x(view.objects[i]))
        things = [self.sampler.things[view.objects[i].thing] for i in known]
        if rng.random() < 0.4:
            listed = _listed([with_article(t.names['en'][0]) for t in things])
            ids = self.tokens.templates.caption['short']
            text = f'{listed[0].upper()}{listed[1:]}.'
            return self._answer('caption', list(ids), text, known)
        prompt = self._query(describe_question(language))
        if language == 'zh':
            text = f'我看到{"、".join(t.names["zh"][0] for t in things)}。'
        else:
            text = f'I see {_listed([with_article(t.names["en"][0]) for t in things])}.'
        return self._answer('caption', prompt, text, known)


def _wording(what: ThingExpression, language: str, rng) -> str:
    """Return a name as somebody would say it in a request."""
    name = what.name(language)
    if language == 'zh':
        return _choose(
            [name] * 3 + ([] if what.relation else [f'那个{name}', f'桌上的{name}']), rng
        )
    ways = [f'the {name}'] * 4
    if not (what.relation or what.superlative):
        ways += [with_article(name), f'that {name}', name]
    return _choose(ways, rng)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ', '.join(names[:-1]) + ' and ' + names[-1]


def _choose(options: Sequence, rng):
    return options[int(rng.integers(len(options)))]
