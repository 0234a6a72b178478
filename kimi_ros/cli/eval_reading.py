"""`kimi eval reading`: does a planner read what people say? No image is needed."""

from __future__ import annotations

import argparse
import functools
import json
import time
from pathlib import Path

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.eval_options import (
    LANGUAGES,
    add_language,
    add_report,
    add_selection,
    check_selection,
    results_file,
)
from kimi_ros.cli.options import add_planning_options, remote_settings, skills_path

_GENERATED = 1000  # instructions of each kind and language


def add_parser(suites) -> None:
    """Declare the suite."""
    p = suites.add_parser('reading', help='instructions, without an image', description=__doc__)
    counted = 'generated instructions of each kind and language, or lines of --data'
    add_selection(p, counted, f'{_GENERATED}, or all lines')
    add_language(p, 'both')
    add_report(p, 'OUT.jsonl, what was read of each')
    p.add_argument('--data', type=Path, metavar='FILE', help='your own cases, one a line')
    add_planning_options(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate, and print each metric of each set and language with its confidence interval."""
    check_selection(args)
    from rich.console import Console
    from rich.progress import track

    from kimi_ros.agent.errors import AgentError
    from kimi_ros.agent.planners import make_planner
    from kimi_ros.eval.errors import EvalError
    from kimi_ros.eval.reading.evaluation import evaluate, summarize, write_results

    if args.planner == 'model':
        raise CommandError('reading shows no image, which --planner model needs: give reader')
    out = results_file(args)
    name = 'reader' if args.planner == 'auto' else args.planner
    try:
        remote = remote_settings(args)
        sets = _sets(args)
        results = {}
        for title, tasks in sets.items():
            shown = track(tasks, title, console=Console(stderr=True), transient=True)
            started = time.perf_counter()
            made = functools.partial(make_planner, name, None, remote=remote)
            results[title] = list(evaluate(shown, made))
            seconds = (time.perf_counter() - started) / len(tasks)
            print(f'{title}: {1000 * seconds:.0f} ms a draft')
        if out:
            write_results(out, [r for found in results.values() for r in found])
            print(f'written: {out}')
    except (AgentError, EvalError, OSError, ValueError) as error:
        raise CommandError(str(error)) from error
    summary = {title: summarize(found) for title, found in results.items()}
    for title, languages in summary.items():
        for language, figures in languages.items():
            for metric in figures:
                print(
                    f'{title} {metric.name} ({language}): {metric.value:.3f}   95 % '
                    f'[{metric.low:.3f}, {metric.high:.3f}] ({metric.method}), '
                    f'{metric.questions} cases'
                )
    if args.json:
        print(json.dumps(_as_json(args, name, summary)))
    return 0


def _sets(args: argparse.Namespace) -> dict[str, list]:
    """Return the tasks by the name of their set."""
    from kimi_ros.agent.skills import SkillCatalogue
    from kimi_ros.eval.reading import read_cases
    from kimi_ros.eval.reading.generated import generated
    from kimi_ros.eval.reading.shipped import catalogue, catalogue_names, spoken

    languages = (args.lang,) if args.lang else LANGUAGES
    if args.data:
        skills = SkillCatalogue.load(skills_path(args)) if args.skills else None
        cases = read_cases(args.data, () if skills else catalogue_names())
        tasks = [(c, skills or catalogue(c.catalogue)) for c in cases]
        sets = {args.data.stem: tasks}
    elif args.skills:
        raise CommandError('--skills is for your own cases: give --data FILE, too')
    else:
        sets = {'spoken': [(c, catalogue(c.catalogue)) for c in spoken()]}
        for kind in ('nouns', 'skills'):
            sets[kind] = [
                task
                for language in languages
                for task in generated(kind, language, args.n or _GENERATED, args.seed)
            ]
    chosen = {name: [t for t in tasks if t[0].lang in languages] for name, tasks in sets.items()}
    if args.data:
        chosen = {name: tasks[args.seed :][: args.n] for name, tasks in chosen.items()}
    empty = [name for name, tasks in chosen.items() if not tasks]
    if empty:
        raise CommandError(f'{empty[0]}: there are no cases in these languages and lines')
    return chosen


def _as_json(args: argparse.Namespace, planner: str, summary: dict) -> dict:
    """Return each metric by its name; with several sets or languages, of each one, too."""
    from kimi_ros.eval.report import as_json

    about = {'suite': 'reading', 'planner': planner, 'seed': args.seed}
    about |= {'data': str(args.data)} if args.data else {}
    each = {
        name: {language: as_json({}, figures) for language, figures in languages.items()}
        for name, languages in summary.items()
    }
    first = next(iter(each.values()))
    return about | first['all'] | {'sets': each}
