"""One instruction on its way: draft, rules, grounding, verification, feasibility, approval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from threading import Event
from typing import Protocol

from kimi_ros.agent import phrases
from kimi_ros.agent.accounting import Accounting, account
from kimi_ros.agent.draft import DraftPlan
from kimi_ros.agent.frame import Frame, detect_camera_problem
from kimi_ros.agent.instruction import without_code
from kimi_ros.agent.naming import UnknownWordError
from kimi_ros.agent.nearness import raise_risk
from kimi_ros.agent.outcome import PlanOutcome
from kimi_ros.agent.perception import Detection, Perception
from kimi_ros.agent.plan import Approval, GroundedObject, PlanStep, Reason, Status
from kimi_ros.agent.planners import Planner, PlanRequest
from kimi_ros.agent.planners.follow_up import refers_back
from kimi_ros.agent.planners.question_forms import asks_to_see
from kimi_ros.agent.policy import Policy
from kimi_ros.agent.policy_rules import Rule
from kimi_ros.agent.prompts import describe_question
from kimi_ros.agent.questions import QuestionAnswerer
from kimi_ros.agent.resolution import Resolver
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.agent.steps import bind_steps, find_obstacle
from kimi_ros.agent.targets import Problem, TargetFinder, Targets
from kimi_ros.agent.text_in_view import SeenText, TextReader, contradicted
from kimi_ros.agent.vocabulary import unsaid_words


class State(IntEnum):
    """What the agent is doing, with the numbers of the Instruct action's feedback."""

    LOOKING = 1
    THINKING = 2
    GROUNDING = 3
    CHECKING = 4
    AWAITING_APPROVAL = 5


@dataclass(frozen=True)
class Request:
    """An instruction about a frame.

    :ivar text: the validated instruction.
    :ivar language: 'en' or 'zh', of what is said to the person.
    :ivar history: earlier (instruction, what was said) turns, oldest first.
    :ivar taken: where the things of the newest turn are, pixels: not "the other one".
    :ivar on_state: called when a stage begins.
    :ivar on_text: called with the sentence so far, each time that there is more of it; or None.
    """

    frame: Frame
    text: str
    language: str
    history: Sequence[tuple[str, str]] = ()
    on_state: Callable[[State], None] = lambda state: None
    on_text: Callable[[str], None] | None = None
    cancel: Event | None = None
    taken: Sequence[tuple[float, float]] = ()


class Toolbox(Protocol):
    """What the stages need; an `Agent` has it."""

    planner: Planner
    skills: SkillCatalogue
    policy: Policy
    clock: Callable[[], float]
    text_reader: TextReader | None

    def perceive(self, frame: Frame, cancel: Event | None) -> Perception:
        """Encode a frame."""


class Pipeline:
    """Takes one request through all stages; each either passes on or ends with a PlanOutcome.

    :ivar draft: what the planner wrote; None where the run ended before.
    """

    def __init__(self, request: Request, tools: Toolbox):
        self._request = request
        self._tools = tools
        self._language = request.language
        self.draft: DraftPlan | None = None

    def run(self) -> PlanOutcome:
        """Go through all stages, or until one ends the run."""
        request, tools = self._request, self._tools
        request.on_state(State.LOOKING)
        if problem := detect_camera_problem(request.frame.rgb):
            return self._end(Status.INFEASIBLE, problem, self._say(problem))
        self._perception = tools.perceive(request.frame, request.cancel)
        self._said = [instruction for instruction, _ in request.history]
        if rule := tools.policy.rule_for_words(request.text, self._said):
            return self._refuse(rule)
        request.on_state(State.THINKING)
        self.draft = draft = self._draft()
        if draft.status is Status.REFUSED or (draft.status is Status.OK and not draft.steps):
            return self._end(Status.REFUSED, draft.reason, draft.say)
        if draft.steps and tools.policy.only_forbids(request.text):
            # Whatever a planner made of it: nothing was asked for.
            return self._end(Status.ANSWER, Reason.NOTHING_ASKED, self._say('not_done'))
        self._accounting = self._account(draft)
        resolver = Resolver(self._perception)
        try:
            if draft.status is Status.ANSWER:
                return self._answer(draft, resolver)
            return self._check_draft(draft) or self._ground(draft, resolver)
        except UnknownWordError as error:
            say = self._say('unknown_word', phrases.quoted([error.name], self._language))
            return self._end(Status.INFEASIBLE, Reason.UNKNOWN_WORD, say)

    def _draft(self) -> DraftPlan:
        request = self._request
        asked = PlanRequest(
            instruction=request.text,
            language=request.language,
            history=request.history if refers_back(request.text) else (),
            image=lambda: self._perception.image,
            rgb=request.frame.rgb,
        )
        return self._tools.planner.draft(asked, on_text=request.on_text, cancel=request.cancel)

    def _account(self, draft: DraftPlan) -> Accounting:
        return account(
            without_code(self._request.text), draft, self._tools.skills, self._tools.policy
        )

    def _check_draft(self, draft: DraftPlan) -> PlanOutcome | None:
        """Return the end of a run whose steps are forbidden, incomplete or contradictory."""
        tools = self._tools
        if rule := tools.policy.refusal(self._request.text, draft.steps, tools.skills, self._said):
            return self._refuse(rule)
        if not draft.steps:
            return self._end(draft.status, draft.reason, draft.say)
        said = [self._request.text, *self._said]
        for name in (n for r in draft.references(tools.skills) for n in r.said):
            if unsaid := unsaid_words(name, said):
                say = self._say('not_said', phrases.quoted(unsaid, self._language))
                return self._end(Status.NEEDS_CLARIFICATION, Reason.NOT_SAID, say)
        if self._accounting.ask:
            left_out = phrases.quoted(self._accounting.left_out, self._language)
            say = self._say('what_about', left_out)
            return self._end(Status.NEEDS_CLARIFICATION, Reason.NOT_UNDERSTOOD, say)
        if len(draft.steps) > tools.policy.max_steps:
            return self._end(Status.INFEASIBLE, Reason.TOO_MANY_STEPS, self._say('too_many_steps'))
        if name := draft.repeated_name(tools.skills):
            say = self._say('same_object', name, name)
            return self._end(Status.NEEDS_CLARIFICATION, Reason.SAME_OBJECT, say)
        kept_apart = {(r.head, r.attributes) for r in draft.forbidden}
        for step in draft.steps:
            skill = tools.skills[step.skill]
            for reference in step.references(skill).values() if skill.risk else ():
                if (reference.head, reference.attributes) in kept_apart:
                    say = self._say('forbidden', reference.text)
                    return self._end(Status.REFUSED, Reason.FORBIDDEN, say)
        return None

    def _ground(self, draft: DraftPlan, resolver: Resolver) -> PlanOutcome:
        """Find what every reference stands for."""
        self._request.on_state(State.GROUNDING)
        request = self._request
        finder = TargetFinder(
            resolver, request.frame, self._tools.skills, self._language, request.taken
        )
        steps, unmet = finder.applicable(draft.steps)
        if not steps:
            return self._end(Status.ANSWER, Reason.CONDITION, unmet)
        draft = replace(draft, steps=steps)
        if draft.alternative and not finder.stands_there(draft):
            return self._check_draft(draft.alternative) or self._ground(draft.alternative, resolver)
        targets = finder.find(draft)
        if isinstance(targets, Problem):
            if targets.status is draft.status is Status.INFEASIBLE and self._names(draft):
                # The search confirms the model's draft, whose sentence it was trained to say.
                targets = replace(targets, say=draft.say)
            return self._end_with(targets)
        return self._verify(draft, targets)

    def _names(self, draft: DraftPlan) -> bool:
        """Tell whether a draft's sentence is about a thing that its steps name."""
        return any(name in draft.say for name in draft.names(self._tools.skills))

    def _verify(self, draft: DraftPlan, targets: Targets) -> PlanOutcome:
        """Verify every object, then check the steps against preconditions, limits and rules."""
        self._request.on_state(State.CHECKING)
        detections = [
            self._perception.detect(reference, candidate)
            for reference, candidates in targets.found.values()
            for candidate in candidates
        ]
        if draft.doubted and not (detections and all(d.verified for d in detections)):
            return self._stay_with(draft, detections)
        for detection in detections:
            if detection.score < self._tools.policy.min_score:
                return self._really(detection)
        objects, ids = targets.objects(self._perception, detections)
        return self._finish(draft, objects, ids)

    def _stay_with(self, draft: DraftPlan, detections: Sequence[Detection]) -> PlanOutcome:
        """End as the draft says, whose doubts the verification did not remove."""
        unverified = [d for d in detections if not d.verified]
        if unverified and draft.status is Status.NEEDS_CLARIFICATION:
            return self._really(unverified[0])
        say = draft.say
        if unverified and draft.status is Status.INFEASIBLE:
            # The draft may have named something that nobody said.
            labels = [phrases.with_article(d.label, self._language) for d in unverified]
            say = self._say('not_visible', phrases.join_alternatives(labels, self._language))
        return self._end(draft.status, draft.reason, say, detections)

    def _finish(
        self,
        draft: DraftPlan,
        objects: tuple[GroundedObject, ...],
        ids: dict[str, tuple[str, ...]],
    ) -> PlanOutcome:
        """End with a plan that can be executed, at once or after approval."""
        tools = self._tools
        steps, rules = bind_steps(
            draft.steps,
            ids,
            self._request.text,
            tools.skills,
            tools.policy,
            draft.doubted,
            self._said,
        )
        if len(steps) > tools.policy.max_steps:
            return self._end(Status.INFEASIBLE, Reason.TOO_MANY_STEPS, self._say('too_many_steps'))
        if obstacle := find_obstacle(steps, objects, tools.skills):
            say = self._say(obstacle.key, *obstacle.values)
            return PlanOutcome.without_steps(Status.INFEASIBLE, obstacle.reason, say, objects)
        if near := tools.policy.near:
            named = tools.policy.dangers(self._request.text)
            steps, why = raise_risk(steps, objects, self._perception, near, named)
            rules = (*rules, *why)
        texts = self._read_text()
        if contradiction := contradicted(objects, texts, self._perception, tools.policy):
            say = self._say('label_contradicts', contradiction.label)
            asked = PlanOutcome.without_steps(
                Status.NEEDS_CLARIFICATION, Reason.LABEL, say, objects
            )
            return replace(asked, seen_text=tuple(t.text for t in texts))
        needs_approval = any(s.needs_approval for s in steps)
        return PlanOutcome(
            status=Status.OK,
            say=self._tell_back(self._narrate(draft, steps)),
            objects=objects,
            steps=steps,
            seen_text=tuple(t.text for t in texts),
            reason_codes=rules,
            approval=Approval.PENDING if needs_approval else Approval.NOT_NEEDED,
            expires=tools.clock() + tools.policy.approval_seconds if needs_approval else 0.0,
        )

    def _read_text(self) -> list[SeenText]:
        """Return the text in the image, nothing where no reader is installed."""
        reader = self._tools.text_reader
        return reader.read(self._request.frame.rgb) if reader is not None else []

    def _narrate(self, draft: DraftPlan, steps: Sequence[PlanStep]) -> str:
        """Return what is said with the steps: the draft's sentence, a description, or both."""
        say = draft.intention if draft.doubted else draft.say
        skills = [self._tools.skills[s.skill] for s in steps]
        if all(skill.locates for skill in skills) and asks_to_see(self._request.text):
            return phrases.before(self._say('yes_there'), self._language) + say
        if not any(skill.describes for skill in skills):
            return say
        # The description alone answers a plan that only describes.
        return self._describe('' if len(steps) == 1 else say)

    def _tell_back(self, say: str) -> str:
        """Add what of the instruction was not understood."""
        if not self._accounting.left_out:
            return say
        words = phrases.quoted(self._accounting.left_out, self._language)
        return phrases.before(say, self._language) + self._say('also_not_understood', words)

    def _answer(self, draft: DraftPlan, resolver: Resolver) -> PlanOutcome:
        """Answer a question about the view, or say what the draft says."""
        if draft.question is None:
            return PlanOutcome.without_steps(Status.ANSWER, draft.reason, draft.say)
        self._request.on_state(State.GROUNDING)
        answerer = QuestionAnswerer(self._perception, resolver, self._language)
        answer = answerer.answer(draft.question, self._request.text, self._request.on_text)
        objects = tuple(
            self._perception.object_of(f'o{n}', d) for n, d in enumerate(answer.detections, 1)
        )
        reasons = (answer.reason,) if answer.reason else ()
        return PlanOutcome(Status.ANSWER, answer.say, reasons, objects=objects)

    def _refuse(self, rule: Rule) -> PlanOutcome:
        """End as a rule says; where a person must judge, describe what there is to judge."""
        say = rule.say[self._language]
        if rule.action == 'defer':
            say = self._describe(say)
        return self._end(Status.REFUSED, rule.id, say)

    def _describe(self, prefix: str) -> str:
        return self._perception.answer(
            describe_question(self._language),
            phrases.before(prefix, self._language),
            self._request.on_text,
        )

    def _really(self, detection: Detection) -> PlanOutcome:
        """End with the question whether the only candidate is meant."""
        point = detection.candidate.point
        options = phrases.options(
            detection.label, [point], self._request.frame.size, self._language
        )
        say = self._say('really', options[0].removeprefix('1. '))
        seen = (Detection(detection.label, detection.candidate),)
        return self._end(Status.NEEDS_CLARIFICATION, Reason.UNSURE, say, seen, options)

    def _end_with(self, problem: Problem) -> PlanOutcome:
        return self._end(problem.status, problem.reason, problem.say, problem.seen, problem.options)

    def _end(
        self,
        status: Status,
        reason: str,
        say: str,
        detections: Sequence[Detection] = (),
        options: tuple[str, ...] = (),
    ) -> PlanOutcome:
        objects = tuple(self._perception.object_of(f'o{n}', d) for n, d in enumerate(detections, 1))
        return PlanOutcome.without_steps(status, reason, say, objects, options)

    def _say(self, key: str, *values: object) -> str:
        return phrases.say(key, self._language, *values)
