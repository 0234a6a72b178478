"""`kimi ask IMAGE "instruction" ...`: plans for an image file, without ROS."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.options import add_model_option, add_planning_options, make_agent


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser('ask', help='make a plan for an image file, without ROS')
    parser.add_argument('image', type=Path, help='JPEG, PNG or any format that Pillow reads')
    parser.add_argument(
        'instruction',
        nargs='+',
        help='what you want, in English or Chinese; several are a conversation: '
        '"pick up the red cup" "the other one, too"',
    )
    parser.add_argument(
        '--language', choices=('en', 'zh'), default='', help='of what is said (default: as asked)'
    )
    add_model_option(parser)
    add_planning_options(parser)
    parser.add_argument(
        '--out', type=Path, help='write the image with the plan drawn on it to this file'
    )
    parser.add_argument('--json', action='store_true', help='print each plan as a line of JSON')
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the plans; the exit status is 0 for every kind of plan, also infeasible ones."""
    # Imported here so that `kimi --help` does not load an engine.
    from rich.console import Console

    from kimi_ros.agent import Frame
    from kimi_ros.agent.drawing import draw_plan
    from kimi_ros.agent.errors import AgentError
    from kimi_ros.cli.pictures import check_picture_name, read_picture, write_picture
    from kimi_ros.cli.plan_formatter import plan_lines
    from kimi_ros.vlm import VisionLanguageModel, VlmError

    if arguments.out:
        check_picture_name(arguments.out)  # before the model is loaded
    rgb = read_picture(arguments.image)
    try:
        with Console(stderr=True).status(f'loading {arguments.model}'):
            vlm = VisionLanguageModel.load(arguments.model)
        agent = make_agent(arguments, vlm)
        turns: list[tuple[str, str]] = []
        taken: list[tuple[float, float]] = []
        for instruction in arguments.instruction:
            started = time.monotonic()
            plan = agent.run(
                Frame(rgb), instruction, arguments.language, history=turns, taken=taken
            )
            turns.append((instruction, plan.say))
            taken = [thing.point for thing in plan.objects] if plan.steps else []
            if arguments.json:
                print(plan.to_json())
                continue
            print('\n'.join(plan_lines(plan)))
            print(f'time: {time.monotonic() - started:.2f} s')
    except (AgentError, VlmError, FileNotFoundError, ValueError) as error:
        raise CommandError(str(error)) from error
    if arguments.out:
        write_picture(arguments.out, draw_plan(rgb, plan))
        print(f'annotated image: {arguments.out}', file=sys.stderr)
    return 0
