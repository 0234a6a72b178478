"""Benchmarks of whole answers of the 2B model: second question, latency breakdown, memory."""

from __future__ import annotations

from .exports import INT4, INT4_CACHE8, Exports
from .results import Results
from .timing import interleave
from .worker import Worker

_TOKENS = 16
_PARTS = {'crops': 'cropping', 'vision': 'vision', 'prefill': 'prefill', 'decode': 'decode'}
_MAX_CROPS = (1, 4, 12)  # for an image of 640x480: 1, 5 and 9 crops
_KINDS = {'int4': INT4, 'int4_cache8': INT4_CACHE8}
_LABELS = {'int4': 'int4', 'int4_cache8': 'int4, 8-bit cache'}


def measure_questions(exports: Exports, threads: int, repeats: int) -> Results:
    """A question about a new image, and a second one about the same image."""
    found, times = Results(), []
    with Worker('ours', threads, folder=exports.folder(INT4)) as ours:
        ours.call('questions', tokens=_TOKENS)  # warm-up: memory is allocated on first use
        for _ in range(repeats):
            times.append(ours.call('questions', tokens=_TOKENS))
    note = f'one crop, {_TOKENS} tokens'
    for key, label in (
        ('first', 'first question about an image'),
        ('second', 'second question about it'),
        ('own', "the second question's own tokens alone"),
    ):
        found.add(f'question.{key}', label, 's', [each[key] for each in times], note)
    rest = [each['second'] - each['own'] for each in times]
    found.add('question.rest', "the second question's overhead beyond its tokens", 's', rest)
    return found


def measure_latency(exports: Exports, threads: int, repeats: int) -> Results:
    """Latency breakdown of an answer about an image of 640x480, by number of crops."""
    found = Results()
    times: dict[int, list[dict[str, float]]] = {}
    with Worker('ours', threads, folder=exports.folder(INT4)) as ours:
        ours.call('encode')
        for _ in range(repeats):
            for crops in _MAX_CROPS:
                each = ours.call('latency', height=480, width=640, max_crops=crops, tokens=_TOKENS)
                times.setdefault(each.pop('count'), []).append(each)
    for count, turns in times.items():
        for part, label in _PARTS.items():
            found.add(
                f'latency.{count}.{part}',
                f'{label}, {count} crop{"s" if count > 1 else ""}',
                's',
                [turn[part] for turn in turns],
                f'{_TOKENS} tokens' if part == 'decode' else '',
            )
    return found


def measure_memory(exports: Exports, threads: int, repeats: int) -> Results:
    """Resident memory, a new process for each answer."""
    found, taken, at_end = Results(), {}, {}
    folders = {key: exports.folder(kind) for key, kind in _KINDS.items()}

    def answer(key: str) -> float:
        with Worker('ours', threads, folder=folders[key]) as ours:
            memory = ours.call('memory', tokens=_TOKENS)
            taken.setdefault(key, []).append(memory['private'])
            if key not in at_end:
                at_end[key] = ours.call('memory_at_end')
        return memory['answer']

    calls = {key: lambda key=key: answer(key) for key in folders}
    for key, values in interleave(calls, repeats, warm_up=False).items():
        label = f'2B {_LABELS[key]}'
        found.add(f'memory.{key}.answer', f'{label}: resident after one answer', 'B', values)
        found.add(f'memory.{key}.private', f'{label}: of these not from files', 'B', taken[key])
        found.add(
            f'memory.{key}.full',
            f'{label}: resident with 2048 positions used',
            'B',
            [at_end[key]],
            'once',
        )
    return found
