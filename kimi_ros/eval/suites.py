"""The examinations. Each asks one thing or a few of each scene; the figures count the answers.

What is asked is drawn from the scene's number and the suite alone, so English and Chinese face the
same questions and their difference is paired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kimi_ros.eval.looking import Referent, box, point_at
from kimi_ros.eval.outcome import Outcome
from kimi_ros.eval.planning import clarify, demo, phrasings, plans
from kimi_ros.eval.questions import counting, questions
from kimi_ros.eval.worlds import World
from kimi_ros.sim.tasks import Mix, some_description
from kimi_ros.vlm import VisionLanguageModel

_PIXELS = 100  # of which a thing must show as many, to be pointed at

Ask = Callable[[VisionLanguageModel, World, str], list[Outcome]]


@dataclass(frozen=True)
class Suite:
    """An examination.

    :ivar ask: asks a model about a scene in a language; an empty list where the scene has nothing
        to ask about.
    :ivar shares: the names of figures that are shares of questions.
    :ivar others: of those that are not.
    """

    ask: Ask
    shares: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def referent(world: World, language: str) -> Referent | None:
    """Return one thing of the scene and a name that means it alone, or None where all are alike.

    It is described by its kind, its colour or both, and possibly by its side of another thing.
    """
    rng = world.rng('points')
    for _ in range(1000):
        what = some_description(world.objects, rng, Mix(absent=0))
        found = what.matches(world.objects)
        if len(found) == 1 and world.objects[found[0]].pixels >= _PIXELS:
            thing = world.objects[found[0]]
            mask = world.segmentation == thing.index
            return Referent(world.frame.rgb, what.name(language), mask, thing.box)
    return None


def _look(how: Callable[[VisionLanguageModel, Referent], Outcome]) -> Ask:
    def ask(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
        thing = referent(world, language)
        return [] if thing is None else [how(vlm, thing)]

    return ask


SUITES: dict[str, Suite] = {
    'points': Suite(_look(point_at), ('in_mask',)),
    'boxes': Suite(_look(box), ('iou50',), ('mean_iou',)),
    'questions': Suite(questions, ('exact', 'presence', 'attributes', 'relations')),
    'counting': Suite(counting, ('exact',)),
    'plans': Suite(plans, ('exact', 'schema_valid'), ('skill_f1',)),
    'clarify': Suite(clarify, ('not_there_recall', 'asks_recall', 'acts_recall'), ('f1',)),
    'phrasings': Suite(phrasings, ('exact', 'in_domain'), ('ratio',)),
    'demo': Suite(demo, ('right',)),
}
