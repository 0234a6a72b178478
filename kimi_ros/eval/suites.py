"""The evaluation suites. Each asks one or a few questions about a scene; metrics count the answers.

What is asked is drawn from the scene's number and the suite alone, so English and Chinese face the
same questions and their difference is paired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kimi_ros.eval.asking import ask
from kimi_ros.eval.errors import UnsupportedWorldError
from kimi_ros.eval.execution import evaluate_closed_loop
from kimi_ros.eval.guiding import evaluate_guide
from kimi_ros.eval.held_out_scenes import WORLDS, HeldOutScene, SceneSource
from kimi_ros.eval.localization import LocalizationSample, evaluate_box, evaluate_point
from kimi_ros.eval.outcome import Outcome
from kimi_ros.eval.placing import closed_loop_places, places
from kimi_ros.eval.planning import clarify, demo, phrasings, plans
from kimi_ros.eval.questions import counting, questions
from kimi_ros.eval.referring import EXPRESSION_TYPES, held_out_pair, localization_sample
from kimi_ros.eval.system import System
from kimi_ros.eval.unseen_skills import catalogues
from kimi_ros.vlm import VisionLanguageModel

Evaluate = Callable[[System, HeldOutScene, str], list[Outcome]]


@dataclass(frozen=True)
class Suite:
    """A suite.

    :ivar evaluate: asks a system about a scene in a language; returns an empty list where the
        suite does not apply to the scene.
    :ivar proportions: the names of metrics that are proportions of questions.
    :ivar other_metrics: the names of the other metrics.
    :ivar worlds: the `WORLDS` that the suite applies to.
    :ivar held_out: whether a scene has an object whose category and colour training never saw
        together.
    """

    evaluate: Evaluate
    proportions: tuple[str, ...] = ()
    other_metrics: tuple[str, ...] = ()
    worlds: tuple[str, ...] = WORLDS
    held_out: bool = False


def scene_source_for(suite: str, world: str) -> SceneSource:
    """Return a suite's scenes; UnsupportedWorldError where it does not apply to the world."""
    known = SUITES[suite]
    if world not in known.worlds:
        raise UnsupportedWorldError(
            f'{suite} does not apply to the {world} table: give --table {" or ".join(known.worlds)}'
        )
    return SceneSource(world, known.held_out)


def _localization(
    how: Callable[[VisionLanguageModel, LocalizationSample], Outcome],
    at: Callable[[HeldOutScene, str], LocalizationSample | None],
) -> Evaluate:
    def evaluate(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
        thing = at(world, language)
        return [] if thing is None else [how(system.vlm, thing)]

    return evaluate


def _of_model(how: Callable[[VisionLanguageModel, HeldOutScene, str], list[Outcome]]) -> Evaluate:
    return lambda system, world, language: how(system.vlm, world, language)


SUITES: dict[str, Suite] = {
    'points': Suite(
        _localization(evaluate_point, localization_sample),
        ('in_mask', *(f'in_mask_{f}' for f in EXPRESSION_TYPES)),
    ),
    'boxes': Suite(_localization(evaluate_box, localization_sample), ('iou50',), ('mean_iou',)),
    # Of a user's own pictures only: no rendered scene is a photograph.
    'photos': Suite(lambda *_: [], ('in_box', 'iou50', 'found', 'false_alarms'), ('mean_iou',)),
    'questions': Suite(_of_model(questions), ('exact', 'presence', 'attributes', 'relations')),
    'counting': Suite(_of_model(counting), ('exact',)),
    'plans': Suite(plans, ('exact', 'schema_valid'), ('skill_f1',)),
    'clarify': Suite(clarify, ('not_there_recall', 'asks_recall', 'acts_recall'), ('f1',)),
    'phrasings': Suite(phrasings, ('exact', 'in_domain'), ('ratio',)),
    'catalogues': Suite(catalogues, ('exact',)),
    'pairs': Suite(
        _localization(evaluate_point, held_out_pair), ('in_mask',), worlds=('full',), held_out=True
    ),
    'closed-loop': Suite(
        evaluate_closed_loop, ('success', 'success_acting', 'success_leaving'), worlds=('full',)
    ),
    'places': Suite(places, ('exact', 'exact_possible', 'exact_no_place'), worlds=('full',)),
    'closed-loop-places': Suite(closed_loop_places, ('success',), worlds=('full',)),
    'ask': Suite(ask, ('exact', 'presence', 'attribute', 'relation', 'count')),
    'demo': Suite(demo, ('right',)),
    'guide': Suite(
        evaluate_guide,
        ('reached', 'said_reached', 'wrongly_said_reached'),
        ('sentences', 'seconds'),
        worlds=('full',),
    ),
}
