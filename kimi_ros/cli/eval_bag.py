"""`kimi eval bag FILE QUESTIONS`: instructions about moments of a recorded bag, without ROS.

QUESTIONS has a line of JSON for each: docs/how_to/camera.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.eval_options import (
    add_report,
    add_selection,
    check_selection,
    results_file,
)
from kimi_ros.cli.options import add_model_option, add_planning_options

_JUDGED = ('status_right', 'skills_right', 'points_right')
_BOX = {'type': 'array', 'items': {'type': 'number'}, 'minItems': 4, 'maxItems': 4}
_LINE = {
    'type': 'object',
    'required': ['at', 'instruction'],
    'additionalProperties': False,
    'properties': {
        'at': {'type': 'number', 'minimum': 0},
        'instruction': {'type': 'string', 'pattern': r'\S'},
        'language': {'enum': ['en', 'zh', '']},
        'status': {'enum': ['ok', 'needs_clarification', 'infeasible', 'refused', 'answer']},
        'skills': {'type': 'array', 'items': {'type': 'string'}},
        'boxes': {'type': 'array', 'items': _BOX},
    },
}


def add_parser(suites) -> None:
    """Declare the suite."""
    p = suites.add_parser(
        'bag', help='instructions about moments of a recorded bag', description=__doc__
    )
    p.add_argument('bag', type=Path, metavar='FILE', help='the bag (MCAP or sqlite3)')
    p.add_argument('questions', type=Path, metavar='QUESTIONS', help='a line of JSON for each')
    p.add_argument('--image', default='', metavar='TOPIC', help='image topic, if it has several')
    add_model_option(p)
    add_selection(p, 'questions', 'all')
    add_report(p, 'OUT.jsonl, what was planned and what is wrong with it')
    add_planning_options(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask every question about the newest frame of its moment; print what is wrong, and shares."""
    from kimi_ros.agent.errors import AgentError
    from kimi_ros.cli.options import make_agent
    from kimi_ros.nodes.bag import Bag, BagError, BagTopics
    from kimi_ros.vlm import VisionLanguageModel, VlmError

    check_selection(args)
    path, out = args.bag, results_file(args)
    every = read_questions(args.questions)
    questions = every[args.seed :][: args.n]
    if not questions:
        raise CommandError(f'{args.questions} has {len(every)} questions: --seed is beyond them')
    results = []
    try:
        with (
            Bag(path, BagTopics(image=args.image)) as bag,
            VisionLanguageModel.load(args.model) as vlm,
        ):
            agent = make_agent(args, vlm)
            frames = bag.frames([q['at'] for q in questions])
            for question, (frame, warnings) in zip(questions, frames, strict=True):
                plan = agent.run(frame, question['instruction'], question.get('language', ''))
                result = judge(plan, question)
                result['warnings'] = [w.code for w in warnings]
                results.append(result)
                if result['wrong']:
                    print(f'{question["at"]:g} s: {plan.instruction}: {"; ".join(result["wrong"])}')
    except (AgentError, BagError, VlmError, ValueError) as error:
        raise CommandError(str(error)) from error
    figures = {name: [r[name] for r in results if r[name] is not None] for name in _JUDGED}
    for name, values in figures.items():
        if values:
            print(f'bag {name}: {sum(values)} of {len(values)}')
    if out:
        lines = (json.dumps(result, ensure_ascii=False) for result in results)
        out.write_text('\n'.join(lines) + '\n', encoding='utf-8')
        print(f'written: {out}')
    if args.json:
        shares = {n: sum(v) / len(v) if v else None for n, v in figures.items()}
        print(json.dumps({'suite': 'bag', 'bag': str(path), 'n': len(results), **shares}))
    return 0


def read_questions(path: Path) -> list[dict[str, Any]]:
    """Read and check a file of questions, sorted by their moments; raises CommandError."""
    import jsonschema

    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except OSError as error:
        raise CommandError(f'{path}: {error.strerror}') from error
    except UnicodeDecodeError:
        raise CommandError(f'{path} is not UTF-8: give lines of JSON as text') from None
    questions = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = json.loads(line)
            jsonschema.Draft202012Validator(_LINE).validate(question)
        except (ValueError, jsonschema.ValidationError) as error:
            told = getattr(error, 'message', error)
            raise CommandError(f'{path}, line {number}: {told}') from None
        questions.append(question)
    if not questions:
        raise CommandError(f'{path} holds no questions')
    return sorted(questions, key=lambda q: q['at'])


def judge(plan: Any, question: dict[str, Any]) -> dict[str, Any]:
    """Return what of a plan is right, None where the question does not say, and what is wrong.

    :param question: its 'boxes' hold x_min, y_min, x_max, y_max in pixels, one for each object of
        the plan, in order.
    """
    skills = [step.skill for step in plan.steps]
    wrong: list[str] = []
    right: dict[str, bool | None] = dict.fromkeys(_JUDGED)
    if 'status' in question:
        right['status_right'] = plan.status.value == question['status']
        if not right['status_right']:
            wrong.append(f'{plan.status.value} instead of {question["status"]} ({plan.say})')
    if 'skills' in question:
        right['skills_right'] = skills == question['skills']
        if not right['skills_right']:
            wrong.append(f'steps {skills} instead of {question["skills"]}')
    if 'boxes' in question:
        pairs = list(zip(plan.objects, question['boxes'], strict=False))
        inside = [b[0] <= o.point[0] <= b[2] and b[1] <= o.point[1] <= b[3] for o, b in pairs]
        right['points_right'] = len(plan.objects) == len(question['boxes']) and all(inside)
        if not right['points_right']:
            wrong.append(f'points {[tuple(map(round, o.point)) for o in plan.objects]}')
    return {**question, **right, 'wrong': wrong, 'plan': json.loads(plan.to_json())}
