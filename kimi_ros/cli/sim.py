"""`kimi sim show`: a contact sheet of rendered scenes with labels and boxes."""

from __future__ import annotations

import argparse
from pathlib import Path

from kimi_ros.cli import sim_scans
from kimi_ros.cli.errors import CommandError

_ABOUT = 'Rendered scenes: look at them, and draw pictures of scanned things.'
_COLUMNS = 4
_CELL = (400, 300)
_MAX_SCENES = 100
_SUFFIXES = ('.png', '.jpg', '.jpeg')
_FONT = (0, 0.34)  # cv2.FONT_HERSHEY_SIMPLEX, and its scale


def add_parser(subparsers) -> None:
    """Declare the verb."""
    p = subparsers.add_parser('sim', help='rendered scenes', description=_ABOUT)
    verbs = p.add_subparsers(metavar='WHAT', required=True)
    show = verbs.add_parser('show', help='write a contact sheet', description=__doc__)
    show.add_argument(
        '--seed',
        type=int,
        default=2_000_000,
        help='seed of the first scene, 0 or more (default: 2000000, held out from training)',
    )
    show.add_argument(
        '--n', type=int, default=12, help=f'number of scenes, 1 to {_MAX_SCENES} (default: 12)'
    )
    show.add_argument(
        '--table', choices=('small', 'full'), default='full', help='object set (default: full)'
    )
    show.add_argument(
        '--world',
        dest='table',
        choices=('small', 'full'),
        help=argparse.SUPPRESS,
        default=argparse.SUPPRESS,
    )
    show.add_argument('--out', type=Path, required=True, help='output file, .png or .jpg')
    show.set_defaults(run=run)
    sim_scans.add_parser(verbs)


def run(args: argparse.Namespace) -> int:
    """Write the sheet."""
    if args.seed < 0:
        raise CommandError(f'--seed is {args.seed}: use 0 or more')
    if not 1 <= args.n <= _MAX_SCENES:
        raise CommandError(f'--n is {args.n}: use 1 to {_MAX_SCENES}')
    if args.out.suffix.lower() not in _SUFFIXES:
        raise CommandError(f'{args.out} is not an image file name: use .png or .jpg')
    from kimi_ros.cli.pictures import make_folder
    from kimi_ros.sim import GLNotAvailable

    make_folder(args.out.parent)  # before rendering, which takes a while
    try:
        cells = _cells(range(args.seed, args.seed + args.n), args.table)
    except GLNotAvailable as error:
        raise CommandError(str(error)) from error
    _write(args.out, _sheet(cells))
    print(args.out)
    return 0


def _cells(seeds: range, table: str) -> list:
    """Return the rendered scenes with labels and boxes."""
    from rich.console import Console
    from rich.progress import track

    from kimi_ros.sim import Renderer, sample_scene, visible_truth

    cells = []
    with Renderer(*_CELL) as renderer:
        for seed in track(seeds, 'rendering', console=Console(stderr=True), transient=True):
            scene = sample_scene(seed, table)
            frame = renderer.render(scene, depth=False)
            cells.append(_marked(frame.rgb, visible_truth(scene, frame), seed))
    return cells


def _sheet(cells: list):
    """Return the cells in rows, the last one padded with black."""
    import numpy as np

    columns = min(_COLUMNS, len(cells))
    filled = cells + [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(filled[i : i + columns]) for i in range(0, len(filled), columns)]
    return np.vstack(rows)


def _write(path: Path, rgb) -> None:
    from PIL import Image

    try:
        Image.fromarray(rgb).save(path, quality=80)  # used by JPEG only
    except (OSError, ValueError) as error:
        raise CommandError(f'{path} cannot be written: {error}') from error


def _marked(rgb, truth, seed: int):
    """Return the frame with a thin box and a label for every object."""
    import cv2

    image = rgb.copy()
    for item in truth:
        x0, y0, x1, y1 = (int(v) for v in item.box)
        cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), (255, 255, 255), 1)
    for item in truth:
        name = f'{item.color} {item.category}'.strip()
        (width, height), below = cv2.getTextSize(name, *_FONT, 1)
        # Keep the label inside the right edge.
        x = max(0, min(int(item.box[0]), image.shape[1] - width))
        y = max(height, int(item.box[1]) - below)
        # A dark background, as outlines are not the same width in all OpenCV versions.
        background = image[y - height : y + below, x : x + width]
        background //= 3
        cv2.putText(image, name, (x, y), *_FONT, (255, 255, 255), 1, cv2.LINE_AA)
    cv2.putText(image, str(seed), (4, image.shape[0] - 6), *_FONT, (255, 255, 255), 1, cv2.LINE_AA)
    return image
