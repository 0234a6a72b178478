"""Time per token at several context lengths: kimi_ros, baselines and the memory-bandwidth limit."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .exports import INT4, INT4_CACHE8, Exports
from .results import Results
from .timing import interleave
from .worker import Missing, Worker

CONTEXTS = (100, 800, 1500, 2040)
_FLOOR = 'int4'  # prefix of the rows for which the bandwidth limit is computed


@dataclass(frozen=True)
class Decoder:
    """A decoder to measure.

    :ivar tokens: tokens per repeat; fewer for slow decoders.
    """

    key: str
    label: str
    place: str
    arguments: dict[str, Any] = field(default_factory=dict)
    tokens: int = 10


def decoders(exports: Exports, place: Path) -> list[Decoder]:
    """All decoders; the folders that they need are exported now."""
    return [
        Decoder('int4', 'kimi_ros int4', 'ours', {'folder': exports.folder(INT4)}),
        Decoder(
            'int4_cache8',
            'kimi_ros int4, 8-bit cache',
            'ours',
            {'folder': exports.folder(INT4_CACHE8)},
        ),
        Decoder('llama', 'llama.cpp Q4_0', 'llama', {'path': str(place / 'phi2-q4_0.gguf')}),
        Decoder(
            'torch_bf16_packed',
            'PyTorch bf16, weights packed for oneDNN',
            'torch_decoder',
            {'dtype': 'bfloat16', 'packed': True},
            4,
        ),
        Decoder('torch_bf16', 'PyTorch bf16', 'torch_decoder', {'dtype': 'bfloat16'}, 4),
        Decoder('torch_fp32', 'PyTorch fp32', 'torch_decoder', {'dtype': 'float32'}, 4),
    ]


def measure(exports: Exports, place: Path, threads: int, repeats: int) -> Results:
    """All 24 layers and the head; each decoder runs in its own process, alternately."""
    found = Results()
    with ExitStack() as stack:
        running: dict[str, tuple[Decoder, Worker]] = {}
        for decoder in decoders(exports, place):
            try:
                worker = stack.enter_context(Worker(decoder.place, threads, **decoder.arguments))
            except Missing as reason:
                found.missing[f'decode.800.{decoder.key}'] = str(reason)
                continue
            worker.call('fill', positions=max(CONTEXTS))
            running[decoder.key] = decoder, worker
        reading = stack.enter_context(Worker('reading', threads))
        calls = {'reading': lambda: reading.call('speed')}
        for context in CONTEXTS:
            for key, (decoder, worker) in running.items():
                # Default arguments bind the loop variables now.
                calls[f'{context}.{key}'] = lambda w=worker, c=context, n=decoder.tokens: w.call(
                    'step', position=c, count=n
                )
        seconds = interleave(calls, repeats)
        speeds = seconds.pop('reading')
        found.add('decode.bandwidth', 'memory bandwidth (reading)', 'B/s', speeds)
        for name, values in seconds.items():
            context, _, key = name.partition('.')
            decoder, worker = running[key]
            found.add(f'decode.{name}', f'{decoder.label}, context {context}', 's', values)
            size = worker.call('token_bytes', position=int(context))
            found.add(
                f'bytes.{name}', f'bytes per token, {decoder.label}, context {context}', 'B', [size]
            )
            if key.startswith(_FLOOR):
                found.add(
                    f'floor.{name}',
                    f'memory-bandwidth limit of {decoder.label}, context {context}',
                    's',
                    [size / speed for speed in speeds],
                )
    return found
