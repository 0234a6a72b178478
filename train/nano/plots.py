"""The curve of a training: how often each kind of question was answered rightly, step by step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np

_SUFFIX = '_right'
_SMOOTH = 10  # lines of the log that are averaged
_PATCHES = ('category', 'kind', 'color', 'size')
_NAMES = {
    'like': 'attribute',
    'locate': 'there or not',
    'plan': 'status of a plan',
    'caption': 'first word of a caption',
}


def plot_logs(logs: Sequence[Path], out: Path) -> None:
    """Draw the logs of stages, one after the other, into an image file.

    On the left what patches show, read from the encoder; on the right the token that decides each
    kind of question, both on scenes as they are drawn for training.
    """
    lines = [_lines(log) for log in logs]
    images = _images(lines)
    rows = [line for stage in lines for line in stage]
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
    for name in sorted({key for row in rows for key in row if key.endswith(_SUFFIX)}):
        category = name.removesuffix(_SUFFIX)
        values = np.array([row.get(name, np.nan) for row in rows])
        panel = panels[int(category not in _PATCHES)]
        panel.plot(images, _smooth(values), label=_NAMES.get(category, category), lw=1)
    for panel, title in zip(panels, ('patches', 'questions'), strict=True):
        panel.set_xlabel('images seen (thousands)')
        panel.set_title(title)
        panel.legend(fontsize=7, loc='lower right')
        panel.grid(alpha=0.3)
    panels[0].set_ylabel('share right')
    panels[0].set_ylim(0.4, 1.005)
    figure.tight_layout()
    figure.savefig(out, metadata={'Date': None} if out.suffix == '.svg' else None)
    plt.close(figure)


def _lines(log: Path) -> list[dict]:
    """The log's lines by step; a run that went on from a save wrote some steps twice."""
    lines = (json.loads(line) for line in log.read_text().splitlines())
    by_step = {line['step']: line for line in lines}
    return [by_step[step] for step in sorted(by_step)]


def _images(stages: Sequence[Sequence[dict]]) -> np.ndarray:
    """Thousands of images seen at each line, counted on from stage to stage."""
    seen, out = 0.0, []
    for stage in stages:
        out += [seen + line['images'] / 1000 for line in stage]
        seen = out[-1]
    return np.array(out)


def _smooth(values: np.ndarray) -> np.ndarray:
    """The mean of the last `_SMOOTH` values that are there."""
    windows = [values[max(0, i - _SMOOTH + 1) : i + 1] for i in range(len(values))]
    return np.array([np.nanmean(w) if np.isfinite(w).any() else np.nan for w in windows])
