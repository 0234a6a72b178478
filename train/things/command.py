"""The verbs about scanned things. No torch: the command line's help reads it, too."""

from __future__ import annotations

from pathlib import Path


def add_things_verbs(verbs) -> None:
    """Declare the verbs."""
    p = verbs.add_parser(
        'things', help='teach nano things that you have scanned: draw, train, export; resumable'
    )
    p.add_argument('scans', type=Path, metavar='FOLDER', help='folder of the meshes')
    p.add_argument('--out', type=Path, required=True, metavar='MODEL', help='folder to write')
    p.add_argument(
        '--work', type=Path, help='folder for pictures and stages; default MODEL.training'
    )
    p.add_argument(
        '--things', type=Path, metavar='FILE', help='default FOLDER/things.yaml, else YCB'
    )
    p.add_argument('--backdrops', type=Path, metavar='FOLDER', help='photographs to draw things on')
    p.add_argument('--base', type=Path, help='checkpoint that learns; default: the shipped nano')
    p.add_argument(
        '--photos', type=Path, metavar='FOLDER', help='of photographs with things.jsonl, to watch'
    )
    p.add_argument('--pictures', type=int, default=6500, help='to draw; default 6500')
    p.add_argument(
        '--tables',
        type=int,
        default=3000,
        help='to render, so that they are not forgotten; default 3000, 0.5 MB of memory each',
    )
    p.add_argument('--steps', type=int, help="of each stage, instead of the recipe's: for a trial")
    p.add_argument('--workers', type=int, default=2, help='processes that draw; default 2')
    p.set_defaults(run=_teach)

    p = verbs.add_parser(
        'label', help='write drawn pictures of scanned things as data for kimi eval photos'
    )
    p.add_argument('dataset', type=Path, help='folder that kimi sim scans draw wrote')
    p.add_argument('out', type=Path, help='folder for images/ and things.jsonl')
    p.add_argument('--pictures', type=int, default=250, help='default 250')
    p.set_defaults(run=_label)

    p = verbs.add_parser(
        'presence',
        help='choose from which presence on a model says that something is there, and write it '
        'into the model',
    )
    p.add_argument('model', type=Path, help='folder of an exported model, or of a checkpoint')
    p.add_argument('data', type=Path, help='folder with pictures and things.jsonl')
    p.add_argument(
        '--false-alarms',
        type=float,
        default=0.03,
        help='largest share of absent names that may be seen; default 0.03',
    )
    p.set_defaults(run=_presence)


def _label(args) -> None:
    """Write names and boxes."""
    from kimi_ros.sim.scans import open_dataset
    from kimi_train.things.labelled import write_labelled

    lines = write_labelled(open_dataset(args.dataset), args.out, args.pictures)
    print(f'{args.out}: {lines} lines')


def _teach(args) -> None:
    """Teach nano scanned things."""
    from kimi_train.things.make import Amounts, make_things

    amounts = Amounts(args.pictures, args.tables, args.steps)
    work = args.work or args.out.with_name(f'{args.out.name}.training')
    made = make_things(
        args.scans,
        args.out,
        work,
        things=args.things,
        backdrops=args.backdrops,
        base=args.base,
        photos=args.photos,
        amounts=amounts,
        workers=args.workers,
    )
    print(made)


def _presence(args) -> None:
    """Choose a threshold of presence, and say what it changes."""
    from kimi_train.things.presence import calibrate

    print(calibrate(args.model, args.data, args.false_alarms))
