"""Options that several verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path

from kimi_ros.cli.errors import CommandError

# As kimi_ros.agent.planners.PLANNERS, which `kimi --help` need not import.
PLANNERS = ('auto', 'model', 'reader', 'remote')


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Add --model."""
    parser.add_argument(
        '--model', default='nano', help="'nano' or a folder that kimi-export wrote (default: nano)"
    )


def add_planning_options(parser: argparse.ArgumentParser) -> None:
    """Add --planner and --skills."""
    parser.add_argument(
        '--planner',
        choices=PLANNERS,
        default='auto',
        help='what turns the instruction into steps (default: auto, the model if it was trained '
        'for plans, else the reader)',
    )
    parser.add_argument(
        '--skills', type=Path, metavar='FILE', help='YAML file of the skills (default: built-in)'
    )


def skills_path(arguments: argparse.Namespace) -> Path:
    """Return the file that --skills names, or that of the package.

    :raises CommandError: if there is no such file.
    """
    from kimi_ros.resources import share

    if arguments.skills is None:
        return share('config/skills.yaml')
    if not arguments.skills.is_file():
        raise CommandError(f'--skills: there is no file {arguments.skills}')
    return arguments.skills
