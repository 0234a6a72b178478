"""`kimi sim show`: a contact sheet of rendered scenes, with names and boxes."""

from __future__ import annotations

import argparse
from pathlib import Path

from kimi_ros.cli.failure import Failure

_COLUMNS = 4
_CELL = (400, 300)
_MOST = 100
_KINDS_OF_FILE = ('.png', '.jpg', '.jpeg')
_LETTERS = (0, 0.34)  # cv2.FONT_HERSHEY_SIMPLEX, and its scale


def add_parser(subparsers) -> None:
    """Declare the verb."""
    p = subparsers.add_parser('sim', help='look at the rendered table', description=__doc__)
    verbs = p.add_subparsers(metavar='WHAT', required=True)
    show = verbs.add_parser('show', help='write a contact sheet', description=__doc__)
    show.add_argument(
        '--seed',
        type=int,
        default=2_000_000,
        help='of the first scene, 0 or more (default: 2000000, never trained on)',
    )
    show.add_argument('--n', type=int, default=12, help=f'scenes, 1 to {_MOST} (default: 12)')
    show.add_argument(
        '--world', choices=('small', 'full'), default='full', help='which table (default: full)'
    )
    show.add_argument('--out', type=Path, required=True, help='a .png or .jpg file')
    show.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the sheet."""
    if args.seed < 0:
        raise Failure(f'the seed is {args.seed}: give 0 or more')
    if not 1 <= args.n <= _MOST:
        raise Failure(f'{args.n} scenes are no sheet: give 1 to {_MOST}')
    if args.out.suffix.lower() not in _KINDS_OF_FILE:
        raise Failure(f'{args.out} is no name of a picture: let it end in .png or .jpg')
    # Before anything is drawn: a hundred scenes take a while.
    try:
        args.out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f'{args.out.parent} cannot be made: {error.strerror}') from error
    from kimi_ros.sim import GLNotAvailable

    try:
        cells = _cells(range(args.seed, args.seed + args.n), args.world)
    except GLNotAvailable as error:
        raise Failure(str(error)) from error
    _write(args.out, _sheet(cells))
    print(args.out)
    return 0


def _cells(seeds: range, world: str) -> list:
    """Return the scenes as they are seen, marked."""
    from rich.console import Console
    from rich.progress import track

    from kimi_ros.sim import Renderer, sample_scene, visible_truth

    cells = []
    with Renderer(*_CELL) as renderer:
        for seed in track(seeds, 'rendering', console=Console(stderr=True), transient=True):
            scene = sample_scene(seed, world)
            frame = renderer.render(scene, depth=False)
            cells.append(_marked(frame.rgb, visible_truth(scene, frame), seed))
    return cells


def _sheet(cells: list):
    """Return the cells side by side, the last row filled up with black ones."""
    import numpy as np

    columns = min(_COLUMNS, len(cells))
    filled = cells + [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(filled[i : i + columns]) for i in range(0, len(filled), columns)]
    return np.vstack(rows)


def _write(path: Path, rgb) -> None:
    from PIL import Image

    try:
        Image.fromarray(rgb).save(path, quality=80)  # which only JPEG heeds
    except (OSError, ValueError) as error:
        raise Failure(f'{path} cannot be written: {error}') from error


def _marked(rgb, truth, seed: int):
    """Return the frame with a thin box and a name for everything that can be spoken of in it."""
    import cv2

    image = rgb.copy()
    for item in truth:
        x0, y0, x1, y1 = (int(v) for v in item.box)
        cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), (255, 255, 255), 1)
    for item in truth:
        name = f'{item.color} {item.kind}'.strip()
        (width, height), below = cv2.getTextSize(name, *_LETTERS, 1)
        # A name that would run over the right edge begins further left.
        x = max(0, min(int(item.box[0]), image.shape[1] - width))
        y = max(height, int(item.box[1]) - below)
        # Dark ground and no dark outline, whose letters are as wide as ours in OpenCV 4 only.
        ground = image[y - height : y + below, x : x + width]
        ground //= 3
        cv2.putText(image, name, (x, y), *_LETTERS, (255, 255, 255), 1, cv2.LINE_AA)
    cv2.putText(
        image, str(seed), (4, image.shape[0] - 6), *_LETTERS, (255, 255, 255), 1, cv2.LINE_AA
    )
    return image
