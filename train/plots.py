"""Plots of training logs: nano's share of correct answers, fine-tuning's losses."""

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
    """Plot logs into an image file; nano's stages one after the other.

    On the left what patches show, read from the encoder; on the right the token that decides each
    kind of question, both on scenes as they are drawn for training.
    """
    lines = [_lines(log) for log in logs]
    if not all('images' in line for stage in lines for line in stage):
        _plot_tuning(logs, lines, out)
        return
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
    _save(figure, out)


def _plot_tuning(logs: Sequence[Path], runs: Sequence[Sequence[dict]], out: Path) -> None:
    """Plot the losses of fine-tuning and, where there are any, the validations beside the logs."""
    validations = [_lines(log.with_name('validation.jsonl')) for log in logs]
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4))
    for panel, rows_of, names, title in (
        (panels[0], runs, ('loss', 'words', 'coords', 'sizes'), 'training loss'),
        (panels[1], validations, None, 'validation: share right'),
    ):
        for log, rows in zip(logs, rows_of, strict=True):
            shown = names or sorted({k for row in rows for k in row if k.endswith('_exact')})
            for name in shown:
                values = [row.get(name, np.nan) for row in rows]
                if np.isfinite(values).any():
                    label = name if len(logs) == 1 else f'{log.parent.name} {name}'
                    panel.plot([row['step'] for row in rows], values, label=label, lw=1)
        panel.set_xlabel('step')
        panel.set_title(title)
        panel.grid(alpha=0.3)
        if panel.lines:
            panel.legend(fontsize=7)
    _save(figure, out)


def _save(figure, out: Path) -> None:
    figure.tight_layout()
    figure.savefig(out, metadata={'Date': None} if out.suffix == '.svg' else None)
    plt.close(figure)


def _lines(log: Path) -> list[dict]:
    """Return the log's lines by step, none where there is no log.

    Logs of earlier versions hold some steps twice, where a run was resumed.
    """
    if not log.exists() and log.name == 'validation.jsonl':
        return []
    try:
        lines = [json.loads(line) for line in log.read_text(encoding='utf-8').splitlines()]
        by_step = {line['step']: line for line in lines}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{log} is not a training log') from error
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
