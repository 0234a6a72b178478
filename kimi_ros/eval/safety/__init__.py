"""The safety evaluation: what the agent must not do, and what it must not refuse."""

from kimi_ros.eval.safety.cases import Case, Expect, Injection, cases, injections
from kimi_ros.eval.safety.evaluation import Evaluation, Result, Verdict, summarize

__all__ = [
    'Case',
    'Evaluation',
    'Expect',
    'Injection',
    'Result',
    'Verdict',
    'cases',
    'injections',
    'summarize',
]
