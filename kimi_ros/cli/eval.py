"""`kimi eval SUITE`: evaluate a model on held-out rendered scenes.

The suites points and boxes also take your own images: --data FOLDER; photos takes only those.
docs/evaluation.md describes the suites and their metrics.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from kimi_ros.cli import eval_bag, eval_libero
from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.options import (
    add_model_option,
    add_planning_options,
    add_speech_options,
    remote_settings,
    skills_path,
)

_SUITES = (
    'points',
    'boxes',
    'photos',
    'questions',
    'counting',
    'plans',
    'clarify',
    'phrasings',
    'catalogues',
    'pairs',
    'closed-loop',
    'places',
    'closed-loop-places',
    'ask',
    'demo',
    'guide',
    'reading',
    'safety',
    'speech',
    'libero',
    'bag',
)
_TABLES = ('full', 'small')
_SCENES = 200


def add_parser(subparsers) -> None:
    """Declare the verb."""
    p = subparsers.add_parser(
        'eval', help='evaluate a model on held-out scenes', description=__doc__
    )
    p.add_argument('suite', choices=_SUITES)
    eval_bag.add_arguments(p)
    add_model_option(p)
    p.add_argument(
        '--n',
        type=int,
        help=f'number of scenes (default: {_SCENES}) or of lines of --data (default: all)',
    )
    p.add_argument(
        '--seed', type=int, default=0, help='number of the first scene or line (default: 0)'
    )
    p.add_argument('--table', choices=_TABLES, help='object set of the scenes (default: full)')
    p.add_argument(
        '--lang', choices=('en', 'zh'), help='language (default: en; of reading and safety: both)'
    )
    p.add_argument('--json', action='store_true', help='print one line of JSON at the end')
    p.add_argument(
        '--out',
        type=Path,
        help='write OUT.jsonl, from which an interrupted run resumes, a report OUT.md and '
        'a contact sheet of failures OUT.png',
    )
    p.add_argument(
        '--data',
        type=Path,
        help='points, boxes, photos: a folder of your own images with things.jsonl; reading: a '
        'file of your own cases',
    )
    add_speech_options(p)
    add_planning_options(p)
    eval_libero.add_arguments(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the evaluation and print each metric with its 95 % confidence interval."""
    if (args.n is not None and args.n < 1) or args.seed < 0:
        raise CommandError('--n must be at least 1 and --seed at least 0')
    if args.suite == 'reading':
        from kimi_ros.cli import eval_reading

        return eval_reading.run(args)
    if args.suite == 'speech':
        from kimi_ros.cli import eval_speech

        return eval_speech.run(args)
    if args.suite == 'safety':
        from kimi_ros.cli import eval_safety

        return eval_safety.run(args)
    if args.suite == 'bag':
        return eval_bag.run(args)
    if args.files:
        raise CommandError(f'FILE is for bag, not for {args.suite}')
    if args.suite == 'libero':
        return eval_libero.run(args)
    args.lang = args.lang or 'en'
    from rich.console import Console
    from rich.progress import track

    from kimi_ros.agent.errors import AgentError
    from kimi_ros.eval.errors import EvalError
    from kimi_ros.eval.evaluation import Evaluation, beside, write_report
    from kimi_ros.eval.journal import Journal
    from kimi_ros.eval.localization import LOCALIZATION_SUITES
    from kimi_ros.eval.planning import agent_settings
    from kimi_ros.eval.report import as_json, lines
    from kimi_ros.eval.suites import scene_source_for
    from kimi_ros.eval.user_data import read_user_data, select_lines
    from kimi_ros.sim import GLNotAvailable
    from kimi_ros.vlm import VisionLanguageModel, VlmError

    if args.data and args.suite not in LOCALIZATION_SUITES:
        raise CommandError(f'--data is for {", ".join(LOCALIZATION_SUITES)}, not for {args.suite}')
    if args.suite == 'photos' and not args.data:
        raise CommandError('photos needs --data FOLDER, your pictures with things.jsonl')
    if args.data and args.table:
        raise CommandError('--table is for rendered scenes, not for --data')
    table = args.table or _TABLES[0]
    skills = skills_path(args) if args.skills else None
    try:
        things = read_user_data(args.data, args.suite, args.lang) if args.data else None
        if things is None:
            numbers = range(args.seed, args.seed + (args.n or _SCENES))
        else:
            numbers = select_lines(things, args.seed, args.n or len(things))
        if not numbers:
            raise CommandError(f'{args.data} has {len(things)} lines: --seed is beyond the last')
        about = {'suite': args.suite, 'model': args.model, 'n': len(numbers)}
        about |= {'seed': args.seed, 'lang': args.lang}
        about |= {'planner': args.planner} if args.planner != 'auto' else {}
        about |= {'remote': args.remote_model} if args.planner == 'remote' else {}
        about |= {'skills': str(args.skills)} if skills else {}
        about |= {'data': str(args.data)} if args.data else {'table': table}
        # Before the model is loaded: not every suite applies to every table.
        tables = scene_source_for(args.suite, table)
        settings = agent_settings(args.planner, skills, remote_settings(args))
        with VisionLanguageModel.load(args.model) as vlm, tables, settings:
            identity = {'weights': model_identity(args.model), 'things': _digest(args.data)}
            journal = Journal(args.out and beside(args.out, '.jsonl'), about | identity)
            evaluation = Evaluation(args.suite, args.lang, tables, things)
            with journal:
                told = {'console': Console(stderr=True), 'transient': True}
                figures = evaluation.run(vlm, track(numbers, args.suite, **told), journal)
                written = args.out and write_report(args.out, about, figures, journal, evaluation)
    except (VlmError, AgentError, GLNotAvailable, EvalError) as error:
        raise CommandError(str(error)) from error
    print('\n'.join(lines(about, figures)))
    for path in written or ():
        print(f'written: {path}')
    if args.json:
        print(json.dumps(as_json(about, figures)))
    return 0


def model_identity(model: str) -> str:
    """Return what tells these weights from others of the same name."""
    from kimi_ros.vlm.nano import exported_folder, nano_checkpoint

    if model == 'nano':
        return exported_folder(nano_checkpoint()).name
    return hashlib.sha256((Path(model).expanduser() / 'model.json').read_bytes()).hexdigest()


def _digest(data: Path | None) -> str:
    from kimi_ros.eval.user_data import FILE

    return hashlib.sha256((data / FILE).read_bytes()).hexdigest() if data else ''
