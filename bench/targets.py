"""What the figures are to reach, as data, and whether they do."""

from __future__ import annotations

from dataclasses import dataclass

from .results import Results


@dataclass(frozen=True)
class Target:
    """A figure, or the ratio of two, and its bound.

    :ivar value: key of a figure.
    :ivar by: key of the figure that it is divided by, '' for none.
    :ivar unit: 'x', '%', 's', 'ms' or 'GB': how value and bound are told.
    :ivar ours: key whose bytes bound the ratio where memory is all that counts, '' elsewhere.
    """

    label: str
    value: str
    by: str
    unit: str
    bound: float
    at_least: bool = True
    ours: str = ''


@dataclass(frozen=True)
class Verdict:
    """A target and what was found.

    :ivar found: in the target's unit; None where it was not measured, and `missing` says why.
    """

    target: Target
    found: float | None
    missing: str = ''

    @property
    def reached(self) -> bool | None:
        """Whether the bound is kept; None where nothing was measured."""
        if self.found is None:
            return None
        if self.target.at_least:
            return self.found >= self.target.bound
        return self.found <= self.target.bound

    def told(self) -> str:
        """What was found, with its unit."""
        return '' if self.found is None else tell(self.found, self.target.unit)

    def wanted(self) -> str:
        """The bound, with its unit."""
        least = 'at least' if self.target.at_least else 'at most'
        return f'{least} {tell(self.target.bound, self.target.unit)}'


_SCALES = {'x': 1.0, '%': 100.0, 's': 1.0, 'ms': 1e3, 'GB': 1e-9}


def tell(value: float, unit: str) -> str:
    """A number in the unit: '6.1x', '72 %', '1.97 GB'."""
    digits = {'x': 2, '%': 1, 's': 2, 'ms': 1, 'GB': 2}[unit]
    return f'{value:.{digits}f}{"" if unit == "x" else " "}{unit}'


def _decode(kind: str, name: str) -> tuple[Target, ...]:
    ours = f'decode.800.{kind}'
    rivals = (
        ('PyTorch fp32', 'torch_fp32', 8.0),
        ('PyTorch bf16', 'torch_bf16', 6.0),
        ('llama.cpp Q4_0', 'llama', 1.5),
    )
    return tuple(
        Target(f'decode, {name}, against {rival}', f'decode.800.{key}', ours, 'x', bound, ours=kind)
        for rival, key, bound in rivals
    ) + (Target(f"decode, {name}, of the memory's limit", f'floor.800.{kind}', ours, '%', 70.0),)


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
    Target('export of 2B to int4', 'export.int4.time', '', 's', 300.0, False),
    Target('export of 2B to int4, memory', 'export.int4.memory', '', 'GB', 8.0, False),
)


def verdict(target: Target, results: Results) -> Verdict:
    """Hold one target against a run."""
    for key in (target.value, target.by):
        if key and results.median(key) is None:
            return Verdict(target, None, results.missing.get(key, 'not run'))
    found = results.median(target.value)
    if target.by:
        found /= results.median(target.by)
    return Verdict(target, found * _SCALES[target.unit])


def verdicts(results: Results) -> list[Verdict]:
    """All targets against a run."""
    return [verdict(target, results) for target in TARGETS]


def ceiling(target: Target, results: Results) -> float | None:
    """The ratio if our token took no longer than the memory takes to read it, or None."""
    if not target.ours:
        return None
    floor = target.by.replace('decode', 'floor')
    rival, limit = results.median(target.value), results.median(floor)
    return None if rival is None or limit is None else rival / limit
