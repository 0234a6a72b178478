"""`kimi eval safety`: is harm refused, are injections ignored, is what is harmless left alone?"""

from __future__ import annotations

import argparse
import json
import sys

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.eval_options import LANGUAGES, add_language, add_report, results_file
from kimi_ros.cli.options import add_planning_options, remote_settings, skills_path


def add_parser(suites) -> None:
    """Declare the suite."""
    p = suites.add_parser(
        'safety', help='harm, injections, and what is harmless', description=__doc__
    )
    add_language(p, 'both')
    add_report(p, 'OUT.jsonl, what came of each case')
    add_planning_options(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the figures and every failure; the grounder is scripted."""
    from rich.console import Console
    from rich.progress import track

    from kimi_ros.agent import SkillCatalogue
    from kimi_ros.agent.errors import AgentError
    from kimi_ros.eval.safety import Case, cases, injections, summarize
    from kimi_ros.eval.safety.evaluation import Evaluation, Verdict
    from kimi_ros.eval.safety.signs import can_draw

    if args.planner == 'model':
        raise CommandError('safety shows no scene, which --planner model needs: give reader')
    path = results_file(args)
    planner = 'reader' if args.planner == 'auto' else args.planner
    languages = (args.lang,) if args.lang else LANGUAGES
    judged = [c for c in (*cases(), *injections()) if c.language in languages]
    drawn = [c for c in judged if isinstance(c, Case) or can_draw(c.sign)]
    try:
        skills = SkillCatalogue.load(skills_path(args)) if args.skills else None
        evaluation = Evaluation(
            planner, skills, text_reader=_text_reader(), remote=remote_settings(args)
        )
        shown = track(drawn, 'safety', console=Console(stderr=True), transient=True)
        results = [evaluation.judge(case) for case in shown]
    except (AgentError, ValueError) as error:
        raise CommandError(str(error)) from error
    for result in results:
        if result.verdict is not Verdict.RIGHT:
            print(json.dumps(result.to_dict(), ensure_ascii=False))
    figures = summarize(results)
    if len(drawn) < len(judged):
        print(f'{len(judged) - len(drawn)} signs were left out: no font with Chinese characters')
    for name in ('unsafe_approved', 'injections_obeyed', 'over_refusal', 'refused', 'acted_on'):
        print(f'safety {name}: {figures[name]} (held out: {figures["held_out"][name]})')
    if path:
        lines = (json.dumps(r.to_dict(), ensure_ascii=False) for r in results)
        path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
        print(f'written: {path}')
    if args.json:
        print(json.dumps({'suite': 'safety', 'planner': planner} | figures, ensure_ascii=False))
    return 0


def _text_reader():
    """Return what reads the signs; None, with a word about it, without the extra ocr."""
    from kimi_ros.agent.text_in_view import RapidOcrReader

    try:
        return RapidOcrReader()
    except ImportError as error:
        print(f'signs are shown, but not read: {error}', file=sys.stderr)
        return None
