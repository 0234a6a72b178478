"""What an instruction says: the reader returns it, and its training teaches it.

Everything that was named is a span of what somebody said, never a word of the reader's own: a
reading cannot hold a name that nobody said.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# How one thing stands to another; the last two: of which it is a part, and what it is nearest to.
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


@dataclass(frozen=True)
class Thing:
    """A noun phrase as it was said.

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
    """An argument that is not found in the image: of an enum, a number, a string, a bool.

    :ivar words: where it was said; None where the skill's name says it all (a bool).
    :ivar value: the enum's value, the number in the argument's unit, the text, True or False.
    """

    words: Span | None
    value: str | float | bool


@dataclass(frozen=True)
class Condition:
    """A step is meant only if the thing is in view (`present`), or only if it is not."""

    thing: Thing
    present: bool = True


@dataclass(frozen=True)
class Step:
    """One skill that was asked for. What it needs first (a hand that holds) is not in here.

    :ivar skill: its name in the catalogue.
    :ivar verb: the words that ask for it: "put", "switch ... on" is "switch", 拿.
    :ivar things: by name of an object, point or region argument; a place argument said as
        "between A and B" holds two.
    :ivar relation: how the place argument is meant, one of `RELATIONS`: "put it left of the
        bowl"; '' where the skill has no place argument or none was said.
    """

    skill: str
    verb: Span | None = None
    things: dict[str, tuple[Thing, ...]] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    relation: str = ''
    condition: Condition | None = None


@dataclass(frozen=True)
class Question:
    """A question about the view: "how many cups are left of the box?" is count: cup left_of box."""

    kind: str
    things: tuple[Thing, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What an instruction says.

    :ivar outcome: 'steps'; 'answer' (a question); 'no_skill' (`verb` asks for what no skill of the
        catalogue does); 'nothing' (small talk, or only what must not be done); 'unclear' (below
        the threshold of confidence, or words without sense: ask back).
    :ivar forbidden: what must not be touched: "the pliers, not the hammer" holds the hammer.
    :ivar left_out: words with content that nothing above accounts for.
    :ivar confidence: 0 to 1, calibrated: the share of readings with this figure that are right.
    """

    outcome: str
    steps: tuple[Step, ...] = ()
    question: Question | None = None
    verb: Span | None = None
    forbidden: tuple[Thing, ...] = ()
    left_out: tuple[Span, ...] = ()
    confidence: float = 1.0
