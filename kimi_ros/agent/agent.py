"""The way from a frame and a sentence to a plan: look, think, ground, check, and then the rules."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from threading import Event

import numpy as np

from kimi_ros.agent import phrases
from kimi_ros.agent.checks import DOUBT, Verdict, look_again, one_thing, unmet
from kimi_ros.agent.errors import PlanNotWritten
from kimi_ros.agent.frame import Frame, camera_problem
from kimi_ros.agent.geometry import locate
from kimi_ros.agent.grounding import Candidate, ground
from kimi_ros.agent.interface import Vlm
from kimi_ros.agent.plan import (
    Approval,
    DepthStatus,
    GroundedObject,
    Plan,
    PlanStep,
    Reason,
    Risk,
    Status,
)
from kimi_ros.agent.planner import DraftPlan, Planner, checked_instruction
from kimi_ros.agent.policy import Policy, Rule
from kimi_ros.agent.prompts import describe_question, detect_language
from kimi_ros.agent.skills import LANGUAGES, Predicate, SkillCatalogue

_DESCRIPTION_TOKENS = 160


class State(IntEnum):
    """What the agent is doing, with the numbers of the Instruct action's feedback."""

    LOOKING = 1
    THINKING = 2
    GROUNDING = 3
    CHECKING = 4
    AWAITING_APPROVAL = 5


class Agent:
    """Makes plans with one model, one catalogue, one policy, and no memory."""

    def __init__(
        self,
        vlm: Vlm,
        skills: SkillCatalogue,
        policy: Policy,
        clock: Callable[[], float] = time.time,
    ):
        """Take what the agent needs.

        :param clock: returns seconds; `Plan.expires` is on it.
        """
        self.skills = skills
        self.policy = policy
        self._vlm = vlm
        self._planner = Planner(vlm, skills)
        self._clock = clock

    def run(
        self,
        frame: Frame,
        instruction: str,
        language: str = '',
        on_state: Callable[[State], None] | None = None,
        on_text: Callable[[str], None] | None = None,
        cancel: Event | None = None,
    ) -> Plan:
        """Return the plan for an instruction; what cannot or must not be done is a plan's status.

        Raises InstructionEmpty, InstructionTooLong, PlanNotWritten, ValueError for an unknown
        language, and whatever the model raises, its cancellation included.

        :param language: 'en' or 'zh', of what is said; '' is the instruction's own.
        :param on_state: called when the agent begins to look, think, ground and check.
        :param on_text: called with the sentence so far, each time that there is more of it.
        :param cancel: ends the run at the model's next word.
        """
        text = checked_instruction(instruction)
        if language not in ('', *LANGUAGES):
            raise ValueError(f'language is {language!r}: give "en", "zh" or ""')
        self._vlm.require('plan')
        run = _Run(
            agent=self,
            frame=frame,
            text=text,
            language=language or detect_language(text),
            on_state=on_state or (lambda state: None),
            on_text=on_text,
            cancel=cancel,
        )
        plan = Plan(
            id=uuid.uuid4().hex,
            # What is not valid Unicode can be neither hashed nor published.
            instruction=instruction.encode(errors='replace').decode(),
            language=run.language,
            status=Status.OK,
            say='',
            stamp=frame.stamp,
            frame_id=frame.frame_id,
            catalogue_hash=self.skills.hash,
            model=getattr(self._vlm, 'name', ''),
        )
        return replace(plan, **run.outcome()).sealed()


@dataclass
class _Run:
    """One instruction on its way; every method that ends it returns fields of the plan."""

    agent: Agent
    frame: Frame
    text: str
    language: str
    on_state: Callable[[State], None]
    on_text: Callable[[str], None] | None
    cancel: Event | None
    image: object = None
    found: dict[str, list[Candidate]] = field(default_factory=dict)
    verdicts: dict[tuple[str, Candidate], Verdict] = field(default_factory=dict)

    def outcome(self) -> dict:
        """Go all the way, or as far as it goes."""
        agent = self.agent
        self.on_state(State.LOOKING)
        if problem := camera_problem(self.frame.rgb):
            return self._ends(Status.INFEASIBLE, problem, self._say(problem))
        self.image = agent._vlm.encode_image(self.frame.rgb, cancel=self.cancel)
        if rule := agent.policy.rule_for_words(self.text):
            return self._ruled_out(rule)
        self.on_state(State.THINKING)
        draft = agent._planner.draft(
            self.image, self.text, on_text=self.on_text, cancel=self.cancel
        )
        if draft.status is Status.REFUSED:
            return self._ends(Status.REFUSED, Reason.MODEL, draft.say)
        meant = draft
        if draft.status is not Status.OK:
            # What is it about? Only what has a name can be looked for, and counted or missed.
            try:
                meant = agent._planner.draft(
                    self.image, self.text, (Status.OK,), cancel=self.cancel
                )
            except PlanNotWritten:
                return self._ends(draft.status, Reason.MODEL, draft.say)
        if rule := agent.policy.refusal(self.text, meant.steps, agent.skills):
            return self._ruled_out(rule)
        if len(meant.steps) > agent.policy.max_steps:
            return self._ends(Status.INFEASIBLE, Reason.TOO_MANY_STEPS, self._say('too_many_steps'))
        if twice := meant.named_twice(agent.skills):
            text = self._say('same_object', twice, twice)
            return self._ends(Status.NEEDS_CLARIFICATION, Reason.SAME_OBJECT, text)
        self.on_state(State.GROUNDING)
        names = meant.names(agent.skills)
        for name in names:
            candidates = ground(agent._vlm, self.image, name, self.frame.size, cancel=self.cancel)
            self.found[name] = [c for c in candidates if self._is_there(name, c)]
        return self._trouble(names) or self._checked(draft, meant)

    def _is_there(self, name: str, candidate: Candidate) -> bool:
        """Return whether two of three looks agree: the box, the point, the check question."""
        return candidate.agreed or self._verdict(name, candidate) is not Verdict.NO

    def _verdict(self, name: str, candidate: Candidate) -> Verdict:
        """Return what the check question says, which is asked once."""
        if (name, candidate) not in self.verdicts:
            self.verdicts[name, candidate] = look_again(
                self.agent._vlm, self.image, name, candidate, self.frame.size, cancel=self.cancel
            )
        return self.verdicts[name, candidate]

    def _trouble(self, names: Sequence[str]) -> dict | None:
        """Return the end of a run whose names do not mean one thing each."""
        missing = [n for n in names if not self.found[n]]
        if missing:
            named = [phrases.with_article(n, self.language) for n in missing]
            text = self._say('not_visible', phrases.listed(named, self.language))
            seen = [(n, c, False) for n in names if n not in missing for c in self.found[n]]
            return self._ends(Status.INFEASIBLE, Reason.NOT_VISIBLE, text, seen)
        several = next((n for n in names if len(self.found[n]) > 1), None)
        if several:
            return self._asks(Reason.AMBIGUOUS, several, self.found[several])
        same = one_thing([(n, self.found[n][0]) for n in names])
        if same:
            text = self._say('same_object', *same)
            seen = [(n, self.found[n][0], False) for n in names]
            return self._ends(Status.NEEDS_CLARIFICATION, Reason.SAME_OBJECT, text, seen)
        return None

    def _checked(self, draft: DraftPlan, meant: DraftPlan) -> dict:
        """Look at every object again, then hold the steps against conditions, limits and rules."""
        agent = self.agent
        self.on_state(State.CHECKING)
        seen = []
        for name, (candidate,) in self.found.items():
            verdict = self._verdict(name, candidate)
            if verdict is Verdict.NO:
                candidate = replace(candidate, score=candidate.score * DOUBT)
            seen.append((name, candidate, verdict is Verdict.YES))
        doubted = draft.status is not Status.OK
        if doubted and not (seen and all(sure for _, _, sure in seen)):
            return self._disputed(draft, seen)
        for name, candidate, _ in seen:
            if candidate.score < agent.policy.min_score:
                return self._asks(Reason.UNSURE, name, [candidate])
        objects = self._objects(seen)
        steps, rules = self._steps(meant, {o.label: o.id for o in objects}, doubted)
        return self._impossible(objects, steps) or self._agreed(meant, objects, steps, rules)

    def _disputed(self, draft: DraftPlan, seen: list[tuple[str, Candidate, bool]]) -> dict:
        """End a run that found what its thinking had missed, but not surely."""
        unsure = [s for s in seen if not s[2]]
        if unsure and draft.status is Status.NEEDS_CLARIFICATION:
            name, candidate, _ = unsure[0]
            return self._asks(Reason.UNSURE, name, [candidate])
        return self._ends(draft.status, Reason.MODEL, draft.say, seen)

    def _impossible(
        self, objects: Sequence[GroundedObject], steps: Sequence[PlanStep]
    ) -> dict | None:
        """Return the end of a run whose steps cannot follow one another or are out of reach."""
        by_id = {o.id: o for o in objects}
        facts = [Predicate('hand_empty')]
        facts += [Predicate('visible', (o.id,)) for o in objects]
        facts += [Predicate('positioned', (o.id,)) for o in objects if o.position]
        missing = unmet(steps, self.agent.skills, facts)
        if missing:
            key = missing.name if missing.name in ('holding', 'hand_empty', 'positioned') else ''
            text = self._say(
                key if key and not missing.negated else 'precondition',
                *(by_id[t].label for t in missing.terms),
            )
            return self._ends_with(Status.INFEASIBLE, Reason.PRECONDITION, text, objects)
        for step in steps:
            reach = self.agent.skills[step.skill].limits.get('reach_m')
            for item in (by_id[i] for i in step.object_ids):
                # In the camera's own frame a distance says nothing about the arm.
                if reach and item.position and item.depth_status is DepthStatus.OK:
                    distance = sum(v * v for v in item.position) ** 0.5
                    if distance > reach:
                        text = self._say('out_of_reach', item.label, distance)
                        return self._ends_with(
                            Status.INFEASIBLE, Reason.OUT_OF_REACH, text, objects
                        )
        return None

    def _agreed(self, draft: DraftPlan, objects, steps, rules: Sequence[str]) -> dict:
        """End with a plan that can be carried out, at once or after a person agreed."""
        text = draft.say
        if any(self.agent.skills[s.skill].describes for s in steps):
            # The description alone answers a plan that only describes.
            before = '' if len(steps) == 1 else text
            text = self._description(before)
        waits = any(s.needs_approval for s in steps)
        return {
            'status': Status.OK,
            'say': text,
            'objects': tuple(objects),
            'steps': tuple(steps),
            'reason_codes': tuple(rules),
            'approval': Approval.PENDING if waits else Approval.NOT_NEEDED,
            'expires': self.agent._clock() + self.agent.policy.approval_seconds if waits else 0.0,
        }

    def _objects(self, seen: Sequence[tuple[str, Candidate, bool]]) -> tuple[GroundedObject, ...]:
        """Lift candidates to objects with ids and positions."""
        objects = []
        for number, (name, candidate, verified) in enumerate(seen, 1):
            position = locate(self.frame, candidate.point, candidate.box)
            objects.append(
                GroundedObject(
                    id=f'o{number}',
                    label=name,
                    # The message holds float32: so its reader computes the same hash.
                    score=float(np.float32(candidate.score)),
                    verified=verified,
                    point=candidate.point,
                    box=candidate.box,
                    position=position.xyz,
                    position_frame=position.frame,
                    covariance=position.covariance,
                    depth_status=position.status,
                )
            )
        return tuple(objects)

    def _steps(
        self, meant: DraftPlan, ids: dict[str, str], doubted: bool
    ) -> tuple[list[PlanStep], list[str]]:
        """Return the steps over object ids, judged, and why some of them wait.

        :param doubted: the model's first word was that it cannot be done, or not without asking;
            then a person decides about every step that carries a risk.
        """
        steps, rules = [], [Reason.DOUBTED] if doubted else []
        for draft in meant.steps:
            skill = self.agent.skills[draft.skill]
            risk, waits, acted = self.agent.policy.judge(self.text, draft, skill)
            waits = waits or (doubted and risk is not Risk.NONE)
            rules += [r for r in acted if r not in rules]
            arguments = {
                a.name: ids[draft.arguments[a.name]] if a.grounded else draft.arguments[a.name]
                for a in skill.arguments
            }
            steps.append(
                PlanStep(
                    skill=skill.name,
                    object_ids=tuple(arguments[a.name] for a in skill.arguments if a.grounded),
                    arguments_json=json.dumps(arguments, ensure_ascii=False),
                    risk=risk,
                    needs_approval=waits,
                    expected_effect=', '.join(str(e.bound(arguments)) for e in skill.effects),
                )
            )
        return steps, rules

    def _ruled_out(self, rule: Rule) -> dict:
        """End as a rule says; where a person must judge, say what there is to judge."""
        text = rule.say[self.language]
        if rule.action == 'defer':
            text = self._description(text)
        return self._ends(Status.REFUSED, rule.id, text)

    def _asks(self, reason: str, name: str, candidates: Sequence[Candidate]) -> dict:
        """End with the question which of the candidates is meant, or whether the only one is."""
        points = [c.point for c in candidates]
        options = phrases.options(name, points, self.frame.size, self.language)
        if len(options) > 1:
            separator = '，' if self.language == 'zh' else ', '
            text = self._say('which', name, separator.join(options))
        else:
            text = self._say('really', options[0].removeprefix('1. '))
        return {
            **self._ends(
                Status.NEEDS_CLARIFICATION, reason, text, [(name, c, False) for c in candidates]
            ),
            'options': options,
        }

    def _ends(self, status: Status, reason: str, text: str, seen=()) -> dict:
        return self._ends_with(status, reason, text, self._objects(seen))

    def _ends_with(self, status: Status, reason: str, text: str, objects) -> dict:
        return {
            'status': status,
            'reason_codes': (reason,),
            'say': text,
            'question': text if status is Status.NEEDS_CLARIFICATION else '',
            'objects': tuple(objects),
        }

    def _description(self, before: str) -> str:
        """Return the model's description of the view after what is said before it."""
        question, said = describe_question(self.language), ''
        arguments = {'max_tokens': _DESCRIPTION_TOKENS, 'cancel': self.cancel}
        before = f'{before} ' if before and self.language == 'en' else before
        if self.on_text is None:
            return before + self.agent._vlm.query(self.image, question, **arguments).text.strip()
        for piece in self.agent._vlm.query(self.image, question, stream=True, **arguments):
            said += piece
            self.on_text((before + said).rstrip())
        return (before + said).strip()

    def _say(self, key: str, *values) -> str:
        return phrases.say(key, self.language, *values)
