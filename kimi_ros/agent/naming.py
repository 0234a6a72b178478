"""What a model is asked for: the name of a reference in the model's own language and words."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_ros.agent.noun_matching import is_chinese
from kimi_ros.agent.references import Reference
from kimi_ros.agent.translation import to_english
from kimi_ros.agent.vocabulary import as_taught, singular

_EN = {
    'left_of': 'left of', 'right_of': 'right of', 'in_front_of': 'in front of', 'behind': 'behind',
    'next_to': 'next to', 'nearest_to': 'nearest to', 'between': 'between', 'under': 'under',
    'above': 'above', 'in': 'in', 'on': 'on', 'part_of': 'of',
}  # fmt: skip
_ZH = {
    'left_of': '左边', 'right_of': '右边', 'in_front_of': '前面', 'behind': '后面',
    'next_to': '旁边', 'nearest_to': '最近', 'between': '之间', 'under': '下面', 'above': '上方',
    'in': '里', 'on': '上', 'part_of': '',
}  # fmt: skip


class Naming:
    """Names references for one model.

    :param languages: that the model understands.
    :param taught: the model knows the words of `vocabulary` only, and was trained on whole phrases.
    """

    def __init__(self, languages: Sequence[str] = ('en', 'zh'), taught: bool = False):
        self._languages = tuple(languages)
        self.taught = taught

    def understands(self, language: str) -> bool:
        """Tell whether the model understands a language."""
        return language in self._languages

    def name(self, reference: Reference) -> str:
        """Return what the model is asked for: the phrase without order and relation.

        Raises UnknownWordError where the model lacks the language and the table lacks the word.
        """
        if reference.is_plain and reference.query:
            return reference.query
        return self.in_own_words(reference.name or reference.text)

    def phrase(self, reference: Reference) -> str:
        """Return the whole phrase in the words that the model was trained on."""
        if reference.query:
            return reference.query
        name = self.name(reference)
        marks = [self.phrase(mark) for mark in reference.landmarks]
        order = as_taught(reference.order)
        if is_chinese(name):
            place = f'{"和".join(marks)}{_ZH[reference.relation]}的' if reference.relation else ''
            return f'{place}{order}{name}'
        place = f' {_EN[reference.relation]} the {" and the ".join(marks)}' if marks else ''
        return f'{order} {name}{place}'.strip()

    def in_own_words(self, name: str) -> str:
        """Return a name in the model's language and, for a closed vocabulary, in its words."""
        if is_chinese(name) and 'zh' not in self._languages:
            english = to_english(name)
            if english is None:
                raise UnknownWordError(name)
            return english
        return as_taught(singular(name)) if self.taught else name


class UnknownWordError(Exception):
    """A name is in a language that the model lacks, and in no table.

    :ivar name: the name.
    """

    def __init__(self, name: str):
        super().__init__(f'there is no English for {name!r}')
        self.name = name


def relation_words(relation: str, language: str) -> str:
    """Return how a relation is said: 'left of', 左边."""
    return (_ZH if language == 'zh' else _EN)[relation]
