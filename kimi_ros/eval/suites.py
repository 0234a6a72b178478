"""The examinations. Each asks one thing or a few of each scene; the figures count the answers.

What is asked is drawn from the scene's number and the suite alone, so English and Chinese face the
same questions and their difference is paired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kimi_ros.eval.acting import closed_loop
from kimi_ros.eval.errors import TableError
from kimi_ros.eval.looking import Referent, box, point_at
from kimi_ros.eval.other_skills import catalogues
from kimi_ros.eval.outcome import Outcome
from kimi_ros.eval.planning import clarify, demo, phrasings, plans
from kimi_ros.eval.questions import counting, questions
from kimi_ros.eval.referring import FORMS, referent, unseen_pair
from kimi_ros.eval.worlds import TABLES, Tables, World
from kimi_ros.vlm import VisionLanguageModel

Ask = Callable[[VisionLanguageModel, World, str], list[Outcome]]


@dataclass(frozen=True)
class Suite:
    """An examination.

    :ivar ask: asks a model about a scene in a language; an empty list where the scene has nothing
        to ask about.
    :ivar shares: the names of figures that are shares of questions.
    :ivar others: of those that are not.
    :ivar tables: on which of `TABLES` there is something to ask about.
    :ivar held_out: whether the scenes have a thing whose kind and colour training never saw
        together.
    """

    ask: Ask
    shares: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    tables: tuple[str, ...] = TABLES
    held_out: bool = False


def tables_for(suite: str, table: str) -> Tables:
    """Return the scenes of an examination on a table; TableError where it cannot be held there."""
    known = SUITES[suite]
    if table not in known.tables:
        raise TableError(
            f'{suite} asks about what is not on the {table} table: give --table '
            f'{" or ".join(known.tables)}'
        )
    return Tables(table, known.held_out)


def _look(
    how: Callable[[VisionLanguageModel, Referent], Outcome],
    at: Callable[[World, str], Referent | None],
) -> Ask:
    def ask(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
        thing = at(world, language)
        return [] if thing is None else [how(vlm, thing)]

    return ask


SUITES: dict[str, Suite] = {
    'points': Suite(_look(point_at, referent), ('in_mask', *(f'in_mask_{f}' for f in FORMS))),
    'boxes': Suite(_look(box, referent), ('iou50',), ('mean_iou',)),
    'questions': Suite(questions, ('exact', 'presence', 'attributes', 'relations')),
    'counting': Suite(counting, ('exact',)),
    'plans': Suite(plans, ('exact', 'schema_valid'), ('skill_f1',)),
    'clarify': Suite(clarify, ('not_there_recall', 'asks_recall', 'acts_recall'), ('f1',)),
    'phrasings': Suite(phrasings, ('exact', 'in_domain'), ('ratio',)),
    'catalogues': Suite(catalogues, ('exact',)),
    'pairs': Suite(_look(point_at, unseen_pair), ('in_mask',), tables=('full',), held_out=True),
    'closed-loop': Suite(
        closed_loop, ('success', 'success_acting', 'success_leaving'), tables=('full',)
    ),
    'demo': Suite(demo, ('right',)),
}
