"""One instruction on its way: draft, rules, grounding, verification, feasibility, approval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from threading import Event

from kimi_ros.agent import phrases
from kimi_ros.agent.checks import find_duplicate
from kimi_ros.agent.errors import InvalidDraftError
from kimi_ros.agent.frame import Frame, detect_camera_problem
from kimi_ros.agent.grounding import Candidate
from kimi_ros.agent.outcome import PlanOutcome
from kimi_ros.agent.perception import Detection, Perception
from kimi_ros.agent.plan import Approval, GroundedObject, PlanStep, Reason, Status
from kimi_ros.agent.planner import DraftPlan, Planner
from kimi_ros.agent.policy import Policy, Rule
from kimi_ros.agent.prompts import describe_question
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.agent.steps import bind_steps, find_obstacle


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
    :ivar on_state: called when a stage begins.
    :ivar on_text: called with the sentence so far, each time that there is more of it; or None.
    """

    frame: Frame
    text: str
    language: str
    on_state: Callable[[State], None] = lambda state: None
    on_text: Callable[[str], None] | None = None
    cancel: Event | None = None


class Pipeline:
    """Takes one request through all stages; each either passes on or ends with an PlanOutcome."""

    def __init__(
        self,
        request: Request,
        perceive: Callable[[Frame, Event | None], Perception],
        planner: Planner,
        skills: SkillCatalogue,
        policy: Policy,
        clock: Callable[[], float],
    ):
        """Take the request and what the stages need.

        :param perceive: encodes a frame.
        :param clock: seconds, the clock of `Plan.expires`.
        """
        self._request = request
        self._perceive = perceive
        self._planner = planner
        self._skills = skills
        self._policy = policy
        self._clock = clock

    def run(self) -> PlanOutcome:
        """Go through all stages, or until one ends the run."""
        request = self._request
        request.on_state(State.LOOKING)
        if problem := detect_camera_problem(request.frame.rgb):
            return self._end(Status.INFEASIBLE, problem, self._say(problem))
        self._perception = self._perceive(request.frame, request.cancel)
        if rule := self._policy.rule_for_words(request.text):
            return self._refuse(rule)
        request.on_state(State.THINKING)
        draft = self._draft(on_text=request.on_text)
        if draft.status is Status.REFUSED:
            return self._end(Status.REFUSED, Reason.MODEL, draft.say)
        executable = draft
        if draft.status is not Status.OK:
            # What is it about? Only a name can be grounded, and found missing or ambiguous.
            try:
                executable = self._draft((Status.OK,))
            except InvalidDraftError:
                return self._end(draft.status, Reason.MODEL, draft.say)
        return self._check_draft(executable) or self._ground(draft, executable)

    def _draft(self, statuses=tuple(Status), on_text=None) -> DraftPlan:
        request = self._request
        return self._planner.draft(
            self._perception.image, request.text, statuses, on_text=on_text, cancel=request.cancel
        )

    def _check_draft(self, executable: DraftPlan) -> PlanOutcome | None:
        """Return the end of a run whose steps are forbidden, too many or contradictory."""
        if rule := self._policy.refusal(self._request.text, executable.steps, self._skills):
            return self._refuse(rule)
        if len(executable.steps) > self._policy.max_steps:
            return self._end(Status.INFEASIBLE, Reason.TOO_MANY_STEPS, self._say('too_many_steps'))
        if name := executable.repeated_name(self._skills):
            say = self._say('same_object', name, name)
            return self._end(Status.NEEDS_CLARIFICATION, Reason.SAME_OBJECT, say)
        return None

    def _ground(self, draft: DraftPlan, executable: DraftPlan) -> PlanOutcome:
        """Find every name in the image; each must refer to one object."""
        self._request.on_state(State.GROUNDING)
        found = {name: self._perception.find(name) for name in executable.names(self._skills)}
        return self._check_found(found) or self._verify(
            draft, executable, {name: candidate for name, (candidate,) in found.items()}
        )

    def _check_found(self, found: dict[str, list[Candidate]]) -> PlanOutcome | None:
        """Return the end of a run with names that refer to nothing, to several or to one object."""
        language = self._request.language
        if missing := [name for name, candidates in found.items() if not candidates]:
            named = [phrases.with_article(name, language) for name in missing]
            say = self._say('not_visible', phrases.join_alternatives(named, language))
            seen = [Detection(name, c) for name, candidates in found.items() for c in candidates]
            return self._end(Status.INFEASIBLE, Reason.NOT_VISIBLE, say, seen)
        for name, candidates in found.items():
            if len(candidates) > 1:
                return self._ask(Reason.AMBIGUOUS, name, candidates)
        pairs = [(name, candidate) for name, (candidate,) in found.items()]
        if duplicate := find_duplicate(pairs):
            say = self._say('same_object', *duplicate)
            seen = [Detection(*pair) for pair in pairs]
            return self._end(Status.NEEDS_CLARIFICATION, Reason.SAME_OBJECT, say, seen)
        return None

    def _verify(
        self, draft: DraftPlan, executable: DraftPlan, found: dict[str, Candidate]
    ) -> PlanOutcome:
        """Verify every object, then check the steps against preconditions, limits and rules."""
        self._request.on_state(State.CHECKING)
        detections = [Detection(n, c, self._perception.verify(n, c)) for n, c in found.items()]
        doubted = draft.status is not Status.OK
        if doubted and not (detections and all(d.verified for d in detections)):
            return self._stay_with(draft, detections)
        for detection in detections:
            if detection.score < self._policy.min_score:
                return self._ask(Reason.UNSURE, detection.name, [detection.candidate])
        objects = self._perception.objects(detections)
        return self._finish(executable, objects, doubted)

    def _stay_with(self, draft: DraftPlan, detections: Sequence[Detection]) -> PlanOutcome:
        """End as the draft says, whose doubts the verification did not remove."""
        unverified = [d for d in detections if not d.verified]
        if unverified and draft.status is Status.NEEDS_CLARIFICATION:
            return self._ask(Reason.UNSURE, unverified[0].name, [unverified[0].candidate])
        return self._end(draft.status, Reason.MODEL, draft.say, detections)

    def _finish(
        self, executable: DraftPlan, objects: tuple[GroundedObject, ...], doubted: bool
    ) -> PlanOutcome:
        """End with a plan that can be executed, at once or after approval."""
        ids = {o.label: o.id for o in objects}
        steps, rules = bind_steps(
            executable.steps, ids, self._request.text, self._skills, self._policy, doubted
        )
        if obstacle := find_obstacle(steps, objects, self._skills):
            reason, key, values = obstacle
            say = self._say(key, *values)
            return PlanOutcome.without_steps(Status.INFEASIBLE, reason, say, objects)
        needs_approval = any(s.needs_approval for s in steps)
        return PlanOutcome(
            status=Status.OK,
            say=self._narrate(executable, steps),
            objects=objects,
            steps=steps,
            reason_codes=rules,
            approval=Approval.PENDING if needs_approval else Approval.NOT_NEEDED,
            expires=self._clock() + self._policy.approval_seconds if needs_approval else 0.0,
        )

    def _narrate(self, executable: DraftPlan, steps: Sequence[PlanStep]) -> str:
        """Return what is said with the steps: the draft's sentence, a description, or both."""
        if not any(self._skills[s.skill].describes for s in steps):
            return executable.say
        # The description alone answers a plan that only describes.
        return self._describe('' if len(steps) == 1 else executable.say)

    def _refuse(self, rule: Rule) -> PlanOutcome:
        """End as a rule says; where a person must judge, describe what there is to judge."""
        language = self._request.language
        say = rule.say[language]
        if rule.action == 'defer':
            say = self._describe(say)
        return self._end(Status.REFUSED, rule.id, say)

    def _describe(self, prefix: str) -> str:
        language = self._request.language
        return self._perception.answer(
            describe_question(language), phrases.before(prefix, language), self._request.on_text
        )

    def _ask(self, reason: str, name: str, candidates: Sequence[Candidate]) -> PlanOutcome:
        """End with the question which candidate is meant, or whether the only one is."""
        language = self._request.language
        points = [c.point for c in candidates]
        options = phrases.options(name, points, self._request.frame.size, language)
        if len(options) > 1:
            separator = '，' if language == 'zh' else ', '
            say = self._say('which', name, separator.join(options))
        else:
            say = self._say('really', options[0].removeprefix('1. '))
        seen = [Detection(name, c) for c in candidates]
        return self._end(Status.NEEDS_CLARIFICATION, reason, say, seen, options)

    def _end(
        self,
        status: Status,
        reason: str,
        say: str,
        detections: Sequence[Detection] = (),
        options: tuple[str, ...] = (),
    ) -> PlanOutcome:
        objects = self._perception.objects(detections) if detections else ()
        return PlanOutcome.without_steps(status, reason, say, objects, options)

    def _say(self, key: str, *values) -> str:
        return phrases.say(key, self._request.language, *values)
