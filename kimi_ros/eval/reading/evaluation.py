"""Running the evaluation: a planner drafts each case, and the drafts are scored and counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kimi_ros.agent.accounting import account
from kimi_ros.agent.draft import DraftPlan
from kimi_ros.agent.errors import InvalidDraftError
from kimi_ros.agent.instruction import validate_instruction
from kimi_ros.agent.plan import Reason, Status
from kimi_ros.agent.planners.protocol import Planner, PlanRequest
from kimi_ros.agent.policy import Policy
from kimi_ros.agent.references import Reference
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.eval.metrics import WILSON, Metric, wilson
from kimi_ros.eval.reading.cases import ANSWER, Case
from kimi_ros.eval.reading.scoring import METRICS, Prediction, score
from kimi_ros.resources import share

_OUTCOMES = {
    Reason.NO_SKILL: 'no_skill',
    Reason.NOTHING_ASKED: 'nothing',
    Reason.NOT_UNDERSTOOD: 'unclear',
    Reason.MISSING_ARGUMENT: 'unclear',
}
Task = tuple[Case, SkillCatalogue]


@dataclass(frozen=True)
class Result:
    """A case, what the planner made of it, and what of it is right."""

    case: Case
    prediction: Prediction
    right: dict[str, bool]

    def to_dict(self) -> dict:
        """Return what a line of JSON holds: the case and its prediction."""
        p = self.prediction
        came = {'skills': list(p.skills), 'names': list(p.names), 'relations': sorted(p.relations)}
        came |= {'values': [dict(v) for v in p.values], 'outcome': p.outcome, 'asked': p.asked}
        return self.case.to_dict() | {'came': came, 'right': self.right}


def evaluate(
    tasks: Iterable[Task], planner: Callable[[SkillCatalogue], Planner]
) -> Iterator[Result]:
    """Yield a result for each case; no image is shown.

    :param planner: returns the planner for a catalogue.
    """
    planners: dict[str, Planner] = {}
    policy = Policy.load(share('config/policy.yaml'))
    for case, skills in tasks:
        if skills.hash not in planners:
            planners[skills.hash] = planner(skills)
        history = [(validate_instruction(said), '') for said in case.history]
        request = PlanRequest(validate_instruction(case.say), case.lang, history)
        prediction = _predict(planners[skills.hash], request, skills, policy)
        yield Result(case, prediction, score(case, prediction))


def _predict(
    planner: Planner, request: PlanRequest, skills: SkillCatalogue, policy: Policy
) -> Prediction:
    try:
        draft = planner.draft(request)
    except InvalidDraftError:
        return Prediction(outcome='no_draft')
    # As in the agent: what a draft leaves out is asked about where it matters.
    if draft.steps and account(request.instruction, draft, skills, policy).ask:
        return Prediction(outcome='unclear', asked=True)
    return predict(draft, skills)


def predict(draft: DraftPlan, skills: SkillCatalogue) -> Prediction:
    """Return what a draft says of its instruction."""
    if draft.status is Status.ANSWER and draft.question is not None:
        return _prediction((ANSWER,), draft.question.references)
    if draft.status is not Status.OK:
        asked = draft.status is Status.NEEDS_CLARIFICATION
        return Prediction(outcome=_OUTCOMES.get(draft.reason, draft.reason), asked=asked)
    references, values = [], []
    for step in draft.steps:
        grounded = step.references(skills[step.skill])
        references += grounded.values()
        values.append({k: v for k, v in step.arguments.items() if k not in grounded})
    predicted = _prediction(tuple(s.skill for s in draft.steps), references, values)
    placed = {step.relation for step in draft.steps} - {''}
    return replace(predicted, relations=predicted.relations | placed)


def _prediction(
    skills: tuple[str, ...], references: Sequence[Reference], values: Sequence[dict] = ()
) -> Prediction:
    every = [r for reference in references for r in _with_landmarks(reference)]
    # A place is no thing: its landmarks are, and they follow.
    names = tuple(r.text for r in every if not r.is_place)
    return Prediction(skills, names, frozenset(r.relation for r in every if r.relation), values)


def _with_landmarks(reference: Reference) -> Iterator[Reference]:
    yield reference
    for landmark in reference.landmarks:
        yield from _with_landmarks(landmark)


def metrics(results: Sequence[Result]) -> list[Metric]:
    """Return the shares of right answers with their 95 % intervals, without those of no case."""
    found = []
    for name in METRICS:
        right = [r.right[name] for r in results if name in r.right]
        if right:
            low, high = wilson(sum(right), len(right))
            share = sum(right) / len(right)
            found.append(Metric(name, share, low, high, WILSON, len(right)))
    return found


def summarize(results: Sequence[Result]) -> dict[str, list[Metric]]:
    """Return the metrics of all results, and of each language."""
    groups = {'all': list(results)}
    for language in sorted({r.case.lang for r in results}):
        groups[language] = [r for r in results if r.case.lang == language]
    return {name: metrics(group) for name, group in groups.items()}


def write_results(path: Path, results: Sequence[Result]) -> None:
    """Write one line of JSON for each case."""
    lines = [json.dumps(r.to_dict(), ensure_ascii=False) for r in results]
    path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
