"""A noun phrase while a sentence is being made: its text with marks, and what it says."""

from __future__ import annotations

from kimi_ros.reader.reading import Span, Thing

__all__ = ['Phrase']


class Phrase:
    """A noun phrase with the numbers of its marked pieces.

    :ivar text: with its determiner, as it stands in the sentence.
    :ivar words: number of the mark around the phrase without its determiner.
    :ivar plural: whether "them" points back at it.
    :ivar kind: class of its noun, from the word lists.
    """

    __slots__ = (
        'text',
        'words',
        'head',
        'attributes',
        'order',
        'number',
        'relation',
        'landmarks',
        'plural',
        'kind',
    )

    def __init__(
        self,
        text,
        words,
        head,
        attributes=(),
        order=0,
        number='one',
        relation='',
        landmarks=(),
        plural=False,
        kind='any',
    ):
        self.text = text
        self.words = words
        self.head = head
        self.attributes = attributes
        self.order = order
        self.number = number
        self.relation = relation
        self.landmarks = landmarks
        self.plural = plural
        self.kind = kind

    def thing(self, spans: dict[int, Span]) -> Thing:
        """Return the thing, once it is known where each piece lies."""
        return Thing(
            spans[self.words],
            spans[self.head],
            tuple([spans[a] for a in self.attributes]),
            spans[self.order] if self.order else None,
            self.number,
            self.relation,
            tuple([landmark.thing(spans) for landmark in self.landmarks]),
        )
