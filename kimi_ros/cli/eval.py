"""`kimi eval`: examine a model on rendered scenes that no training has seen."""

from __future__ import annotations

import argparse
import json

from kimi_ros.cli.failure import Failure


def add_parser(subparsers) -> None:
    """Declare the verb."""
    p = subparsers.add_parser(
        'eval', help='examine a model on held-out scenes', description=__doc__
    )
    p.add_argument('suite', choices=('points', 'boxes', 'questions', 'plans', 'demo'))
    p.add_argument('--model', default='nano', help='nano, or a folder that kimi-export wrote')
    p.add_argument('--n', type=int, default=200, help='scenes')
    p.add_argument('--seed', type=int, default=0, help='number of the first scene')
    p.add_argument('--lang', choices=('en', 'zh'), default='en')
    p.add_argument('--json', action='store_true', help='end with one line of JSON')
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Examine, and print each figure with its 95 % interval."""
    import numpy as np
    from rich.console import Console
    from rich.progress import track

    from kimi_ros.agent.errors import AgentError
    from kimi_ros.eval.suites import examine, interval
    from kimi_ros.eval.worlds import worlds
    from kimi_ros.sim import GLNotAvailable
    from kimi_ros.vlm import VisionLanguageModel, VlmError

    if args.n < 1 or args.seed < 0:
        raise Failure('--n begins at 1 and --seed at 0')
    console = Console(stderr=True)
    scenes = track(worlds(args.seed, args.n), args.suite, args.n, console=console, transient=True)
    try:
        values = examine(args.suite, VisionLanguageModel.load(args.model), scenes, args.lang)
    except (VlmError, AgentError, GLNotAvailable) as error:
        raise Failure(str(error)) from error
    for name, found in values.items():
        low, high = interval(found)
        print(
            f'{args.suite} {name} ({args.lang}): {np.mean(found):.3f}   '
            f'95 % [{low:.3f}, {high:.3f}], {len(found)} scenes from {args.seed}'
        )
    if args.json:
        about = {'suite': args.suite, 'model': args.model, 'n': args.n}
        about |= {'seed': args.seed, 'lang': args.lang}
        print(json.dumps(about | {name: float(np.mean(v)) for name, v in values.items()}))
    return 0
