"""Options that several suites of `kimi eval` share."""

from __future__ import annotations

import argparse
from pathlib import Path

from kimi_ros.cli.errors import CommandError

# As kimi_ros.agent.skills.LANGUAGES, which `kimi --help` need not import.
LANGUAGES = ('en', 'zh')


def add_selection(
    parser: argparse.ArgumentParser, of: str, default: str, seed: bool = True
) -> None:
    """Add --n and --seed.

    :param of: what is counted: 'scenes'.
    :param default: how many there are without --n, in words.
    """
    parser.add_argument('--n', type=int, help=f'number of {of} (default: {default})')
    if seed:
        parser.add_argument(
            '--seed', type=int, default=0, metavar='S', help=f'first of the {of} (default: 0)'
        )


def check_selection(arguments: argparse.Namespace) -> None:
    """Raise CommandError unless --n and --seed select something."""
    if (arguments.n is not None and arguments.n < 1) or getattr(arguments, 'seed', 0) < 0:
        raise CommandError('--n must be at least 1 and --seed at least 0')


def add_language(parser: argparse.ArgumentParser, default: str = 'en') -> None:
    """Add --lang; its default is None where `default` is no language."""
    parser.add_argument(
        '--lang',
        choices=LANGUAGES,
        default=default if default in LANGUAGES else None,
        help=f'language (default: {default})',
    )


def add_report(parser: argparse.ArgumentParser, writes: str = '') -> None:
    """Add --json and, where the suite `writes` files, --out."""
    parser.add_argument('--json', action='store_true', help='print one line of JSON at the end')
    if writes:
        parser.add_argument('--out', type=Path, metavar='OUT', help=f'write {writes}')


def results_file(arguments: argparse.Namespace) -> Path | None:
    """Return the file OUT.jsonl of --out, in a folder that is there; None without --out.

    For use before an evaluation, which may take long. Raises CommandError where the file cannot be
    written.
    """
    from kimi_ros.cli.pictures import make_folder

    if arguments.out is None:
        return None
    out: Path = arguments.out
    file = out.with_name(f'{out.name.removesuffix(".jsonl")}.jsonl')
    make_folder(file.parent)
    try:
        file.open('a').close()
    except OSError as error:
        raise CommandError(f'{file} cannot be written: {error.strerror}') from error
    return file
