"""A noun phrase under construction, with its annotation."""

from __future__ import annotations

from kimi_ros.reader.reading import Span, Thing

__all__ = ['AnnotatedPhrase']


class AnnotatedPhrase:
    """A noun phrase with the numbers of its spans; see `Thing` for their meaning.

    :ivar text: with its determiner and span markers, as it stands in the sentence.
    :ivar words: number of the span of the phrase without its determiner.
    :ivar plural: whether its pronoun is "them".
    :ivar noun_class: class of its noun in the lexicon.
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
        'noun_class',
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
        noun_class='any',
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
        self.noun_class = noun_class

    def to_thing(self, spans: dict[int, Span]) -> Thing:
        """Return the phrase as a `Thing`, given the offsets of its spans."""
        return Thing(
            spans[self.words],
            spans[self.head],
            tuple([spans[a] for a in self.attributes]),
            spans[self.order] if self.order else None,
            self.number,
            self.relation,
            tuple([landmark.to_thing(spans) for landmark in self.landmarks]),
        )
