"""Options that several verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimi_ros.cli.errors import CommandError

if TYPE_CHECKING:
    from kimi_ros.agent import Agent
    from kimi_ros.vlm import VisionLanguageModel

# As kimi_ros.agent.planners.PLANNERS, which `kimi --help` need not import.
PLANNERS = ('auto', 'model', 'reader', 'remote')


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Add --model."""
    parser.add_argument(
        '--model', default='nano', help="'nano' or a folder that kimi-export wrote (default: nano)"
    )


def add_planning_options(parser: argparse.ArgumentParser, skills: bool = True) -> None:
    """Add --planner with its server, and --skills unless the `skills` are given otherwise."""
    parser.add_argument(
        '--planner',
        choices=PLANNERS,
        default='auto',
        help='what turns the instruction into steps (default: auto, the model if it was trained '
        'for plans, else the reader)',
    )
    if skills:
        parser.add_argument(
            '--skills',
            type=Path,
            metavar='FILE',
            help='YAML file of the skills (default: built-in)',
        )
    remote = parser.add_argument_group('the server of --planner remote (OpenAI-compatible)')
    remote.add_argument('--remote-url', default='', metavar='URL', help='http://localhost:8000/v1')
    remote.add_argument('--remote-model', default='', metavar='NAME', help='model on the server')
    remote.add_argument(
        '--remote-key-env',
        default='',
        metavar='VARIABLE',
        help='environment variable that holds the API key (default: no key)',
    )
    remote.add_argument(
        '--remote-timeout',
        type=float,
        default=30.0,
        metavar='S',
        help='seconds that the server has for an instruction; then the reader plans (default: 30)',
    )
    remote.add_argument(
        '--remote-options',
        default='',
        metavar='JSON',
        help='further fields of each request: \'{"temperature": 0}\'',
    )
    remote.add_argument(
        '--send-image', action='store_true', help='send the image to the server, too'
    )


def remote_fields(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `RemoteSettings` that the options give; {} for another planner."""
    if arguments.planner != 'remote':
        return {}
    return {
        'url': arguments.remote_url,
        'model': arguments.remote_model,
        'key_env': arguments.remote_key_env,
        'timeout': arguments.remote_timeout,
        'options': arguments.remote_options,
        'send_image': arguments.send_image,
    }


def remote_settings(arguments: argparse.Namespace):
    """Return the `RemoteSettings` of --planner remote, None for another planner.

    :raises RemoteSettingsError: for a server that is not named, and whatever else cannot work.
    """
    from kimi_ros.agent.planners import RemoteSettings

    fields = remote_fields(arguments)
    return RemoteSettings(**fields) if fields else None


def node_parameters(arguments: argparse.Namespace) -> dict[str, object]:
    """Return the parameters of the node `kimi` that --model and the planning options stand for.

    :raises CommandError: for a file of skills or a server that cannot work.
    """
    parameters: dict[str, object] = {'model': arguments.model, 'planner': arguments.planner}
    if arguments.skills is not None:
        parameters['skills'] = str(skills_path(arguments).resolve())
    try:
        remote_settings(arguments)
    except ValueError as error:
        raise CommandError(str(error)) from error
    return parameters | {f'remote_{k}': v for k, v in remote_fields(arguments).items() if v != ''}


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


def make_agent(arguments: argparse.Namespace, vlm: VisionLanguageModel) -> Agent:
    """Return the agent that the planning options describe, with the policy that is shipped.

    :raises CommandError: if there is no file of skills; AgentError and ValueError for skills and
        a planner that cannot work.
    """
    from kimi_ros.agent import Agent, Policy, SkillCatalogue
    from kimi_ros.resources import share

    return Agent(
        vlm,
        SkillCatalogue.load(skills_path(arguments)),
        Policy.load(share('config/policy.yaml')),
        planner=arguments.planner,
        remote=remote_settings(arguments),
    )
