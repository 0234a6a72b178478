"""`kimi approve [ID]`: show a plan that waits for a person, and send the decision."""

from __future__ import annotations

import argparse
import getpass

from kimi_ros.cli.errors import CommandError


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        'approve', help='decide about a plan that waits', description=__doc__
    )
    parser.add_argument(
        'id', nargs='?', default='', help='how the id begins (default: the latest that waits)'
    )
    parser.add_argument('--node', default='kimi', help='the node, with its namespace: r1/kimi')
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument('--yes', action='store_true', help='approve without asking')
    decision.add_argument('--no', action='store_true', help='deny without asking')
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the plan, ask, and send the decision; 1 if it was not accepted."""
    try:
        from kimi_ros.nodes.client import KimiClient, NoResponseError
    except ImportError as error:
        raise CommandError(f'ROS is needed: {error}; see kimi doctor') from error
    with KimiClient(arguments.node) as client:
        try:
            plan_id, plan = choose(client.waiting_plans(), arguments.id)
            print('\n'.join(lines(plan)))
            approved = arguments.yes or (not arguments.no and _ask())
            rejected = client.decide(plan_id, plan['hash'], approved, getpass.getuser())
        except NoResponseError as error:
            raise CommandError(str(error)) from error
    if rejected:
        raise CommandError(rejected)
    print('approved' if approved else 'denied')
    return 0


def choose(waiting: dict[str, dict], prefix: str) -> tuple[str, dict]:
    """Return the plan that is meant; CommandError if none or more than one is.

    :param prefix: of the id; '' is the latest.
    """
    if not waiting:
        raise CommandError('no plan waits for approval')
    if not prefix:
        return list(waiting.items())[-1]
    found = [item for item in waiting.items() if item[0].startswith(prefix)]
    if len(found) != 1:
        which = 'no plan' if not found else 'more than one plan'
        raise CommandError(f'{which} that waits has an id that begins with {prefix!r}')
    return found[0]


def lines(plan: dict) -> list[str]:
    """Return what a person must know to decide."""
    steps = [f'step {number}: {step}' for number, step in enumerate(plan['steps'], 1)]
    why = [f'why it waits: {", ".join(plan["reasons"])}'] if plan['reasons'] else []
    return [f'asked: {plan["instruction"]!r}', f'kimi: {plan["say"]}', *steps, *why]


def _ask() -> bool:
    try:
        return input('Approve? [yes/no] ').strip().lower() in ('yes', 'y', '是')
    except EOFError:
        return False
