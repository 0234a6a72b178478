"""Writes docs/benchmarks.md from one results file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .plots import draw
from .results import Results
from .table import amount, spread
from .targets import TargetResult, ceiling, target_results

_HEAD = """\
# Benchmarks: speed and memory

`make bench` runs all benchmarks and writes `out/bench.json`. In `.venv`, `python -m bench report
out/bench.json` writes this page, `python -m bench compare A.json B.json` compares two runs, and
`python -m bench PART` runs one part: decode, {parts}.

The weights are random, at the sizes of the published 2B model: these figures measure speed and
memory, not the quality of answers. Each figure is the median of {repeats} repeats unless marked
*once*. Compared systems run alternately, each in its own process, with {threads} threads. Compare
ratios within one run: absolute times depend on the machine and on other load.
"""
_MACHINE_NAMES = {
    'processor': 'processor',
    'instructions': 'instruction sets',
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
        'Decoding: time per token',
        """\
One decoding step: all 24 layers, the head over 51,200 tokens and argmax, by context length.
PyTorch: preallocated cache, scaled_dot_product_attention, inference_mode; *packed* means weights
reordered for oneDNN, as torch.compile does when it freezes them.
llama.cpp: a model of Phi-2's architecture, all matrices in Q4_0, fp16 cache, without flash
attention, which is slower here. *MB* is what a token must read: weights and KV cache.
""",
    ),
    (
        'vision',
        'Image encoder',
        """\
27 layers, 378x378 pixels. An image of one tile has two identical crops, which are encoded once;
PyTorch encodes both, as the reference implementation does.
""",
    ),
    ('question', 'Second question about the same image', ''),
    (
        'latency',
        'Latency breakdown of an answer',
        """\
A new image of 640x480 and a question about it. `max_crops` in the model's config sets the number of
crops.
""",
    ),
    (
        'memory',
        'Memory',
        """\
Resident memory of a process that loaded the model, encoded an image of one crop and generated 16
tokens. Pages of the KV cache are allocated on first use; the last row of each has all 2048
positions in use. Memory-mapped weights are included, though the system may evict them.
""",
    ),
    ('export', 'Export', ''),
    ('nano', 'nano', ''),
    (
        'node',
        'Over ROS',
        """\
Camera, node and client are processes of one machine. Beside a fast camera: one process publishes
1080p, at 10 Hz and at 60 Hz by turns, and the node plans meanwhile; *cores* are what the two
processes compute for each second.
""",
    ),
    (
        'speech',
        'Speech',
        """\
Beside the node `kimi` with nano and a simulated camera: the share of a core that the speech node
takes while it hears a quiet room, and the time from the end of a spoken question, at the pace of
speech, to the first block of the spoken answer.
""",
    ),
    (
        'training',
        'Rendering and training',
        """\
Frames are rendered and labelled on one core; sampling their scenes is not included. A training
scene is sampled, rendered at 320x240, resized, labelled per patch and written to disk. A training
step has the recipe's batch and optimizers and starts from random weights; rates are the images and
questions trained on per second.
""",
    ),
)
_PLOTS = {
    'decode': ('decode', 'context'),
    'latency': ('latency', 'crops'),
}


def write(results: Results, document: Path) -> list[Path]:
    """Write the page, and the plots into plots/ next to it; return all files."""
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
            ('part', 'measured', 'load average before (1 is one core)'),
            ((part, run['started'], str(run['load_before'])) for part, run in results.runs.items()),
        )
    yield '## Targets\n'
    found = target_results(results)
    yield from _rows(('metric', 'bound', 'found', ''), map(_verdict_row, found))
    yield from _fastest_torch(results)
    missed = [target_result for target_result in found if target_result.reached is False]
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
        yield '## Operator profiles\n'
        yield 'Measured with the profiler of ONNX Runtime, which adds a small overhead.\n'
        for name, seconds in results.profiles.items():
            yield from _profile_table(name, seconds)


def _verdict_row(target_result: TargetResult) -> tuple[str, ...]:
    state = {True: 'reached', False: '**not reached**', None: target_result.missing}[
        target_result.reached
    ]
    return target_result.target.label, target_result.bound_text(), target_result.found_text(), state


def _fastest_torch(results: Results) -> Iterator[str]:
    # The targets are about plain PyTorch; packed weights are faster.
    packed = results.median('decode.800.torch_bf16_packed')
    ours = [results.median(f'decode.800.{key}') for key in ('int4', 'int4_cache8')]
    if packed and all(ours):
        exact, cache8 = (f'{packed / each:.2f}' for each in ours)
        yield (
            'The targets compare with plain PyTorch bf16. With weights packed for oneDNN it is '
            f'faster, and the ratios are {exact} (fp32 cache) and {cache8} (8-bit cache).\n'
        )


def _reasons(results: Results, missed: Iterable[TargetResult]) -> Iterator[str]:
    lines = []
    for target_result in missed:
        limit = ceiling(target_result.target, results)
        if limit is None:
            continue
        if limit < target_result.target.bound:
            lines.append(
                f'- {target_result.target.label}: the memory bandwidth of this machine limits the '
                f'ratio to {limit:.2f}.'
            )
        else:
            lines.append(
                f'- {target_result.target.label}: the memory bandwidth limits the ratio to '
                f'{limit:.2f}; {target_result.found / limit:.0%} of that is reached.'
            )
    if lines:
        yield 'Per-token speed is bounded by memory bandwidth:\n'
        yield '\n'.join(lines) + '\n'
    if results.profiles:
        yield 'Operator profiles are at the end of this page.\n'


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
    reading = results.median('decode.bandwidth')
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
