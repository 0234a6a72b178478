"""Holding an examination: number by number, going on where a journal ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.eval.errors import EvalError
from kimi_ros.eval.figures import Figure, figure
from kimi_ros.eval.journal import Journal
from kimi_ros.eval.looking import LOOKS
from kimi_ros.eval.outcome import Outcome
from kimi_ros.eval.own_data import OwnThing
from kimi_ros.eval.report import markdown
from kimi_ros.eval.sheet import MOST, contact_sheet
from kimi_ros.eval.suites import SUITES
from kimi_ros.eval.worlds import Tables
from kimi_ros.vlm import VisionLanguageModel


class Examination:
    """A suite over scenes, or over a user's own things, in one language."""

    def __init__(
        self, suite: str, language: str, tables: Tables, things: Sequence[OwnThing] | None = None
    ):
        """Take what is asked about.

        :param things: of a user's own data; then the suite is one of LOOKS, and numbers are
            places in this list.
        """
        self._suite, self._language = suite, language
        self._tables, self._things = tables, things

    def ask(self, vlm: VisionLanguageModel, number: int) -> list[Outcome]:
        """Return what comes of one scene."""
        if self._things is not None:
            return [LOOKS[self._suite](vlm, self._things[number].referent())]
        return SUITES[self._suite].ask(vlm, self._tables.world(number), self._language)

    def hold(
        self, vlm: VisionLanguageModel, numbers: Iterable[int], journal: Journal
    ) -> list[Figure]:
        """Ask about every scene that the journal lacks, and return the figures."""
        asked = []
        for number in numbers:
            if number not in journal.done:
                journal.add(number, self.ask(vlm, number))
            asked.append(number)
        scenes = [journal.done[number] for number in asked]
        suite = SUITES[self._suite]
        shares = [figure(name, scenes, is_share=True) for name in suite.shares]
        return shares + [figure(name, scenes, is_share=False) for name in suite.others]

    def picture(self, number: int) -> np.ndarray:
        """Return the picture of a scene, uint8 (H, W, 3)."""
        if self._things is not None:
            return self._things[number].referent().rgb
        return self._tables.world(number).frame.rgb


def write_report(
    out: Path, about: dict, figures: Sequence[Figure], journal: Journal, exam: Examination
) -> list[Path]:
    """Write OUT.md and, where something failed, OUT.png; return what was written.

    Raises EvalError.
    """
    failures = [
        (number, exam.picture(number), outcome) for number, outcome in _failures(journal)
    ]
    page, sheet = beside(out, '.md'), beside(out, '.png')
    try:
        page.write_text(
            markdown(about, figures, sheet.name if failures else ''), encoding='utf-8'
        )
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
        if not outcome.right
    ]
    return wrong[:MOST]
