"""`kimi eval walk`: a walk along a simulated way, its narration compared with what is there."""

from __future__ import annotations

import argparse
import json

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.eval_options import add_language, add_report, add_selection, check_selection
from kimi_ros.cli.options import add_model_option

_WALKS = 40
# As kimi_ros.speech.narration.LEVELS, which `kimi --help` need not import.
_LEVELS = ('brief', 'normal', 'rich')


def add_parser(suites) -> None:
    """Declare the suite."""
    p = suites.add_parser(
        'walk', help='narration along a simulated pavement or corridor', description=__doc__
    )
    p.add_argument(
        '--eyes',
        choices=('truth', 'model'),
        default='truth',
        help="what is seen: the simulator's segmentation (default), which measures the narration "
        'and no model, or --model',
    )
    p.add_argument(
        '--level', choices=_LEVELS, default='normal', help='how much is told (default: normal)'
    )
    add_model_option(p)
    add_selection(p, 'walks', str(_WALKS))
    add_language(p)
    add_report(
        p,
        'OUT.jsonl, from which an interrupted run resumes, a report OUT.md, and the transcripts '
        'OUT.txt',
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Walk, and print each figure with its 95 % confidence interval."""
    check_selection(args)
    from contextlib import nullcontext

    from rich.console import Console
    from rich.progress import track

    from kimi_ros.agent.errors import AgentError
    from kimi_ros.cli.eval_scenes import model_identity
    from kimi_ros.eval.errors import EvalError
    from kimi_ros.eval.evaluation import beside
    from kimi_ros.eval.journal import Journal
    from kimi_ros.eval.report import as_json, lines
    from kimi_ros.eval.system import System
    from kimi_ros.eval.walking import figures_of, walk_number
    from kimi_ros.sim import GLNotAvailable
    from kimi_ros.vlm import VisionLanguageModel, VlmError

    numbers = range(args.seed, args.seed + (args.n or _WALKS))
    truth = args.eyes == 'truth'
    if truth and args.model != 'nano':
        raise CommandError('no model is asked with --eyes truth: give --eyes model, too')
    about = {'suite': 'walk', 'eyes': args.eyes} | ({} if truth else {'model': args.model})
    about |= {'level': args.level, 'n': len(numbers), 'seed': args.seed, 'lang': args.lang}
    try:
        identity = {} if truth else {'weights': model_identity(args.model)}
        journal = Journal(args.out and beside(args.out, '.jsonl'), about | identity)
        model = nullcontext() if truth else VisionLanguageModel.load(args.model)
        with journal, model as vlm:
            system = None if truth else System(vlm)
            shown = track(numbers, 'walk', console=Console(stderr=True), transient=True)
            for number in shown:
                if number not in journal.done:
                    journal.add(number, walk_number(number, args.lang, args.level, system))
    except (VlmError, AgentError, GLNotAvailable, EvalError) as error:
        raise CommandError(str(error)) from error
    figures = figures_of(journal, numbers)
    if truth:
        print("the model's part is answered from the segmentation: this measures the narration")
    print('\n'.join(lines(about, figures)))
    if args.out:
        _write(args, about, figures, journal)
    if args.json:
        print(json.dumps(as_json(about, figures)))
    return 0


def _write(args: argparse.Namespace, about: dict, figures, journal) -> None:
    from kimi_ros.eval.evaluation import beside
    from kimi_ros.eval.report import markdown
    from kimi_ros.eval.walking import transcript

    page, spoken = beside(args.out, '.md'), beside(args.out, '.txt')
    text = [
        line
        for number, outcomes in sorted(journal.done.items())
        for line in (f'walk {number}', *transcript(outcomes), '')
    ]
    try:
        page.write_text(markdown(about, figures), encoding='utf-8')
        spoken.write_text('\n'.join(text), encoding='utf-8')
    except OSError as error:
        raise CommandError(f'{args.out}: cannot be written: {error.strerror}') from error
    for path in (page, spoken):
        print(f'written: {path}')
