"""Benchmark of the image encoder: one crop, and an image of one tile (two identical crops)."""

from __future__ import annotations

from contextlib import ExitStack

from .exports import FP32_VISION, INT4, Exports
from .results import Results
from .timing import interleave
from .worker import Missing, Worker


def measure(exports: Exports, threads: int, repeats: int) -> Results:
    """All 27 layers, 378 pixels a side."""
    found = Results()
    with ExitStack() as stack:

        def start(name: str, **arguments) -> Worker:
            return stack.enter_context(Worker(name, threads, **arguments))

        int8 = start('ours', folder=exports.folder(INT4))
        fp32 = start('ours', folder=exports.folder(FP32_VISION))
        calls = {
            'one.int8': ('kimi_ros int8', lambda: int8.call('encode')),
            'one.fp32': ('kimi_ros fp32', lambda: fp32.call('encode')),
            'tile.int8': ('kimi_ros int8, an image of one tile', lambda: int8.call('tile')),
        }
        try:
            torch = start('torch_vision')
            calls['one.torch'] = 'PyTorch fp32', lambda: torch.call('encode')
            calls['two.torch'] = 'PyTorch fp32, two crops', lambda: torch.call('encode', crops=2)
        except Missing as reason:
            found.missing |= dict.fromkeys(('vision.one.torch', 'vision.two.torch'), str(reason))
        seconds = interleave({name: call for name, (_, call) in calls.items()}, repeats)
    for name, values in seconds.items():
        found.add(f'vision.{name}', calls[name][0], 's', values)
    return found
