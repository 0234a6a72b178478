"""`python -m bench`: measure, print a table with the machine, write JSON; compare; report.

Without a command all parts run, in about twenty minutes and 20 GB of memory. A command runs one
part and keeps the other results of the file.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from rich.console import Console

from . import answers, decode, exports, machine, nano, node, profiles, speech, training, vision
from . import compare as comparing
from .results import Results, ResultsError
from .table import render

_DOCUMENT = Path('docs/benchmarks.md')


def main() -> int:
    """Run the command; 0 on success."""
    options = _parser().parse_args()
    # On SIGTERM, stop the worker processes as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return options.run(options)
    except ResultsError as error:
        print(f'bench: {error}', file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m bench', description=__doc__)
    _measuring(parser, list(_PARTS))
    verbs = parser.add_subparsers(metavar='VERB')
    for name, (about, _) in _PARTS.items():
        _measuring(verbs.add_parser(name, help=about, description=about), [name])
    verb = verbs.add_parser('compare', help='compare two results')
    verb.add_argument('before', type=Path)
    verb.add_argument('after', type=Path)
    verb.set_defaults(run=_compare)
    verb = verbs.add_parser('report', help='write docs/benchmarks.md and its plots from a result')
    verb.add_argument('results', type=Path)
    verb.add_argument('--document', type=Path, default=_DOCUMENT)
    verb.set_defaults(run=_report)
    return parser


def _measuring(parser: argparse.ArgumentParser, parts: list[str]) -> None:
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--model', default='nano', help='model of the parts nano, node and speech')
    parser.add_argument('--out', type=Path, default=Path('out/bench.json'))
    parser.add_argument(
        '--work', type=Path, default=Path('out/bench'), help='for checkpoints and exports'
    )
    parser.set_defaults(run=_measure, parts=parts)


def _measure(options: argparse.Namespace) -> int:
    console, found = _console(), Results()
    if len(options.parts) < len(_PARTS) and options.out.is_file():
        found = Results.load(options.out)
    found.machine = machine.describe(options.threads, options.repeats)
    for part in options.parts:
        console.print(f'{part}: {_PARTS[part][0]}')
        started = machine.now()
        found.merge(_PARTS[part][1](options))
        found.runs[part] = started
        found.save(options.out)  # now, since the next part may fail
    console.print(render(found))
    return 0


def _compare(options: argparse.Namespace) -> int:
    before, after = Results.load(options.before), Results.load(options.after)
    console = _console()
    console.print(comparing.render(before, after))
    for difference in comparing.other_machine(before, after):
        console.print(f'different machine: {difference}')
    return 0


def _report(options: argparse.Namespace) -> int:
    from .report import write  # matplotlib is optional

    for file in write(Results.load(options.results), options.document):
        print(file)
    return 0


def _console() -> Console:
    # A log file has no terminal width.
    return Console(width=None if sys.stdout.isatty() else 120)


def _folders(options: argparse.Namespace) -> exports.Exports:
    return exports.Exports(options.work)


_PARTS = {
    'export': (
        'export of a 2B checkpoint to int4: time and memory',
        lambda o: exports.measure(_folders(o)),
    ),
    'decode': (
        'time per token of the 2B text model, and that of PyTorch and llama.cpp',
        lambda o: decode.measure(_folders(o), o.work, o.threads, o.repeats),
    ),
    'vision': (
        'the image encoder, compared with PyTorch',
        lambda o: vision.measure(_folders(o), o.threads, o.repeats),
    ),
    'question': (
        'a second question about the same image',
        lambda o: answers.measure_questions(_folders(o), o.threads, o.repeats),
    ),
    'latency': (
        'latency breakdown of an answer, with one crop and more',
        lambda o: answers.measure_latency(_folders(o), o.threads, o.repeats),
    ),
    'memory': (
        'resident memory after one answer',
        lambda o: answers.measure_memory(_folders(o), o.threads, o.repeats),
    ),
    'profile': (
        'operator profile',
        lambda o: profiles.measure(_folders(o), o.threads),
    ),
    'nano': (
        'the bundled model nano',
        lambda o: nano.measure(o.model, o.threads, o.repeats),
    ),
    'node': (
        'latency of instructions over ROS',
        lambda o: node.measure(o.model, o.threads),
    ),
    'speech': (
        'the speech node: what it takes idle, and how soon it answers',
        lambda o: speech.measure(o.model, o.threads),
    ),
    'training': (
        'rendering scenes and training nano on them',
        lambda o: training.measure(o.threads, o.repeats),
    ),
}


if __name__ == '__main__':
    sys.exit(main())
