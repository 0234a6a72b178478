"""What a walk counts for, and its transcript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kimi_ros.eval.journal import Journal
from kimi_ros.eval.metrics import Metric, compute_metric
from kimi_ros.eval.outcome import Outcome, binary
from kimi_ros.eval.system import System
from kimi_ros.eval.walking.judging import (
    BEFORE,
    Announced,
    Verdict,
    judge_hazards,
    judge_sentence,
)
from kimi_ros.eval.walking.walk import Walk, model_eyes, truth_eyes, walk
from kimi_ros.sim.seeds import FIRST_EVALUATION_SEED
from kimi_ros.sim.way import WayRenderer, sample_way

FIGURES = {
    'announced': True,
    'there': True,
    'side_right': True,
    'distance_right': True,
    'free_right': True,
    'paced': True,
    'sentences_per_3_s': False,
}
"""The figures by their names, and whether they are shares."""

PACE = 3.0
"""Seconds: at most one sentence in these, unless a hazard interrupts."""

_SIZE, _MODEL_SIZE = (320, 240), (640, 480)  # pixels of the images


def walk_number(
    number: int, language: str, level: str = 'normal', system: System | None = None
) -> list[Outcome]:
    """Walk the held-out way of a number, and return its outcomes. Raises GLNotAvailable.

    :param system: what sees; None: the simulator's segmentation, and images without shadows, which
        only the tracker looks at.
    """
    way = sample_way(FIRST_EVALUATION_SEED + number)
    size = _SIZE if system is None else _MODEL_SIZE
    with WayRenderer(way, *size, shadows=system is not None) as renderer:
        eyes = truth_eyes(way) if system is None else model_eyes(system)
        return evaluate_walk(walk(way, renderer, eyes, language, level))


def figures_of(journal: Journal, numbers: Iterable[int]) -> list[Metric]:
    """Return the figures over walks that are in the journal."""
    walks = [journal.done[number] for number in numbers]
    return [compute_metric(name, walks, is_share) for name, is_share in FIGURES.items()]


def evaluate_walk(walk: Walk) -> list[Outcome]:
    """Return the outcomes of each hazard, of each sentence in order, and of the walk."""
    hazards = [_hazard(found) for found in judge_hazards(walk)]
    sentences = [
        _sentence(walk, number, judge_sentence(walk, walk.sentences[number]))
        for number in range(1, len(walk.sentences))  # the first one says what narration is not
    ]
    seconds = walk.poses[-1].time
    spoken = Outcome(
        question=f'{len(sentences)} sentences',
        expected='',
        predicted=f'{seconds:.0f} s',
        correct=True,
        counts={'sentences_per_3_s': (float(len(sentences)), seconds / PACE)},
    )
    return [*hazards, *sentences, spoken]


def transcript(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the lines of a walk: what was said when, and what was not right."""
    return [
        outcome.question + ('' if outcome.correct else f'   <- {outcome.predicted}')
        for outcome in outcomes
        if 'announced' not in outcome.counts or not outcome.correct
    ]


def _hazard(found: Announced) -> Outcome:
    item, sentence = found.parts[0], found.sentence
    said = sentence is not None
    return Outcome(
        question=f'{item.kind} at x {item.position[0]:.1f}, y {item.position[1]:.1f}',
        expected=f'announced before {BEFORE:g} m',
        predicted=f'{sentence.pose.time:.1f} s: {sentence.text}' if said else 'not announced',
        correct=said,
        counts={'announced': binary(said)},
    )


def _sentence(walk: Walk, number: int, verdict: Verdict) -> Outcome:
    sentence, before = walk.sentences[number], walk.sentences[number - 1]
    pose = sentence.pose
    counts = {'there': binary(verdict.there)}
    for name, right in (
        ('side_right', verdict.side),
        ('distance_right', verdict.distance),
        ('free_right', verdict.free),
    ):
        if right is not None:
            counts[name] = binary(right)
    if not sentence.urgent:
        counts['paced'] = binary(pose.time - before.pose.time >= PACE - 1e-6)
    return Outcome(
        question=f'{pose.time:5.1f} s, {pose.x:4.1f} m{" !" if sentence.urgent else "  "} '
        f'{sentence.text}',
        expected='true',
        predicted=verdict.fault or 'true',
        correct=not verdict.fault,
        counts=counts,
    )
