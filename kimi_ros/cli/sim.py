"""`kimi sim show`: a contact sheet of rendered scenes, with names and boxes."""

from __future__ import annotations

import argparse
from pathlib import Path

from kimi_ros.cli.failure import Failure

_COLUMNS = 4
_CELL = (400, 300)


def add_parser(subparsers) -> None:
    """Declare the verb."""
    p = subparsers.add_parser('sim', help='look at the rendered table', description=__doc__)
    verbs = p.add_subparsers(metavar='WHAT', required=True)
    show = verbs.add_parser('show', help='write a contact sheet', description=__doc__)
    show.add_argument('--seed', type=int, default=2_000_000, help='of the first scene')
    show.add_argument('--n', type=int, default=12, help='scenes, 1 to 100')
    show.add_argument('--world', choices=('small', 'full'), default='full')
    show.add_argument('--out', type=Path, required=True, help='a .png or .jpg file')
    show.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the sheet."""
    if args.seed < 0 or not 1 <= args.n <= 100 or args.out.suffix not in ('.png', '.jpg'):
        raise Failure('--seed begins at 0, --n is 1 to 100, --out ends in .png or .jpg')
    import cv2
    import numpy as np

    from kimi_ros.sim import GLNotAvailable, Renderer, ground_truth, sample_scene

    cells = []
    try:
        with Renderer(*_CELL) as renderer:
            for seed in range(args.seed, args.seed + args.n):
                scene = sample_scene(seed, args.world)
                frame = renderer.render(scene, depth=False)
                cells.append(_marked(frame.rgb, ground_truth(scene, frame), seed))
    except GLNotAvailable as error:
        raise Failure(str(error)) from error
    columns = min(_COLUMNS, len(cells))
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    sheet = np.vstack([np.hstack(cells[i:i + columns]) for i in range(0, len(cells), columns)])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(args.out), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80]):
        raise Failure(f'{args.out} cannot be written')
    print(args.out)
    return 0


def _marked(rgb, truth, seed: int):
    """The frame with a thin box and a name for everything in it."""
    import cv2

    image = rgb.copy()
    for item in truth:
        x0, y0, x1, y1 = (int(v) for v in item.box)
        cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), (255, 255, 255), 1)
    for item in truth:
        x, y = int(item.box[0]) + 1, max(9, int(item.box[1]) - 3)
        name = f'{item.color} {item.kind}'.strip()
        for color, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(image, name, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.34, color, width,
                        cv2.LINE_AA)
    cv2.putText(image, str(seed), (4, image.shape[0] - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.36,
                (255, 255, 255), 1, cv2.LINE_AA)
    return image
