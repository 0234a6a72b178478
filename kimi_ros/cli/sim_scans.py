"""`kimi sim scans`: pictures of scanned things, and a look at the scans themselves."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from kimi_ros.cli.errors import CommandError

_SIDES = range(32, 4097)


def add_parser(verbs) -> None:
    """Declare the verbs under `kimi sim`."""
    scans = verbs.add_parser('scans', help='pictures of scanned things', description=__doc__)
    actions = scans.add_subparsers(metavar='ACTION', required=True)
    _add_draw(actions)
    _add_check(actions)


def _add_draw(actions) -> None:
    text = (
        'Draw pictures of scanned things with their ground truth into OUT. A run that was stopped '
        'goes on where it was. Below seed 1,000,000 they are for training, below 2,000,000 for '
        'validation.'
    )
    p = actions.add_parser('draw', help='draw a dataset', description=text)
    p.add_argument('out', type=Path, metavar='OUT', help='folder of the dataset')
    _add_sources(p)
    p.add_argument('--pictures', type=int, default=100, help='how many (default: 100)')
    p.add_argument('--seed', type=int, default=0, help='of the first picture (default: 0)')
    p.add_argument('--workers', type=int, default=1, help='processes (default: 1)')
    p.add_argument('--size', default='384x288', help='in pixels, even (default: 384x288)')
    p.add_argument(
        '--backdrops',
        type=Path,
        help='folder of photographs without the things, pasted behind them (default: patterns)',
    )
    p.add_argument(
        '--effects',
        type=float,
        default=1.0,
        help="strength of a cheap camera's effects, 0 to 1 (default: 1); 0 for training, which "
        'adds them itself',
    )
    p.set_defaults(run=_draw)


def _add_check(actions) -> None:
    text = (
        'Load every scan of a things file and say what is odd about it: missing files and '
        'textures, implausible sizes, open meshes. With --out, also draw each of them.'
    )
    p = actions.add_parser('check', help='check a folder of scans', description=text)
    p.add_argument('scans', type=Path, metavar='FOLDER', help='folder of the meshes')
    _add_things(p)
    p.add_argument('--out', type=Path, help='contact sheet of all things, .png or .jpg')
    p.set_defaults(run=_check)


def _add_sources(p) -> None:
    p.add_argument('--scans', type=Path, required=True, help='folder of the meshes')
    _add_things(p)


def _add_things(p) -> None:
    p.add_argument(
        '--things',
        type=Path,
        help='things file (default: things.yaml in the folder of the meshes, else that of YCB)',
    )


def _things_file(args: argparse.Namespace) -> Path:
    from kimi_ros.sim.scans import YCB

    own = args.scans / 'things.yaml'
    return args.things or (own if own.is_file() else YCB)


def _draw(args: argparse.Namespace) -> int:
    size = re.fullmatch(r'(\d+)x(\d+)', args.size)
    if not size or any(int(side) not in _SIDES or int(side) % 2 for side in size.groups()):
        raise CommandError(f'--size is {args.size}: use WIDTHxHEIGHT, even, such as 384x288')
    for option, low in (('pictures', 1), ('workers', 1), ('seed', 0)):
        if getattr(args, option) < low:
            raise CommandError(f'--{option} is {getattr(args, option)}: use {low} or more')
    if not 0 <= args.effects <= 1:
        raise CommandError(f'--effects is {args.effects}: use 0 to 1')
    from rich.console import Console
    from rich.progress import Progress

    from kimi_ros.sim.scans import DrawSettings, draw_dataset

    settings = DrawSettings(
        args.scans,
        _things_file(args),
        args.pictures,
        args.seed,
        tuple(int(side) for side in size.groups()),
        args.backdrops,
        args.effects,
    )
    with Progress(console=Console(stderr=True), transient=True) as progress, _readable_errors():
        bar = progress.add_task('drawing', total=args.pictures)
        draw_dataset(
            args.out, settings, args.workers, lambda done: progress.update(bar, completed=done)
        )
    print(args.out)
    return 0


def _check(args: argparse.Namespace) -> int:
    if args.out and args.out.suffix.lower() not in ('.png', '.jpg', '.jpeg'):
        raise CommandError(f'{args.out} is not an image file name: use .png or .jpg')
    from kimi_ros.sim.scans import load_things
    from kimi_ros.sim.scans.checks import check_things, contact_sheet

    with _readable_errors():
        things = load_things(_things_file(args))
        checked = check_things(things, args.scans)
        for result in checked:
            size = ' x '.join(f'{100 * side:.1f}' for side in result.size)
            size = f'{size} cm' if size else 'not loaded'
            print(f'{result.thing.id}: {size}', *result.problems, sep='; ')
        if args.out:
            args.out.parent.mkdir(parents=True, exist_ok=True)
            contact_sheet([r for r in checked if r.scan is not None], args.out)
            print(args.out)
    broken = sum(result.scan is None for result in checked)
    if broken:
        raise CommandError(f'{broken} of {len(checked)} things cannot be used')
    return 0


class _readable_errors:
    """Turns what a user can mend into an error of one line."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> None:
        from kimi_ros.sim import HeldOutSeedError
        from kimi_ros.sim.scans import DatasetError, ScanError, ThingsError

        if isinstance(error, ModuleNotFoundError):
            raise CommandError(
                f'scanned things need {error.name}: pip install "kimi_ros[sim]"'
            ) from error
        expected = DatasetError, ScanError, ThingsError, HeldOutSeedError, OSError
        if isinstance(error, expected):
            raise CommandError(str(error)) from error
