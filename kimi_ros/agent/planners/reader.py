"""The planner that reads the instruction alone: any words, any skills, no image."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import compress
from threading import Event

from kimi_ros.agent import phrases
from kimi_ros.agent.draft import Condition, DraftPlan, DraftQuestion, DraftStep
from kimi_ros.agent.naming import relation_words
from kimi_ros.agent.noun_matching import is_chinese
from kimi_ros.agent.plan import Reason, Status
from kimi_ros.agent.planners.clauses import split_sentences
from kimi_ros.agent.planners.other_language import announce, is_other
from kimi_ros.agent.planners.protocol import PlanRequest
from kimi_ros.agent.planners.retelling import retell_step
from kimi_ros.agent.preconditions import with_missing_steps
from kimi_ros.agent.references import Reference, parse_reference, place_reference
from kimi_ros.agent.skills import Argument, Skill, SkillCatalogue
from kimi_ros.reader import Argument as CardArgument
from kimi_ros.reader import Question, Reader, Reading, SkillCard, Span, Step, Thing

# Relations whose place is the landmark itself: a thing is put on it or into it.
_ONTO = ('', 'on', 'in')


class ReaderPlanner:
    """Makes draft plans of what `kimi_ros.reader` reads in an instruction."""

    name = 'reader'

    def __init__(self, skills: SkillCatalogue, reader: Reader | None = None):
        """Take a catalogue and a `kimi_ros.reader.Reader`; None loads the one that ships."""
        self._skills = skills
        self._cards = _cards(skills)
        self._reader = reader

    def load(self) -> Reader:
        """Return the reader, loading the one that ships where none was given."""
        if self._reader is None:
            self._reader = _shipped_reader()
        return self._reader

    def draft(
        self,
        request: PlanRequest,
        on_text: Callable[[str], None] | None = None,
        cancel: Event | None = None,
    ) -> DraftPlan:
        """Return what the instruction says as a draft."""
        turns = [request.words, *(i for i, _ in reversed(request.history))]
        reading = self.load().read(turns[0], self._cards, request.language, turns[1:])
        draft = _Draft(self._skills, request, turns).of(reading)
        if _leaves_a_sentence(draft, reading, turns[0]):
            draft = self._by_sentences(request) or draft
        if on_text is not None:
            on_text(draft.say)
        return draft

    def _by_sentences(self, request: PlanRequest) -> DraftPlan | None:
        """Return the plan for each sentence after the other, or None where one has no plan."""
        drafts: list[DraftPlan] = []
        said = list(request.history)
        for start, end in split_sentences(request.words):
            part = replace(request, instruction=request.words[start:end], history=tuple(said))
            drafts.append(self.draft(part))
            if drafts[-1].status is not Status.OK:
                return None
            said.append((part.words, drafts[-1].say))
        steps = [step for draft in drafts for step in draft.steps]
        return replace(
            drafts[0],
            say=' '.join(draft.say for draft in drafts),
            steps=tuple(with_missing_steps(steps, self._skills)),
            forbidden=tuple(thing for draft in drafts for thing in draft.forbidden),
            left_out=tuple(words for draft in drafts for words in draft.left_out),
        )


def _leaves_a_sentence(draft: DraftPlan, reading: Reading, words: str) -> bool:
    """Tell whether an instruction of several sentences has no plan, or no step for one of them."""
    sentences = split_sentences(words)
    if len(sentences) < 2:
        return False
    if draft.status is not Status.OK:
        return draft.reason in (Reason.NOT_UNDERSTOOD, Reason.NO_SKILL, Reason.MISSING_ARGUMENT)
    spans = [step.verb for step in reading.steps if step.verb]
    spans += [thing.words for step in reading.steps for thing in step.all_things]
    return any(
        not any(not s.turn and start <= s.start < end for s in spans) for start, end in sentences
    )


@lru_cache(maxsize=1)
def _shipped_reader() -> Reader:
    return Reader.load()


# A robot that can take things and cannot hand them over is asked to bring them all the same.
_TAKES = re.compile(r'pick|grasp|grab|take|lift')
_HANDS_OVER = re.compile(
    r'bring|fetch|deliver|hand_?over|hand (?:it|an?|the)|give|pass|拿给|递|送|交给'
)
_FOR_SOMEBODY = {'en': 'get it for somebody, give it to somebody', 'zh': '拿来、递给人'}


def _cards(skills: SkillCatalogue) -> tuple[SkillCard, ...]:
    """Return what the reader is told of the skills."""
    if any(_HANDS_OVER.search(skill.text) for skill in skills):
        return tuple(map(_card, skills))
    return tuple(_card(_with_handing_over(skill)) for skill in skills)


def _with_handing_over(skill: Skill) -> Skill:
    """Return a skill that takes an object as one that is asked to hand it over, too."""
    if not _TAKES.match(skill.name) or [a.type for a in skill.arguments] != ['object']:
        return skill
    described = {
        language: f'{text.rstrip(".。")}: {_FOR_SOMEBODY[language]}.'
        for language, text in skill.description.items()
    }
    return replace(skill, description=described)


def _card(skill: Skill) -> SkillCard:
    """Return what the reader is told of a skill."""
    arguments = [
        CardArgument(a.name, a.type, a.values, a.unit, a.minimum, a.maximum)
        if a.type == 'number'
        else CardArgument(a.name, a.type, a.values)
        for a in skill.arguments
    ]
    return SkillCard(skill.name, skill.description, tuple(arguments))


class _Draft:
    """The draft of one reading."""

    def __init__(self, skills: SkillCatalogue, request: PlanRequest, turns: Sequence[str]):
        self._skills = skills
        self._request = request
        self._turns = turns

    def of(self, reading: Reading) -> DraftPlan:
        """Return the draft."""
        forbidden = tuple(map(self.reference, reading.forbidden))
        left_out = tuple(filter(None, map(self.text, reading.left_out)))
        if reading.outcome == 'steps':
            return self._steps(reading.steps, forbidden, left_out)
        if reading.outcome == 'answer' and reading.question is not None:
            question = reading.question
            if locating := self._locating(question):
                draft = self._steps(locating, forbidden, left_out)
                name = self.reference(question.things[0]).text
                named = phrases.the(name, self._request.language)
                return replace(draft, say=self._say('here_is', named))
            asked = DraftQuestion(question.kind, tuple(map(self.reference, question.things)))
            return DraftPlan(Status.ANSWER, '', question=asked, left_out=left_out)
        if reading.outcome == 'no_skill':
            verb = self.text(reading.verb) if reading.verb else ''
            say = self._say('no_skill', verb) if verb else self._say('no_skill_at_all')
            return DraftPlan(Status.INFEASIBLE, say, reason=Reason.NO_SKILL, forbidden=forbidden)
        if reading.outcome == 'nothing':
            names = [reference.text for reference in forbidden]
            say = self._say('leave_alone', self._listed(names)) if names else self._say('ready')
            return DraftPlan(Status.ANSWER, say, reason=Reason.NOTHING_ASKED, forbidden=forbidden)
        return self._unclear(left_out)

    def _steps(
        self, said: Sequence[Step], forbidden: tuple[Reference, ...], left_out: tuple[str, ...]
    ) -> DraftPlan:
        steps, told = [], []
        for step in said:
            skill, arguments = self._skills[step.skill], {}
            for argument in skill.arguments:
                value = self._value(step, argument)
                if value is None and not argument.optional:
                    return self._missing(step, argument)
                if self._is_out_of_range(value, argument):
                    return self._out_of_range(step, argument, value)
                if value is not None:
                    arguments[argument.name] = value
            condition = self._condition(step)
            drafted = DraftStep(skill.name, arguments, condition, step.relation)
            if arguments and drafted in steps:
                continue  # nothing is done twice to the same thing
            steps.append(drafted)
            told.append(retell_step(step, self._turns, self._request.language))
        followed = zip(steps, [*steps[1:], None], strict=True)
        alone = [not self._is_included(*pair) for pair in followed]
        steps, told = list(compress(steps, alone)), list(compress(told, alone))
        retold = [words for words in told if words is not None]
        if len(retold) < len(told) or is_other(self._turns[0], self._request.language):
            say = announce(steps, self._skills, self._request.language)
        else:
            say = phrases.intend(list(dict.fromkeys(retold)), self._request.language)
        steps = with_missing_steps(steps, self._skills)
        return DraftPlan(Status.OK, say, tuple(steps), '', forbidden=forbidden, left_out=left_out)

    def _is_included(self, step: DraftStep, following: DraftStep | None) -> bool:
        """Tell whether a step only finds in view what the following one handles."""
        skill = self._skills[step.skill]
        if following is None or not skill.locates or step.condition:
            return False
        if not any(precondition.name == 'visible' for precondition in skill.preconditions):
            return False
        found = [reference.text for reference in step.references(skill).values()]
        handled = following.references(self._skills[following.skill]).values()
        return set(found) <= {reference.text for reference in handled}

    def _locating(self, question: Question) -> tuple[Step, ...]:
        """Return the step that shows where the thing is that a question asks for, if any does."""
        if question.kind != 'where' or len(question.things) != 1:
            return ()
        found = [
            s for s in self._skills if s.locates and [a.type for a in s.arguments] == ['object']
        ]
        return tuple(Step(s.name, None, {s.arguments[0].name: question.things}) for s in found[:1])

    def _value(self, step: Step, argument: Argument) -> Reference | str | float | bool | None:
        """Return what an argument stands for, None where it was not said."""
        if not argument.grounded:
            value = step.values.get(argument.name)
            if value is None:
                return True if argument.type == 'bool' else None
            return value.value
        things = step.things.get(argument.name, ())
        if not things:
            return None
        references = tuple(map(self.reference, things))
        is_place = argument.name == self._place_argument(step)
        if is_place and step.relation not in _ONTO:
            words = relation_words(step.relation, self._request.language)
            text = phrases.place(words, [r.text for r in references], self._request.language)
            return place_reference(step.relation, references, text)
        return references[0]

    def _condition(self, step: Step) -> Condition | None:
        said = step.condition
        return Condition(self.reference(said.thing), said.present) if said else None

    def _place_argument(self, step: Step) -> str:
        """Return the argument that the step's relation is about: the last grounded one."""
        grounded = [a for a in self._skills[step.skill].arguments if a.grounded]
        named = [a.name for a in grounded if a.type in ('region', 'point') or a.name == 'target']
        return named[-1] if named else grounded[-1].name if grounded else ''

    @staticmethod
    def _is_out_of_range(value: Reference | str | float | bool | None, argument: Argument) -> bool:
        if argument.type == 'number' and isinstance(value, (int, float)):
            return not argument.minimum <= value <= argument.maximum
        return argument.type == 'string' and len(str(value or '')) > argument.max_length

    def _out_of_range(
        self, step: Step, argument: Argument, value: Reference | str | float | bool | None
    ) -> DraftPlan:
        """Ask for a number within its limits, or for a shorter text."""
        verb = self.text(step.verb) if step.verb else step.skill.replace('_', ' ')
        name = argument.name.replace('_', ' ')
        if argument.type == 'number':
            limits = f'{argument.minimum:g}', f'{argument.maximum:g}', argument.unit
            say = self._say('out_of_range', verb, name, *limits)
        else:
            say = self._say('too_long', name, argument.max_length)
        return DraftPlan(Status.NEEDS_CLARIFICATION, say, reason=Reason.OUT_OF_RANGE)

    def _missing(self, step: Step, argument: Argument) -> DraftPlan:
        """Ask for an argument that was not said."""
        things = step.all_things
        verb = self.text(step.verb) if step.verb else step.skill.replace('_', ' ')
        if argument.name == self._place_argument(step) and things:
            say = self._say('where_to', verb, self.reference(things[0]).text)
        elif argument.grounded:
            say = self._say('which_thing', verb)
        elif argument.type == 'enum':
            options = phrases.join_alternatives(argument.values, self._request.language)
            say = self._say('which_value', verb, argument.name.replace('_', ' '), options)
        else:
            unit = f' ({argument.unit})' if argument.unit else ''
            say = self._say('what_value', verb, argument.name.replace('_', ' ') + unit)
        return DraftPlan(Status.NEEDS_CLARIFICATION, say, reason=Reason.MISSING_ARGUMENT)

    def _unclear(self, left_out: tuple[str, ...]) -> DraftPlan:
        if left_out:
            say = self._say('not_understood', self._quoted(left_out))
        else:
            say = self._say('say_differently')
        return DraftPlan(Status.NEEDS_CLARIFICATION, say, reason=Reason.NOT_UNDERSTOOD)

    def reference(self, thing: Thing) -> Reference:
        """Return a reading's thing as a reference, in the words said."""
        text, head = self.text(thing.words), self.text(thing.head)
        if thing.head.turn != thing.words.turn:  # "the blue one", of a cup of the turn before
            separator = '' if is_chinese(head) else ' '
            text = separator.join([*map(self.text, thing.attributes), head])
        if thing.order or thing.relation:
            parsed = parse_reference(text)
            spans = sorted([*thing.attributes, thing.head], key=lambda s: (s.turn, s.start))
            joined = ('' if is_chinese(head) else ' ').join(map(self.text, spans))
            name = joined if parsed.is_plain else parsed.name
        else:
            name = parse_reference(text).name if is_chinese(text) else text
        return Reference(
            text=text,
            head=head,
            attributes=tuple(map(self.text, thing.attributes)),
            order=self.text(thing.order) if thing.order else '',
            number=thing.number,
            relation=thing.relation,
            landmarks=tuple(map(self.reference, thing.landmarks)),
            name=name,
        )

    def text(self, span: Span) -> str:
        """Return the words of a span."""
        if not 0 <= span.turn < len(self._turns):
            return ''
        return self._turns[span.turn][span.start : span.end].strip()

    def _listed(self, names: Sequence[str]) -> str:
        return phrases.join_all(
            [phrases.the(n, self._request.language) for n in names], self._request.language
        )

    def _quoted(self, words: Sequence[str]) -> str:
        return phrases.quoted(words, self._request.language)

    def _say(self, key: str, *values: object) -> str:
        return phrases.say(key, self._request.language, *values)
