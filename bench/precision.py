"""`python -m bench.precision`: the accuracy of nano in each precision, on held-out scenes.

All precisions see the same scenes and questions, so that differences are paired.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from rich.progress import track

from kimi_export import export_model
from kimi_ros.eval.held_out_scenes import held_out_scenes
from kimi_ros.eval.suites import SUITES
from kimi_ros.eval.system import System
from kimi_ros.resources import share
from kimi_ros.vlm import VisionLanguageModel

EXACT = 'fp32'
PRECISIONS = ('fp16', 'int8', 'int4')
EVALUATED = {
    'points': ('in_mask',),
    'boxes': ('iou50', 'mean_iou'),
    'questions': ('presence',),
    'plans': ('exact',),
}
LANGUAGES = ('en', 'zh')
Values = dict[tuple[str, str], list[float]]  # by precision and figure, one a scene and language


def main() -> None:
    """Evaluate, and print a Markdown table."""
    parser = argparse.ArgumentParser(prog='python -m bench.precision', description=__doc__)
    parser.add_argument('--n', type=int, default=500, help='scenes')
    parser.add_argument('--seed', type=int, default=0, help='number of the first scene')
    parser.add_argument('--out', type=Path, default=Path('out/precision.json'))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        models = {
            name: VisionLanguageModel.load(
                export_model(share('models/nano'), Path(place) / name, precision=name)
            )
            for name in (EXACT, *PRECISIONS)
        }
        values = evaluate(models, args.seed, args.n)
    print(f'nano on {args.n} scenes from {args.seed}, English and Chinese:\n')
    print('\n'.join(table(values)))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    rows = {f'{figure} {name}': float(np.mean(v)) for (name, figure), v in values.items()}
    args.out.write_text(json.dumps({'n': args.n, 'seed': args.seed, 'figures': rows}, indent=1))


def evaluate(models: dict[str, VisionLanguageModel], seed: int, count: int) -> Values:
    """Ask every model the same questions about every scene."""
    values: Values = {}
    for world in track(held_out_scenes(seed, count), 'evaluating', count, transient=True):
        for suite, figures in EVALUATED.items():
            for language in LANGUAGES:
                for name, model in models.items():
                    for outcome in SUITES[suite].evaluate(System(model), world, language):
                        for figure in set(figures) & set(outcome.counts):
                            value, _ = outcome.counts[figure]
                            values.setdefault((name, f'{suite} {figure}'), []).append(value)
    return values


def table(values: Values) -> list[str]:
    """Rows of a Markdown table: fp32's figures, then the differences with their intervals."""
    figures = list(dict.fromkeys(figure for _, figure in values))
    lines = ['| figure | fp32 | ' + ' | '.join(PRECISIONS) + ' |', '|---' * 5 + '|']
    for figure in figures:
        exact = np.array(values[EXACT, figure])
        cells = [f'{100 * exact.mean():.1f} %']
        for name in PRECISIONS:
            difference = 100 * (np.array(values[name, figure]) - exact)
            reach = 1.96 * difference.std(ddof=1) / len(difference) ** 0.5
            cells.append(f'{difference.mean():+.2f} ± {reach:.2f}')
        lines.append(f'| {figure} | ' + ' | '.join(cells) + ' |')
    return lines


if __name__ == '__main__':
    main()
