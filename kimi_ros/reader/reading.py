"""The result of parsing an instruction, and the annotation of training examples.

Names are spans of the instruction or of a previous one: a reading cannot contain a name that
nobody said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

# Spatial relations to a landmark, of which the thing is a part or to which it is nearest, too.
RELATIONS = (
    'on',
    'in',
    'left_of',
    'right_of',
    'in_front_of',
    'behind',
    'next_to',
    'between',
    'under',
    'above',
    'part_of',
    'nearest_to',
)
OUTCOMES = ('steps', 'answer', 'no_skill', 'nothing', 'unclear')
QUESTIONS = (
    'describe',
    'count',
    'presence',
    'where',
    'what',
    'attribute',
    'relation',
    'text',
    'other',
)


@dataclass(frozen=True)
class Span:
    """Characters [start, end) of the instruction (turn 0), or of the one `turn` turns before it."""

    start: int
    end: int
    turn: int = 0

    def text_in(self, texts: Sequence[str]) -> str:
        """Return its words; `texts` are the instruction and those before it, the newest first."""
        return texts[self.turn][self.start : self.end]


@dataclass(frozen=True)
class Thing:
    """A noun phrase.

    :ivar words: the whole phrase without its article, with its relation and landmark:
        "smaller red cup left of the kettle".
    :ivar head: "cup"; for "the red one", "one".
    :ivar attributes: "red", "with the yellow grip".
    :ivar order: a superlative, comparative or ordinal: "smaller", "second from the left", 最左边的.
    :ivar number: 'one', 'all', 'both', 'other' ("the other one"), or digits: '3'.
    :ivar relation: one of `RELATIONS`, to `landmarks` (two for 'between'), or ''.
    """

    words: Span
    head: Span
    attributes: tuple[Span, ...] = ()
    order: Span | None = None
    number: str = 'one'
    relation: str = ''
    landmarks: tuple[Thing, ...] = ()


@dataclass(frozen=True)
class Value:
    """The value of an enum, number, string or bool argument.

    :ivar words: its span; None if the skill's name implies it (a bool).
    :ivar value: the enum's value, the number in the argument's unit, the text, True or False.
    """

    words: Span | None
    value: str | float | bool


@dataclass(frozen=True)
class Condition:
    """A step applies only if the object is in view (`present`), or only if it is not."""

    thing: Thing
    present: bool = True


@dataclass(frozen=True)
class Step:
    """A request for one skill, without its preconditions.

    :ivar skill: its name in the catalogue.
    :ivar verb: the verb of the request: "put", "switch ... on" is "switch", 拿.
    :ivar things: noun phrases by object, point or region argument; two for "between A and B".
    :ivar relation: of the place argument, one of `RELATIONS`: "put it left of the bowl"; '' without
        a place.
    :ivar plain: where it was read from plainer words than those that were said: these words, and
        the step in them.
    """

    skill: str
    verb: Span | None = None
    things: dict[str, tuple[Thing, ...]] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    relation: str = ''
    condition: Condition | None = None
    plain: tuple[str, Step] | None = field(default=None, compare=False)

    @property
    def all_things(self) -> tuple[Thing, ...]:
        """The noun phrases of all arguments."""
        return tuple(thing for group in self.things.values() for thing in group)


@dataclass(frozen=True)
class Question:
    """A question about the view: "how many cups are left of the box?" is a count of cups."""

    kind: str
    things: tuple[Thing, ...] = ()


@dataclass(frozen=True)
class Reading:
    """The parse of an instruction.

    :ivar outcome: 'steps'; 'answer' (a question); 'no_skill' (no skill of the catalogue fulfils the
        request of `verb`); 'nothing' (small talk, or only a prohibition); 'unclear' (below
        the confidence threshold, or unintelligible: ask back).
    :ivar forbidden: objects that must not be touched: the hammer in "the pliers, not the hammer".
    :ivar left_out: words with content that nothing above covers.
    :ivar confidence: 0 to 1, calibrated: the accuracy of readings with this confidence.
    """

    outcome: str
    steps: tuple[Step, ...] = ()
    question: Question | None = None
    verb: Span | None = None
    forbidden: tuple[Thing, ...] = ()
    left_out: tuple[Span, ...] = ()
    confidence: float = 1.0
