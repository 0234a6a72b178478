"""The command `kimi`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from kimi_ros import __version__
from kimi_ros.cli.errors import CommandError

# Modules of this package; add_parser(subparsers) sets `run`, which returns the exit status.
VERBS = (
    'approve',
    'ask',
    'demo',
    'demo-robot',
    'doctor',
    'eval',
    'models',
    'policy',
    'sim',
    'up',
    'watch',
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the process's exit status."""
    parser = argparse.ArgumentParser(
        prog='kimi', description='Grounded action plans from camera images and instructions.'
    )
    parser.add_argument('--version', action='version', version=f'kimi_ros {__version__}')
    subparsers = parser.add_subparsers(metavar='VERB', required=True)
    for verb in VERBS:
        try:
            module = importlib.import_module(f'kimi_ros.cli.{verb.replace("-", "_")}')
        except ImportError as error:  # doctor must still be available to report it
            subparsers.add_parser(verb, help=f'not available: {error}; see kimi doctor')
            continue
        module.add_parser(subparsers)
    chosen = parser.parse_args(arguments)
    if not hasattr(chosen, 'run'):
        parser.exit(1, 'kimi: a library is missing: run kimi doctor\n')
    try:
        return chosen.run(chosen)
    except CommandError as failure:
        print(f'kimi: {failure}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
