"""Run a suite scene by scene, resuming from its journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.eval.contact_sheet import MAX_FAILURES, contact_sheet
from kimi_ros.eval.errors import EvalError
from kimi_ros.eval.held_out_scenes import SceneSource
from kimi_ros.eval.journal import Journal
from kimi_ros.eval.localization import LOCALIZATION_SUITES
from kimi_ros.eval.metrics import Metric, compute_metric
from kimi_ros.eval.outcome import Outcome
from kimi_ros.eval.report import markdown
from kimi_ros.eval.suites import SUITES
from kimi_ros.eval.system import System
from kimi_ros.eval.user_data import LabelledObject


class Evaluation:
    """A suite over scenes, or over a user's own pictures, in one language."""

    def __init__(
        self,
        suite: str,
        language: str,
        scene_source: SceneSource,
        things: Sequence[LabelledObject] | None = None,
    ):
        """Set up a suite.

        :param things: a user's labelled objects; then the suite is one of LOCALIZATION_SUITES, and
            numbers index this list.
        """
        self._suite, self._language = suite, language
        self._scenes, self._things = scene_source, things

    def evaluate(self, system: System, number: int) -> list[Outcome]:
        """Return the outcomes of one scene."""
        if self._things is not None:
            return [
                LOCALIZATION_SUITES[self._suite](
                    system.vlm, self._things[number].localization_sample()
                )
            ]
        return SUITES[self._suite].evaluate(system, self._scenes.scene(number), self._language)

    def run(self, system: System, numbers: Iterable[int], journal: Journal) -> list[Metric]:
        """Evaluate every scene that is not in the journal, and return the metrics."""
        asked = []
        for number in numbers:
            if number not in journal.done:
                journal.add(number, self.evaluate(system, number))
            asked.append(number)
        scenes = [journal.done[number] for number in asked]
        suite = SUITES[self._suite]
        proportions = [compute_metric(name, scenes, is_share=True) for name in suite.proportions]
        return proportions + [
            compute_metric(name, scenes, is_share=False) for name in suite.other_metrics
        ]

    def picture(self, number: int) -> np.ndarray:
        """Return the picture of a scene, uint8 (H, W, 3)."""
        if self._things is not None:
            return self._things[number].localization_sample().rgb
        return self._scenes.scene(number).frame.rgb


def write_report(
    out: Path, about: dict, figures: Sequence[Metric], journal: Journal, evaluation: Evaluation
) -> list[Path]:
    """Write OUT.md and, where something failed, OUT.png; return what was written.

    Raises EvalError.
    """
    failures = [
        (number, evaluation.picture(number), outcome) for number, outcome in _failures(journal)
    ]
    page, sheet = beside(out, '.md'), beside(out, '.png')
    try:
        page.write_text(markdown(about, figures, sheet.name if failures else ''), encoding='utf-8')
        if not failures:
            sheet.unlink(missing_ok=True)
            return [page]
        Image.fromarray(contact_sheet(failures)).save(sheet)
    except OSError as error:
        raise EvalError(f'{out}: the report cannot be written: {error.strerror}') from error
    return [page, sheet]


def beside(out: Path, suffix: str) -> Path:
    """Return the file of a report that ends so: OUT.md, OUT.jsonl, OUT.png."""
    return out.with_name(out.name.removesuffix('.md') + suffix)


def _failures(journal: Journal) -> list[tuple[int, Outcome]]:
    wrong: list[tuple[int, Outcome]] = [
        (number, outcome)
        for number, outcomes in sorted(journal.done.items())
        for outcome in outcomes
        if not outcome.correct
    ]
    return wrong[:MAX_FAILURES]
