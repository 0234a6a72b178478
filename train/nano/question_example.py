"""A training example of nano: a question, its answer, and how attention is supervised."""

from __future__ import annotations

from dataclasses import dataclass, field

from kimi_ros.sim import CATEGORIES, COLORS
from kimi_ros.sim.full.object_classes import SIZES
from kimi_ros.sim.referring_expression import RELATIONS, SUPERLATIVES, ReferringExpression
from kimi_train.examples import Example

NOTHING = -1  # among objects to attend to: the image's first position
QUESTION_TYPES = (
    'locate',
    'presence',
    'check',
    'plan',
    'caption',
    'count',
    'relation',
    'attribute',
)
# What a question names first: how many answers each of its parts has, the last for any.
NAME_OPTIONS = (
    len(CATEGORIES) + 1,
    len(COLORS) + 1,
    len(SIZES) + 1,
    len(SUPERLATIVES) + 1,
    len(RELATIONS) + 1,
)


@dataclass
class QuestionExample(Example):
    """A question with its answer, and how it is decided.

    Attention supervision: `attention[i]` are the objects that the pointing head should attend to
    from position i, an empty list or `NOTHING` for none of them; `first_hop[i]` those that it
    should attend to in the earlier block, where they differ; `counted` likewise for the counting
    head; at the positions in `point_patch` the pointing head should attend to the one patch that
    holds the grasp point. `decided` is the position at which the answer is decided, and
    `question_type` one of `QUESTION_TYPES`, for metrics. `named_attributes` says what is named
    first, as `NAME_OPTIONS` counts it.
    """

    question_type: str = ''
    decided: int = 0
    named_attributes: tuple[int, ...] | None = None
    attention: dict[int, list[int]] = field(default_factory=dict)
    first_hop: dict[int, list[int]] = field(default_factory=dict)
    counted: dict[int, list[int]] = field(default_factory=dict)
    point_patch: set[int] = field(default_factory=set)


def named_attributes(what: ReferringExpression) -> tuple[int, ...]:
    """Return what a description says, as `NAME_OPTIONS` counts it."""
    parts = (
        (what.category, CATEGORIES),
        (what.color, COLORS),
        (what.size, list(SIZES)),
        (what.superlative, list(SUPERLATIVES)),
        (what.relation, list(RELATIONS)),
    )
    return tuple(names.index(word) if word else len(names) for word, names in parts)
