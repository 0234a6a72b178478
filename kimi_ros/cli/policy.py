"""`kimi policy check FILE`: is a policy file valid, and do its rules do what their examples say?"""

from __future__ import annotations

import argparse
from pathlib import Path

from kimi_ros.cli.errors import CommandError


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser('policy', help='check a policy file', description=__doc__)
    actions = parser.add_subparsers(metavar='ACTION', required=True)
    check = actions.add_parser('check', help='load a file and run the examples of its rules')
    check.add_argument('file', type=Path, nargs='?', help='default: the shipped policy')
    check.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is wrong, with its line, or that nothing is; 1 if something is wrong."""
    from kimi_ros.agent.errors import PolicyError
    from kimi_ros.agent.policy import Policy
    from kimi_ros.agent.policy_check import check_examples, summary
    from kimi_ros.resources import share

    path = arguments.file or share('config/policy.yaml')
    try:
        policy = Policy.load(path)
    except PolicyError as error:
        raise CommandError(str(error)) from error
    count, faults = check_examples(policy)
    lines = _lines(path)
    for fault in faults:
        shown = f': {fault.text!r}' if fault.text else ''
        print(f'{path}:{lines.get(fault.rule, 0)}: rule {fault.rule}: {fault.message}{shown}')
    if faults:
        raise CommandError(f'{len(faults)} of {count} examples are not as they say')
    print(f'{path}: {summary(policy)}; {count} examples are as they say')
    return 0


def _lines(path: Path) -> dict[str, int]:
    """Return the line of each rule of the file by its id; a rule of another file has none."""
    from kimi_ros.agent.errors import PolicyError
    from kimi_ros.agent.yaml_schema import load_yaml_with_lines

    data, source = load_yaml_with_lines(path, PolicyError)
    return {rule['id']: source.lines['rules', i] for i, rule in enumerate(data['rules'])}
