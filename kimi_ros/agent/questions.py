"""Answers to questions about the view: from boxes and geometry where they are surer, else asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kimi_ros.agent import phrases
from kimi_ros.agent.answers import Verdict, parse_yes_no
from kimi_ros.agent.draft import DraftQuestion
from kimi_ros.agent.naming import UnknownWordError, relation_words
from kimi_ros.agent.noun_matching import is_chinese
from kimi_ros.agent.perception import Detection, Perception
from kimi_ros.agent.plan import Reason
from kimi_ros.agent.prompts import attribute_question, count_question, describe_question
from kimi_ros.agent.references import Reference
from kimi_ros.agent.relations import Geometry, holds, select_by_relation
from kimi_ros.agent.resolution import Resolver

_COLORS = {
    'en': 'red orange yellow green blue purple black white pink brown gray'.split(),
    'zh': '红色 橙色 黄色 绿色 蓝色 紫色 黑色 白色 粉色 棕色 灰色'.split(),
}
_UNKNOWN_THINGS = frozenset('what which thing something anything 什么 啥 东西 什么东西'.split())
_SHORT = 8  # tokens of a yes, a no or a number
_COLOR_QUESTION = re.compile(r'\bcolou?r\b|颜色|什么色')


@dataclass(frozen=True)
class Answer:
    """What is said to a question, and the things that it is about.

    :ivar reason: CANNOT_TELL or UNKNOWN_WORD where there is no answer.
    """

    say: str
    detections: tuple[Detection, ...] = ()
    reason: str = ''


class QuestionAnswerer:
    """Answers questions about one frame."""

    def __init__(self, perception: Perception, resolver: Resolver, language: str):
        self._perception = perception
        self._resolver = resolver
        self._language = language
        self._geometry = Geometry(perception.frame)

    def answer(
        self,
        question: DraftQuestion,
        text: str,
        on_text: Callable[[str], None] | None = None,
    ) -> Answer:
        """Return the answer.

        :param text: the question as it was asked.
        """
        ways = {
            'describe': self._describe,
            'count': self._count,
            'presence': self._presence,
            'where': self._where,
            'relation': self._relation,
            'attribute': self._attribute,
            'what': self._what,
        }
        found, kind = None, question.kind
        if kind == 'relation' and question.references:
            # "What is left of the bowl?" names no thing that could stand there.
            asked = question.references[0].head.lower()
            kind = 'what' if asked in _UNKNOWN_THINGS else kind
        if question.kind == 'describe' or question.references:
            way = ways.get(kind)
            found = way(question, text) if way else None
        answer = found or self._ask(question, text)
        if on_text is not None:
            on_text(answer.say)
        return answer

    def _describe(self, question: DraftQuestion, text: str) -> Answer:
        return Answer(self._perception.ask(describe_question(self._language)))

    def _count(self, question: DraftQuestion, text: str) -> Answer:
        reference = question.references[0]
        seen = self._seen(reference)
        number = len(seen)
        naming = self._perception.naming
        if naming.taught and reference.is_plain:
            # It was trained to count, and counts what boxes miss or see twice.
            name = naming.name(reference)
            asked = count_question(name, 'zh' if is_chinese(name) else 'en')
            digits = re.search(r'\d+', self._perception.ask(asked, max_tokens=_SHORT))
            number = int(digits[0]) if digits else number
        return Answer(phrases.count(number, reference.text, self._language), seen)

    def _presence(self, question: DraftQuestion, text: str) -> Answer:
        reference = question.references[0]
        seen = self._seen(reference)
        if not seen:
            named = phrases.with_article(reference.text, self._language)
            return Answer(self._say('no_not_visible', named))
        return Answer(self._say('yes_visible', self._located(reference.text, seen)), seen)

    def _where(self, question: DraftQuestion, text: str) -> Answer:
        reference = question.references[0]
        seen = self._seen(reference)
        if not seen:
            named = phrases.with_article(reference.text, self._language)
            return Answer(self._say('not_visible', named))
        return Answer(self._say('here_is', self._located(reference.text, seen)), seen)

    def _relation(self, question: DraftQuestion, text: str) -> Answer | None:
        """Tell whether a thing stands where it is said to be."""
        reference = question.references[0]
        if not reference.relation:
            return None
        parts = (reference.without_place, *reference.landmarks)
        resolved = [self._resolver.resolve(part) for part in parts]
        for part, resolution in zip(parts, resolved, strict=True):
            if not resolution.candidates:
                named = phrases.with_article(part.text, self._language)
                return Answer(self._say('not_visible', named))
        if any(len(r.candidates) > 1 for r in resolved[1:]):
            return None
        marks = [r.candidates[0] for r in resolved[1:]]
        inside = any(
            holds(c, reference.relation, marks, self._geometry) for c in resolved[0].candidates
        )
        seen = tuple(
            Detection(part.text, candidate)
            for part, resolution in zip(parts, resolved, strict=True)
            for candidate in resolution.candidates
        )
        return Answer(self._say('yes' if inside else 'no'), seen)

    def _attribute(self, question: DraftQuestion, text: str) -> Answer | None:
        """Tell a thing's colour, or whether it is as it is said to be."""
        reference = question.references[0]
        seen = self._seen(reference)
        if not seen:
            return Answer(
                self._say('not_visible', phrases.with_article(reference.text, self._language))
            )
        name = self._perception.naming.name(reference)
        language = 'zh' if is_chinese(name) else 'en'
        if question.value:
            value = self._perception.naming.in_own_words(question.value)
            verdict = self._verdict(attribute_question(name, value, language))
            if verdict is Verdict.UNCLEAR:
                return None
            return Answer(self._say('yes' if verdict is Verdict.YES else 'no'), seen)
        if not _COLOR_QUESTION.search(text.lower()) or len(seen) > 1:
            return None
        for number, color in enumerate(_COLORS[language]):
            asked = attribute_question(name, color, language)
            if self._verdict(asked) is Verdict.YES:
                said = _COLORS[self._language][number]
                return Answer(self._say('it_is', reference.text, said), seen)
        return None

    def _verdict(self, asked: str) -> Verdict:
        return parse_yes_no(self._perception.ask(asked, max_tokens=_SHORT))

    def _what(self, question: DraftQuestion, text: str) -> Answer | None:
        """Name what stands in a relation to a landmark: of all things that the model describes."""
        reference = question.references[0]
        relation, marks = reference.relation, reference.landmarks
        if not relation or not self._perception.naming.taught:
            return None  # a model without a closed vocabulary is asked in the words said
        landmarks = [self._resolver.resolve(mark) for mark in marks]
        for mark, resolution in zip(marks, landmarks, strict=True):
            if len(resolution.candidates) != 1:
                named = phrases.with_article(mark.text, self._language)
                return (
                    Answer(self._say('not_visible', named)) if not resolution.candidates else None
                )
        at = [r.candidates[0] for r in landmarks]
        seen = []
        for name in self._described():
            candidates = self._perception.find(name)
            for candidate in select_by_relation(candidates, relation, at, self._geometry):
                seen.append(Detection(name, candidate))
        places = tuple(Detection(m.text, c) for m, c in zip(marks, at, strict=True))
        if not seen:
            return Answer(self._say('nothing_there'), places)
        names = [phrases.with_article(d.label, self._language) for d in seen]
        say = self._say('i_see', phrases.join_all(names, self._language))
        return Answer(say, (*seen, *places))

    def _described(self) -> list[str]:
        """Return the names of all things in the model's description of the view."""
        return described_names(self._perception.ask(describe_question(self._language)))

    def _ask(self, question: DraftQuestion, text: str) -> Answer:
        """Put the question to the model, in a language that it understands."""
        seen = self._shown(question)
        naming = self._perception.naming
        if naming.taught:
            # It was trained on a few forms of questions: its answers to others mean nothing.
            return Answer(self._say('cannot_tell'), seen, Reason.CANNOT_TELL)
        if is_chinese(text) and not naming.understands('zh'):
            english = english_question(question, naming.in_own_words)
            if english is None:
                return Answer(self._say('cannot_ask'), seen, Reason.CANNOT_TELL)
            return Answer(self._say('in_english', self._perception.ask(english)), seen)
        return Answer(self._perception.ask(text) or self._say('cannot_tell'), seen)

    def _shown(self, question: DraftQuestion) -> tuple[Detection, ...]:
        """Return the things that a question is about, as far as they are found and have a name."""
        seen: list[Detection] = []
        for reference in question.references:
            unknown = reference.head.lower() in _UNKNOWN_THINGS
            for part in reference.landmarks if unknown else (reference,):
                try:
                    seen += self._seen(part)
                except UnknownWordError:
                    continue
        return tuple(seen)

    def _seen(self, reference: Reference) -> tuple[Detection, ...]:
        resolution = self._resolver.resolve(reference)
        if resolution.subject != reference:
            return ()
        return tuple(Detection(reference.text, c) for c in resolution.candidates)

    def _located(self, name: str, seen: Sequence[Detection]) -> str:
        points = [d.candidate.point for d in seen]
        size = self._perception.frame.size
        described = phrases.describe_positions(points, size, self._language)
        return phrases.join_all(
            [phrases.with_position(name, place, self._language) for place in described],
            self._language,
        )

    def _say(self, key: str, *values: object) -> str:
        return phrases.say(key, self._language, *values)


def described_names(description: str) -> list[str]:
    """Return the different names in a description that lists things, as nano's does."""
    parts = re.split(r'[,，、。.;]|\band\b|和', description)
    cut = r'^(?:I see|there (?:is|are)|我看到了?|有)?\s*(?:(?:an?|the|some)\s+)?'
    names = [re.sub(cut, '', part.strip(), flags=re.IGNORECASE).strip() for part in parts]
    return list(dict.fromkeys(name for name in names if name))


def english_question(question: DraftQuestion, translate: Callable[[str], str]) -> str | None:
    """Return a Chinese question in English by its kind and its things; None for other kinds."""
    forms = {
        'attribute': 'What does the {} look like?',
        'what': 'What is the {}?',
        'text': 'What is written on the {}?',
        'where': 'Where is the {}?',
    }
    form = forms.get(question.kind)
    if not question.references:
        return None
    try:
        reference = question.references[0]
        if reference.relation and reference.head in _UNKNOWN_THINGS:
            marks = ' and the '.join(translate(m.name or m.text) for m in reference.landmarks)
            return f'What is {relation_words(reference.relation, "en")} the {marks}?'
        if form is None:
            return None
        return form.format(translate(reference.name or reference.text))
    except UnknownWordError:
        return None
