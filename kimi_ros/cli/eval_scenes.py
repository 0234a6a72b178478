"""Suites of `kimi eval` about held-out rendered scenes; three also take your own pictures."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.eval_options import add_language, add_report, add_selection, check_selection
from kimi_ros.cli.options import (
    add_model_option,
    add_planning_options,
    remote_settings,
    skills_path,
)

_SCENES = 200
_TABLES = ('full', 'small')
# As kimi_ros.eval.suites.SUITES, which `kimi --help` need not import.
_LOCALIZING = {
    'points': 'the object that an expression refers to: a point',
    'boxes': 'the object that an expression refers to: a box',
}
_LOOKING = {
    'questions': 'presence, attributes, relations',
    'counting': 'how many there are',
    'pairs': 'objects of a kind and colour that training never saw together',
    'guide': 'a simulated person who is guided to an object by words',
}
_PLANNING = {
    'plans': 'instructions, through the whole agent',
    'ask': 'questions, through the whole agent',
    'clarify': 'objects that are there once, several times or not at all',
    'phrasings': 'instructions in wording that training never saw',
    'catalogues': 'robots with skills that training never saw',
    'places': 'where to put an object: beside, left of, between',
    'closed-loop': 'a simulated robot executes the plans',
    'closed-loop-places': 'a simulated robot executes the plans of places',
    'demo': 'what `make demo` asks',
}


def add_parser(suites) -> None:
    """Declare the suites."""
    for name, about in (_LOCALIZING | _LOOKING | _PLANNING).items():
        p = suites.add_parser(name, help=about, description=f'{about.capitalize()}.')
        own = ', or all lines of --data' if name in _LOCALIZING else ''
        _add_common(p, 'scenes', f'{_SCENES}{own}')
        p.add_argument('--table', choices=_TABLES, help='object set of the scenes (default: full)')
        if name in _LOCALIZING:
            _add_data(p, required=False)
        if name in _PLANNING:
            add_planning_options(p)
    about = 'your own pictures: points, boxes, and what is not there'
    p = suites.add_parser('photos', help=about, description=f'{about.capitalize()}.')
    _add_common(p, 'lines of things.jsonl', 'all')
    _add_data(p, required=True)


def _add_common(p: argparse.ArgumentParser, counted: str, default: str) -> None:
    add_model_option(p)
    add_selection(p, counted, default)
    add_language(p)
    add_report(
        p,
        'OUT.jsonl, from which an interrupted run resumes, a report OUT.md and a contact sheet of '
        'failures OUT.png',
    )
    # Of the suites that have no such option.
    p.set_defaults(run=run, data=None, table=None, planner='auto', skills=None)


def _add_data(p: argparse.ArgumentParser, required: bool) -> None:
    p.add_argument(
        '--data',
        type=Path,
        metavar='FOLDER',
        required=required,
        help='your own pictures, with things.jsonl',
    )


def run(args: argparse.Namespace) -> int:
    """Run the evaluation and print each metric with its 95 % confidence interval."""
    check_selection(args)
    from rich.console import Console
    from rich.progress import track

    from kimi_ros.agent import SkillCatalogue
    from kimi_ros.agent.errors import AgentError
    from kimi_ros.eval.errors import EvalError
    from kimi_ros.eval.evaluation import Evaluation, beside, write_report
    from kimi_ros.eval.journal import Journal
    from kimi_ros.eval.report import as_json, lines
    from kimi_ros.eval.suites import scene_source_for
    from kimi_ros.eval.system import System
    from kimi_ros.eval.user_data import read_user_data, select_lines
    from kimi_ros.sim import GLNotAvailable
    from kimi_ros.vlm import VisionLanguageModel, VlmError

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
        catalogue = SkillCatalogue.load(skills) if skills else None
        remote = remote_settings(args)
        with VisionLanguageModel.load(args.model) as vlm, tables:
            system = System(vlm, args.planner, catalogue, remote)
            identity = {'weights': model_identity(args.model), 'things': _digest(args.data)}
            journal = Journal(args.out and beside(args.out, '.jsonl'), about | identity)
            evaluation = Evaluation(args.suite, args.lang, tables, things)
            with journal:
                told = {'console': Console(stderr=True), 'transient': True}
                figures = evaluation.run(system, track(numbers, args.suite, **told), journal)
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
