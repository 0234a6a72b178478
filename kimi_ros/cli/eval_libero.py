"""`kimi eval libero`: from an instruction and pixels to a robot's arm, on LIBERO and LIBERO-PRO."""

from __future__ import annotations

import argparse
import json
from contextlib import nullcontext

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.eval_options import add_language, add_report
from kimi_ros.cli.options import add_model_option, add_planning_options, remote_settings

_EPISODES = 20
_ALL = 'all'


def add_parser(suites) -> None:
    """Declare the suite."""
    p = suites.add_parser(
        'libero', help='tasks of LIBERO and LIBERO-PRO, by a simulated arm', description=__doc__
    )
    p.add_argument(
        '--suite',
        dest='libero_suite',
        required=True,
        metavar='NAME',
        help='libero_object, libero_goal_task, ...; with --plan-only also all',
    )
    p.add_argument(
        '--episodes', type=int, metavar='N', help=f'of each task (default: {_EPISODES}, at most 50)'
    )
    p.add_argument(
        '--eyes',
        choices=('truth',),
        help='source of detections: a model (--model) or, in its place and for upper bounds, the '
        "simulator's segmentation",
    )
    p.add_argument('--processes', type=int, default=1, metavar='N', help='default: 1')
    p.add_argument(
        '--plan-only', action='store_true', help='the figure plan alone, without a simulator'
    )
    add_model_option(p)
    add_language(p)
    add_report(
        p,
        'OUT.jsonl, from which an interrupted run resumes, a report OUT.md, and a contact sheet of '
        'failures OUT.png',
    )
    add_planning_options(p, skills=False)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate, and print each figure with its 95 % confidence interval."""
    from kimi_ros.agent.errors import AgentError
    from kimi_ros.eval.errors import EvalError
    from kimi_ros.sim import GLNotAvailable
    from kimi_ros.sim.libero.benchmark import STATES, SUITES, LiberoNotInstalled
    from kimi_ros.vlm import VlmError

    args.episodes = args.episodes or _EPISODES
    if not 1 <= args.episodes <= STATES or args.processes < 1:
        raise CommandError(f'--episodes must be 1 to {STATES}, --processes at least 1')
    if args.planner == 'auto':
        args.planner = 'reader'
    if args.eyes and args.planner == 'model':
        raise CommandError('--eyes truth only detects, and --planner model plans: give reader')
    every = args.libero_suite == _ALL and args.plan_only
    if not every and args.libero_suite not in SUITES:
        raise CommandError(f'--suite must be one of {", ".join(SUITES)}; of --plan-only also all')
    try:
        if args.plan_only:
            return _run_plans(args, SUITES if every else (args.libero_suite,))
        return _run_episodes(args)
    except (AgentError, EvalError, GLNotAvailable, LiberoNotInstalled, VlmError) as error:
        raise CommandError(str(error)) from error


def _run_plans(args: argparse.Namespace, suites: tuple[str, ...]) -> int:
    from kimi_ros.agent.planners import make_planner
    from kimi_ros.eval.libero.instructions import catalogue
    from kimi_ros.eval.libero.planning import draft_tasks
    from kimi_ros.eval.metrics import wilson
    from kimi_ros.sim.libero.benchmark import read_tasks

    if args.planner == 'model':
        raise CommandError('--plan-only shows no image, which --planner model needs: give reader')
    planner = make_planner(args.planner, None, catalogue(), remote=remote_settings(args))
    shares: dict[str, float] = {}
    right = total = 0
    for suite in suites:
        drafted = list(draft_tasks(planner, read_tasks(suite), args.lang))
        hits = sum(d.correct for d in drafted)
        shares[suite], right, total = hits / len(drafted), right + hits, total + len(drafted)
        print(f'{suite} plan ({args.lang}): {hits} of {len(drafted)}')
        for item in drafted:
            if not item.correct:
                print(f'    {item.instruction} -> {item.came}')
    low, high = wilson(right, total)
    print(f'plan ({args.lang}): {right / total:.3f}   95 % [{low:.3f}, {high:.3f}], {total} tasks')
    if args.json:
        about = {'suite': 'libero', 'lang': args.lang, 'planner': args.planner}
        print(json.dumps({**about, 'plan': right / total, 'low': low, 'high': high} | shares))
    return 0


def _run_episodes(args: argparse.Namespace) -> int:
    from PIL import Image
    from rich.console import Console
    from rich.progress import Progress

    from kimi_ros.cli.eval_scenes import model_identity
    from kimi_ros.eval.evaluation import beside
    from kimi_ros.eval.journal import Journal
    from kimi_ros.eval.libero.evaluation import (
        Settings,
        episode_numbers,
        failures_sheet,
        run_suite,
    )
    from kimi_ros.eval.report import as_json, lines, markdown
    from kimi_ros.sim.gl import choose_backend

    choose_backend()  # before any process is started
    detections = args.eyes or args.model
    remote = remote_settings(args)
    settings = Settings(
        args.libero_suite, args.episodes, args.lang, detections, args.planner, remote
    )
    about = {'suite': args.libero_suite, 'eyes': detections, 'planner': args.planner}
    about |= {'lang': args.lang, 'seed': 0}
    about |= {'remote': remote.model} if remote else {}
    identity = {} if args.eyes else {'weights': model_identity(args.model)}
    pictures = args.out and beside(args.out, '.frames')
    numbers = episode_numbers(settings)
    progress = Progress(console=Console(stderr=True), transient=True)
    # Not how many episodes: a journal of a few goes on as one of more.
    journal = Journal(args.out and beside(args.out, '.jsonl'), about | identity)
    with journal, progress if Console(stderr=True).is_terminal else nullcontext():
        bar = progress.add_task(args.libero_suite, total=len(numbers))
        progress.advance(bar, sum(n in journal.done for n in numbers))
        figures = run_suite(
            settings, journal, pictures, args.processes, lambda: progress.advance(bar)
        )
    if args.eyes:
        print("upper bounds: the detections are the simulator's own segmentation, not a model's")
    print('\n'.join(lines(about, figures)))
    if args.out:
        sheet = failures_sheet(journal, pictures)
        page, image = beside(args.out, '.md'), beside(args.out, '.png')
        page.write_text(
            markdown(about, figures, image.name if sheet is not None else ''), encoding='utf-8'
        )
        print(f'written: {page}')
        if sheet is not None:
            Image.fromarray(sheet).save(image)
            print(f'written: {image}')
    if args.json:
        print(json.dumps(as_json(about | {'episodes': len(numbers)}, figures)))
    return 0
