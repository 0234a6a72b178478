"""Performance targets, and whether a run meets them."""

from __future__ import annotations

from dataclasses import dataclass

from .results import Results


@dataclass(frozen=True)
class Target:
    """A figure, or the ratio of two, and its bound.

    :ivar value: key of a figure.
    :ivar by: key of the divisor, or ''.
    :ivar unit: 'x', '%', 's', 'ms' or 'GB': how value and bound are printed.
    :ivar ours: key of the row whose memory traffic limits the ratio, or ''.
    """

    label: str
    value: str
    by: str
    unit: str
    bound: float
    at_least: bool = True
    ours: str = ''


@dataclass(frozen=True)
class TargetResult:
    """A target and the measured value.

    :ivar found: in the target's unit; None if it was not measured, with the reason in `missing`.
    """

    target: Target
    found: float | None
    missing: str = ''

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None if it was not measured."""
        if self.found is None:
            return None
        if self.target.at_least:
            return self.found >= self.target.bound
        return self.found <= self.target.bound

    def found_text(self) -> str:
        """The measured value with its unit."""
        return '' if self.found is None else format_amount(self.found, self.target.unit)

    def bound_text(self) -> str:
        """The bound, with its unit."""
        least = 'at least' if self.target.at_least else 'at most'
        return f'{least} {format_amount(self.target.bound, self.target.unit)}'


_SCALES = {'x': 1.0, '%': 100.0, 's': 1.0, 'ms': 1e3, 'GB': 1e-9}


def format_amount(value: float, unit: str) -> str:
    """A number in the unit: '6.1x', '72 %', '1.97 GB'."""
    digits = {'x': 2, '%': 1, 's': 2, 'ms': 1, 'GB': 2}[unit]
    return f'{value:.{digits}f}{"" if unit == "x" else " "}{unit}'


def _decode(kind: str, name: str) -> tuple[Target, ...]:
    ours = f'decode.800.{kind}'
    baselines = (
        ('PyTorch fp32', 'torch_fp32', 8.0),
        ('PyTorch bf16', 'torch_bf16', 6.0),
        ('llama.cpp Q4_0', 'llama', 1.5),
    )
    return tuple(
        Target(
            f'decode, {name}, against {baseline}', f'decode.800.{key}', ours, 'x', bound, ours=kind
        )
        for baseline, key, bound in baselines
    ) + (Target(f'decode, {name}, of the bandwidth limit', f'floor.800.{kind}', ours, '%', 70.0),)


TARGETS = (
    *_decode('int4', 'int4'),
    *_decode('int4_cache8', 'int4 with an 8-bit cache'),
    Target(
        '8-bit cache against fp32 cache at 1500',
        'decode.1500.int4',
        'decode.1500.int4_cache8',
        'x',
        1.2,
        ours='int4_cache8',
    ),
    Target(
        'vision, one crop, int8, against PyTorch fp32',
        'vision.one.torch',
        'vision.one.int8',
        'x',
        2.0,
    ),
    Target('the same, image of one tile', 'vision.two.torch', 'vision.tile.int8', 'x', 4.0),
    Target(
        'second question beyond its own tokens, of the first',
        'question.rest',
        'question.first',
        '%',
        3.0,
        at_least=False,
    ),
    Target('2B int4, memory after one answer', 'memory.int4.answer', '', 'GB', 2.0, False),
    Target(
        '2B int4, 8-bit cache, memory after one answer',
        'memory.int4_cache8.answer',
        '',
        'GB',
        1.7,
        False,
    ),
    Target('nano, load to first token', 'nano.start', '', 's', 1.5, False),
    Target('nano, a token', 'nano.a_later_token', '', 'ms', 5.0, False),
    Target(
        'nano, goal accepted to plan published, three steps', 'node.plan3', '', 'ms', 400.0, False
    ),
    Target(
        'a plan beside a camera of 1080p at 60 Hz, compressed, to one beside 10 Hz',
        'node.compressed.fast',
        'node.compressed.slow',
        'x',
        1.1,
        False,
    ),
    Target('the same, raw and with depth', 'node.raw.fast', 'node.raw.slow', 'x', 1.1, False),
    Target('speech node, idle, of a core', 'speech.sphinx.idle', '', '%', 3.0, False),
    Target('answer after speech, pocketsphinx', 'speech.sphinx.answer', '', 's', 1.5, False),
    Target('answer after speech, Whisper', 'speech.whisper.answer', '', 's', 3.0, False),
    Target('export of 2B to int4', 'export.int4.time', '', 's', 300.0, False),
    Target('export of 2B to int4, memory', 'export.int4.memory', '', 'GB', 8.0, False),
)


def target_result(target: Target, results: Results) -> TargetResult:
    """Compare one target with a run."""
    for key in (target.value, target.by):
        if key and results.median(key) is None:
            return TargetResult(target, None, results.missing.get(key, 'not run'))
    found = results.median(target.value)
    if target.by:
        found /= results.median(target.by)
    return TargetResult(target, found * _SCALES[target.unit])


def target_results(results: Results) -> list[TargetResult]:
    """Compare all targets with a run."""
    return [target_result(target, results) for target in TARGETS]


def ceiling(target: Target, results: Results) -> float | None:
    """The ratio at the memory-bandwidth limit, or None if it does not apply."""
    if not target.ours:
        return None
    floor = target.by.replace('decode', 'floor')
    baseline, limit = results.median(target.value), results.median(floor)
    return None if baseline is None or limit is None else baseline / limit
