"""`kimi eval SUITE`: how well a model sees, reads and plans.

docs/evaluation.md describes the suites and their metrics.
"""

from __future__ import annotations

from kimi_ros.cli import (
    eval_bag,
    eval_libero,
    eval_reading,
    eval_safety,
    eval_scenes,
    eval_speech,
    eval_walk,
)

_MODULES = (eval_scenes, eval_reading, eval_safety, eval_speech, eval_walk, eval_libero, eval_bag)


def add_parser(subparsers) -> None:
    """Declare the verb, and each suite with its own options."""
    p = subparsers.add_parser('eval', help='evaluate a model', description=__doc__)
    suites = p.add_subparsers(dest='suite', metavar='SUITE', required=True)
    for module in _MODULES:
        module.add_parser(suites)
