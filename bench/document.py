"""docs/benchmarks.md: every number in it is from one file of results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .plots import draw
from .results import Results
from .table import amount, spread
from .targets import Verdict, ceiling, verdicts

_HEAD = """\
# How fast, and how much memory

`make bench` measures all of this and writes `out/bench.json`. In `.venv`, `python -m bench report
out/bench.json` writes this page from it, `python -m bench compare A.json B.json` holds two runs
side by side, and `python -m bench PART` measures one part alone: decode, {parts}.

Weights are random at the sizes of the published 2B model, so these figures are about speed and
memory and say nothing about answers. Every figure is the median of {repeats} repeats unless it says
*once*; contenders that are compared take turns, each in a process of its own that stays loaded,
with {threads} threads each. Ratios between figures of one run are what counts: on another machine,
or beside other programs, all of them move.
"""
_MACHINE_NAMES = {
    'processor': 'processor',
    'instructions': 'its instructions',
    'cores': 'cores',
    'memory_GB': 'memory, GB',
    'system': 'system',
    'python': 'Python',
    'onnxruntime': 'onnxruntime',
    'numpy': 'numpy',
    'torch': 'PyTorch',
    'llama_cpp_python': 'llama-cpp-python',
    'threads': 'threads',
    'repeats': 'repeats',
}
_PARTS = (
    (
        'decode',
        'A token',
        """\
All 24 layers, the head over 51,200 words and the choice of the best one, after so many positions.
PyTorch: preallocated cache, scaled_dot_product_attention, inference_mode; *packed* has its weights
reordered for oneDNN, as torch.compile does where it may freeze them.
llama.cpp: a model of Phi-2's architecture, every matrix in Q4_0, an fp16 cache, without flash
attention, which is slower here. *Bytes* are what a token must read: weights and cache.
""",
    ),
    (
        'vision',
        'Looking',
        """\
The image encoder, 27 layers, 378x378. An image of one tile has two equal crops: it is encoded once,
where PyTorch, as the reference does, encodes both.
""",
    ),
    ('question', 'Asking again', ''),
    (
        'latency',
        'Where the time of an answer goes',
        """\
A new picture of 640x480 and a question about it. `max_crops` in the model's config decides how many
crops are encoded.
""",
    ),
    (
        'memory',
        'Memory',
        """\
A process that loaded the model, looked at a picture of one crop and wrote 16 tokens. Pages of the
cache come with their first use; the last row of each has all 2048 positions used. Pages from files
(weights that are mapped) are counted, though the system may drop them.
""",
    ),
    ('export', 'Export', ''),
    ('nano', 'nano', ''),
    ('node', 'Over ROS', ''),
    (
        'school',
        'Rendering and training',
        """\
Frames are rendered and labelled on one core, their scenes sampled before. A training scene is all
of it: sampled, rendered at 320x240, resized, labelled patch by patch and written. A step of
training is the recipe's, with its batch and its optimisers, on weights that begin from nothing;
images and questions are those that it learns from.
""",
    ),
)
_PLOTS = {
    'decode': ('decode', 'context'),
    'latency': ('latency', 'crops'),
}


def write(results: Results, document: Path) -> list[Path]:
    """Write the page, and the pictures into plots/ beside it; return the files."""
    plots = draw(results, document.parent / 'plots')
    names = {plot.stem for plot in plots}
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text('\n'.join(_page(results, names)), encoding='utf-8')
    return [document, *plots]


def _page(results: Results, plots: set[str]) -> Iterator[str]:
    machine = results.machine
    yield _HEAD.format(
        parts=', '.join(part for part, _, _ in _PARTS if part != 'decode'),
        repeats=machine.get('repeats'),
        threads=machine.get('threads'),
    )
    yield from _rows(
        ('machine', ''),
        ((_MACHINE_NAMES.get(key, key), str(value)) for key, value in machine.items()),
    )
    if results.runs:
        yield from _rows(
            ('part', 'measured', 'load of the minute before (1 is one core)'),
            ((part, run['began'], str(run['load_before'])) for part, run in results.runs.items()),
        )
    yield '## What was to be reached\n'
    found = verdicts(results)
    yield from _rows(('what', 'wanted', 'found', ''), map(_verdict_row, found))
    yield from _fastest_torch(results)
    missed = [verdict for verdict in found if verdict.reached is False]
    if missed:
        yield from _reasons(results, missed)
    for part, title, about in _PARTS:
        keys = [key for key, figure in results.figures.items() if figure.part == part]
        missing = {k: why for k, why in results.missing.items() if k.startswith(f'{part}.')}
        if not keys and not missing:
            continue
        yield f'## {title}\n'
        if about:
            yield about
        if part == 'decode':
            yield from _decode_table(results)
        else:
            yield from _figures_table(results, keys)
        for key, why in missing.items():
            yield f'`{key}` is missing: {why}.\n'
        for plot in _PLOTS.get(part, ()):
            if plot in plots:
                yield f'![{plot}](plots/{plot}.svg)\n'
    if results.profiles:
        yield '## Which operators take the time\n'
        yield 'By the profile of onnxruntime, which itself costs a little.\n'
        for name, seconds in results.profiles.items():
            yield from _profile_table(name, seconds)


def _verdict_row(verdict: Verdict) -> tuple[str, ...]:
    state = {True: 'reached', False: '**not reached**', None: verdict.missing}[verdict.reached]
    return verdict.target.label, verdict.wanted(), verdict.told(), state


def _fastest_torch(results: Results) -> Iterator[str]:
    # The targets name plain PyTorch; who knows it well gets more out of it.
    packed = results.median('decode.800.torch_bf16_packed')
    ours = [results.median(f'decode.800.{key}') for key in ('int4', 'int4_cache8')]
    if packed and all(ours):
        exact, cache8 = (f'{packed / each:.2f}' for each in ours)
        yield (
            'The bf16 rows hold plain PyTorch as the targets name it. With its weights packed for '
            f'oneDNN it is faster, and the ratios are {exact} (fp32 cache) and {cache8} (8-bit '
            'cache).\n'
        )


def _reasons(results: Results, missed: Iterable[Verdict]) -> Iterator[str]:
    lines = []
    for verdict in missed:
        limit = ceiling(verdict.target, results)
        if limit is None:
            continue
        if limit < verdict.target.bound:
            lines.append(
                f'- {verdict.target.label}: even at the speed at which this memory is read the '
                f'ratio would be {limit:.2f}.'
            )
        else:
            lines.append(
                f'- {verdict.target.label}: at the speed at which this memory is read the ratio '
                f'would be {limit:.2f}; {verdict.found / limit:.0%} of that is reached.'
            )
    if lines:
        yield 'What holds those of a token, reading being all that a token cannot do without:\n'
        yield '\n'.join(lines) + '\n'
    if results.profiles:
        yield 'Which operators take the rest is told at the end of this page.\n'


def _decode_table(results: Results) -> Iterator[str]:
    contexts = sorted(
        {int(key.split('.')[1]) for key in results.figures if key.startswith('floor.')}
    )
    keys = [key.split('.')[2] for key in results.figures if key.startswith('decode.800.')]
    rows = []
    for key in keys:
        seconds = results.figures[f'decode.800.{key}']
        size = results.median(f'bytes.800.{key}')
        rows.append(
            (
                seconds.label.rpartition(',')[0],
                *(f'{1e3 * results.median(f"decode.{context}.{key}"):.1f}' for context in contexts),
                spread(seconds),
                f'{size / 1e6:,.0f}',
                f'{size / seconds.median / 1e9:.1f}',
            )
        )
    heads = [f'ms at {context}' for context in contexts]
    yield from _rows(('', *heads, 'repeats at 800', 'MB at 800', 'GB/s'), rows)
    reading = results.median('decode.reading')
    if reading:
        yield f'The memory was read at {reading / 1e9:.1f} GB/s in the same run.\n'


def _figures_table(results: Results, keys: Iterable[str]) -> Iterator[str]:
    rows = []
    for key in keys:
        figure = results.figures[key]
        rows.append((figure.label, amount(figure.median, figure.unit), spread(figure), figure.note))
    yield from _rows(('', 'median', 'repeats', ''), rows)


def _profile_table(name: str, seconds: dict[str, float]) -> Iterator[str]:
    total = sum(seconds.values())
    shown = [(kind, value) for kind, value in seconds.items() if value >= 0.01 * total]
    rows = [(kind, f'{1e3 * value:.2f}', f'{value / total:.1%}') for kind, value in shown]
    rows.append(('all', f'{1e3 * total:.2f}', ''))
    yield from _rows((name, 'ms', 'share'), rows)


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield '\n'.join(
        [
            f'| {" | ".join(head)} |',
            '|' + '---|' * len(head),
            *(f'| {" | ".join(row)} |' for row in rows),
            '',
        ]
    )
