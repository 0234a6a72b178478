"""The examinations. Each asks one thing or a few of each scene; the figures count the answers.

What is asked is drawn from the scene's number and the suite alone, so English and Chinese face the
same questions and their difference is paired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kimi_ros.eval.errors import UnsupportedWorldError
from kimi_ros.eval.execution import evaluate_closed_loop
from kimi_ros.eval.held_out_scenes import WORLDS, HeldOutScene, SceneSource
from kimi_ros.eval.localization import LocalizationSample, evaluate_box, evaluate_point
from kimi_ros.eval.outcome import Outcome
from kimi_ros.eval.planning import clarify, demo, phrasings, plans
from kimi_ros.eval.questions import counting, questions
from kimi_ros.eval.referring import EXPRESSION_TYPES, held_out_pair, localization_sample
from kimi_ros.eval.unseen_skills import catalogues
from kimi_ros.vlm import VisionLanguageModel

Evaluate = Callable[[VisionLanguageModel, HeldOutScene, str], list[Outcome]]


@dataclass(frozen=True)
class Suite:
    """An examination.

    :ivar evaluate: asks a model about a scene in a language; an empty list where the scene has nothing
        to ask about.
    :ivar proportions: the names of figures that are shares of questions.
    :ivar other_metrics: of those that are not.
    :ivar tables: on which of `WORLDS` there is something to ask about.
    :ivar held_out: whether the scenes have a thing whose kind and colour training never saw
        together.
    """

    evaluate: Evaluate
    proportions: tuple[str, ...] = ()
    other_metrics: tuple[str, ...] = ()
    tables: tuple[str, ...] = WORLDS
    held_out: bool = False


def scene_source_for(suite: str, table: str) -> SceneSource:
    """Return the scenes of an examination on a table; UnsupportedWorldError where it cannot be held there."""
    known = SUITES[suite]
    if table not in known.tables:
        raise UnsupportedWorldError(
            f'{suite} asks about what is not on the {table} table: give --table '
            f'{" or ".join(known.tables)}'
        )
    return SceneSource(table, known.held_out)


def _look(
    how: Callable[[VisionLanguageModel, LocalizationSample], Outcome],
    at: Callable[[HeldOutScene, str], LocalizationSample | None],
) -> Evaluate:
    def evaluate(vlm: VisionLanguageModel, world: HeldOutScene, language: str) -> list[Outcome]:
        thing = at(world, language)
        return [] if thing is None else [how(vlm, thing)]

    return evaluate


SUITES: dict[str, Suite] = {
    'points': Suite(_look(evaluate_point, localization_sample), ('in_mask', *(f'in_mask_{f}' for f in EXPRESSION_TYPES))),
    'boxes': Suite(_look(evaluate_box, localization_sample), ('iou50',), ('mean_iou',)),
    'questions': Suite(questions, ('exact', 'presence', 'attributes', 'relations')),
    'counting': Suite(counting, ('exact',)),
    'plans': Suite(plans, ('exact', 'schema_valid'), ('skill_f1',)),
    'clarify': Suite(clarify, ('not_there_recall', 'asks_recall', 'acts_recall'), ('f1',)),
    'phrasings': Suite(phrasings, ('exact', 'in_domain'), ('ratio',)),
    'catalogues': Suite(catalogues, ('exact',)),
    'pairs': Suite(_look(evaluate_point, held_out_pair), ('in_mask',), tables=('full',), held_out=True),
    'closed-loop': Suite(
        evaluate_closed_loop, ('success', 'success_acting', 'success_leaving'), tables=('full',)
    ),
    'demo': Suite(demo, ('right',)),
}
