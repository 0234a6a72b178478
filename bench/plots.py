"""Plots of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt

from .results import Results

_NAMES = {
    'int4': 'kimi_ros int4',
    'int4_cache8': 'kimi_ros int4, 8-bit cache',
    'llama': 'llama.cpp Q4_0',
    'torch_bf16_packed': 'PyTorch bf16, packed',
    'torch_bf16': 'PyTorch bf16',
    'torch_fp32': 'PyTorch fp32',
}
_TICKS = (10, 20, 30, 50, 100, 200, 300, 500, 1000)  # ms
_PARTS = ('crops', 'vision', 'prefill', 'decode')


def draw(results: Results, folder: Path) -> list[Path]:
    """Write the plots for which there are results, and return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _save(folder / f'{name}.svg', plot, results)
        for name, part, plot in (
            ('decode', 'decode', _decode),
            ('context', 'decode', _context),
            ('latency', 'latency', _latency),
            ('crops', 'latency', _crops),
        )
        if any(figure.part == part for figure in results.figures.values())
    ]


def _save(file: Path, plot: Callable[[plt.Axes, Results], None], results: Results) -> Path:
    # Reproducible files.
    with plt.rc_context({'svg.hashsalt': file.stem, 'svg.fonttype': 'none'}):
        figure, axes = plt.subplots(figsize=(7.2, 3.6), layout='constrained')
        axes.spines[['top', 'right']].set_visible(False)
        plot(axes, results)
        figure.savefig(file, metadata={'Date': None})
        plt.close(figure)
    # No trailing spaces.
    file.write_text('\n'.join(line.rstrip() for line in file.read_text().splitlines()) + '\n')
    return file


def _decode(axes: plt.Axes, results: Results) -> None:
    rows = [
        (f'{name}, {context}', results.median(f'decode.{context}.{key}'))
        for key, name in _NAMES.items()
        for context in (800, 1500)
        if results.median(f'decode.{context}.{key}') is not None
    ][::-1]
    milliseconds = [1e3 * seconds for _, seconds in rows]
    ours = [name.startswith('kimi') for name, _ in rows]
    bars = axes.barh(
        [name for name, _ in rows], milliseconds, color=['C0' if own else 'C7' for own in ours]
    )
    axes.bar_label(bars, fmt='%.0f', padding=3)
    axes.set_xlabel('ms a token, by context')


def _context(axes: plt.Axes, results: Results) -> None:
    for key, name in _NAMES.items():
        points = _points(results, 'decode', key)
        if points:
            axes.plot(*zip(*points, strict=True), marker='o', label=name)
    for key in ('int4', 'int4_cache8'):
        points = _points(results, 'floor', key)
        if points:
            axes.plot(*zip(*points, strict=True), ':', color='C7', label='_')
    axes.plot([], [], ':', color='C7', label="the memory's limit for ours")
    axes.set_yscale('log')
    low, high = axes.get_ylim()
    axes.set_yticks(_TICKS, [str(tick) for tick in _TICKS])
    axes.minorticks_off()
    axes.set_ylim(low, high)  # which the ticks have widened
    axes.set_xlabel('context')
    axes.set_ylabel('ms a token')
    axes.legend(fontsize='x-small', loc='center left', bbox_to_anchor=(1, 0.5))


def _points(results: Results, part: str, key: str) -> list[tuple[int, float]]:
    return sorted(
        (int(figure.key.split('.')[1]), 1e3 * figure.median)
        for figure in results.figures.values()
        if figure.part == part and figure.key.endswith(f'.{key}')
    )


def _latency(axes: plt.Axes, results: Results) -> None:
    counts = _counts(results)
    names = [f'{count} crop{"s" if count > 1 else ""}' for count in counts][::-1]
    left = [0.0] * len(counts)
    for part in _PARTS:
        seconds = [results.median(f'latency.{count}.{part}') for count in counts][::-1]
        axes.barh(names, seconds, left=left, label=part)
        left = [a + b for a, b in zip(left, seconds, strict=True)]
    axes.set_xlabel('s until an answer of 16 tokens about a new picture')
    axes.legend(fontsize='small')


def _crops(axes: plt.Axes, results: Results) -> None:
    counts = _counts(results)
    for part in _PARTS:
        seconds = [results.median(f'latency.{count}.{part}') for count in counts]
        axes.plot(counts, seconds, marker='o', label=part)
    axes.set_xticks(counts)
    axes.set_xlabel('crops')
    axes.set_ylabel('s')
    axes.legend(fontsize='small')


def _counts(results: Results) -> list[int]:
    keys = (figure.key.split('.') for figure in results.figures.values())
    return sorted({int(key[1]) for key in keys if key[0] == 'latency'})
