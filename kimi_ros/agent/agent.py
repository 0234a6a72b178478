"""The agent: plans for instructions about a camera frame, and answers to questions about it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event

from kimi_ros.agent import phrases
from kimi_ros.agent.draft import DraftPlan
from kimi_ros.agent.errors import RulesChangedError, SceneChangedError
from kimi_ros.agent.frame import Frame, detect_camera_problem
from kimi_ros.agent.instruction import validate_instruction
from kimi_ros.agent.naming import Naming
from kimi_ros.agent.perception import Perception
from kimi_ros.agent.pipeline import Pipeline, Request, State
from kimi_ros.agent.plan import GroundedObject, Plan, Reason, Status
from kimi_ros.agent.planners import Planner, RemoteSettings, make_planner
from kimi_ros.agent.planners.factory import has_closed_vocabulary
from kimi_ros.agent.policy import Policy
from kimi_ros.agent.prompts import describe_question, detect_language
from kimi_ros.agent.resolution import locate
from kimi_ros.agent.scene_change import SceneSnapshot, find_again
from kimi_ros.agent.skills import LANGUAGES, SkillCatalogue
from kimi_ros.agent.text_in_view import TextReader
from kimi_ros.agent.vlm_protocol import Vlm


class Agent:
    """Makes plans with one model, one catalogue and one policy; stateless between calls."""

    def __init__(
        self,
        vlm: Vlm,
        skills: SkillCatalogue,
        policy: Policy,
        clock: Callable[[], float] = time.time,
        planner: str | Planner = 'auto',
        remote: RemoteSettings | None = None,
        text_reader: TextReader | None = None,
    ):
        """Take what the agent needs.

        Raises what `make_planner` raises for a planner that is not available.

        :param clock: returns seconds; `Plan.expires` is on it.
        :param planner: one of `PLANNERS`, or an object that plans.
        :param remote: the server of the planner 'remote'.
        :param text_reader: what reads the text in images: `text_in_view.RapidOcrReader()`, or None.
        """
        self.skills = skills
        self.policy = policy
        self.clock = clock
        self.text_reader = text_reader
        if isinstance(planner, str):
            planner = make_planner(planner, vlm, skills, remote=remote)
        self.planner = planner
        self._vlm = vlm
        languages = getattr(vlm, 'languages', LANGUAGES)
        self._naming = Naming(languages, taught=has_closed_vocabulary(vlm))

    def run(
        self,
        frame: Frame,
        instruction: str,
        language: str = '',
        on_state: Callable[[State], None] | None = None,
        on_text: Callable[[str], None] | None = None,
        cancel: Event | None = None,
        history: Sequence[tuple[str, str]] = (),
        taken: Sequence[tuple[float, float]] = (),
    ) -> Plan:
        """Return the plan for an instruction; what cannot or must not be done is a plan's status.

        Raises EmptyInstructionError, InstructionTooLongError, InvalidDraftError, ValueError for an
        unknown language, and whatever the model raises, its cancellation included.

        :param language: 'en' or 'zh', of what is said; '' is the instruction's own.
        :param on_state: called when the agent begins to look, think, ground and check.
        :param on_text: called with the sentence so far, each time that there is more of it.
        :param cancel: ends the run at the model's next token.
        :param history: earlier (instruction, what was said) turns, oldest first.
        :param taken: where the objects of the newest of these are, x and y in pixels: "the other
            one" is none of them.
        """
        text = validate_instruction(instruction)
        language = _checked_language(language, text)
        request = Request(
            frame, text, language, history, on_state or (lambda state: None), on_text, cancel, taken
        )
        plan = Plan(
            id=uuid.uuid4().hex,
            # What is not valid Unicode can be neither hashed nor published.
            instruction=instruction.encode(errors='replace').decode(),
            language=language,
            status=Status.OK,
            say='',
            stamp=frame.stamp,
            frame_id=frame.frame_id,
            catalogue_hash=self.skills.hash,
            policy_hash=self.policy.hash,
            model=getattr(self._vlm, 'name', ''),
            planner=self.planner.name,
        )
        pipeline = Pipeline(request, self)
        plan = pipeline.run().applied_to(plan)
        return _as_planned(plan, pipeline.draft).sealed()

    def describe(
        self,
        frame: Frame,
        question: str = '',
        language: str = '',
        on_text: Callable[[str], None] | None = None,
        cancel: Event | None = None,
    ) -> str:
        """Answer a question about a frame; an empty one asks for a description of the view.

        The policy holds for questions, too: a rule that refuses answers in its own words, and one
        that defers does so before a description of the view.

        :param on_text: as in `run`.
        """
        language = _checked_language(language, question)
        if problem := detect_camera_problem(frame.rgb):
            return phrases.say(problem, language)
        asked, prefix = question or describe_question(language), ''
        if rule := self.policy.rule_for_words(question):
            if rule.action != 'defer':
                return rule.say[language]
            asked, prefix = (
                describe_question(language),
                phrases.before(rule.say[language], language),
            )
        return self.perceive(frame, cancel).answer(asked, prefix, on_text)

    def look_again(
        self, plan: Plan, snapshot: SceneSnapshot, frame: Frame, cancel: Event | None = None
    ) -> None:
        """Check that a plan that waits for approval still holds.

        Raises RulesChangedError if the skills or the policy are others than the plan was made
        with, SceneChangedError if one of its objects is not where it was.

        :param snapshot: of the frame that the plan was made for.
        :param frame: a new one of the same camera.
        """
        if (plan.catalogue_hash, plan.policy_hash) != (self.skills.hash, self.policy.hash):
            raise RulesChangedError(
                f'plan {plan.id} was made with other skills or another policy: '
                'give the instruction again'
            )
        moved = snapshot.moved(frame, lambda: self.perceive(frame, cancel), self.policy.max_move)
        if moved:
            raise SceneChangedError(
                f'the scene has changed since plan {plan.id}: {", ".join(moved)}; '
                'give the instruction again'
            )

    def find_objects(
        self, objects: Sequence[GroundedObject], frame: Frame, cancel: Event | None = None
    ) -> tuple[GroundedObject, ...]:
        """Return those of a plan's objects that a new frame shows, where they are now.

        :param objects: each with the position, or the point, where it is expected.
        """
        return find_again(self.perceive(frame, cancel), objects)

    def locate(
        self, names: Sequence[str], frame: Frame, cancel: Event | None = None
    ) -> tuple[GroundedObject, ...]:
        """Return all that a frame shows under these names, in the order of the names.

        A name that the model has no word for is not found.

        :param names: noun phrases: 'red cup', 'book left of the bowl', 红色的杯子.
        """
        return locate(self.perceive(frame, cancel), names)

    def perceive(self, frame: Frame, cancel: Event | None = None) -> Perception:
        """Encode a frame for questions about it."""
        return Perception(self._vlm, frame, self._naming, cancel)


def _as_planned(plan: Plan, draft: DraftPlan | None) -> Plan:
    """Return the plan with what its draft says of who planned it, and why."""
    if draft is None or not draft.planner:
        return plan
    plan = replace(plan, planner=draft.planner)
    if not draft.notice:
        return plan
    return replace(
        plan,
        say=phrases.before(draft.notice, plan.language) + plan.say,
        reason_codes=(*plan.reason_codes, Reason.REMOTE_FAILED),
    )


def _checked_language(language: str, text: str) -> str:
    if language not in ('', *LANGUAGES):
        raise ValueError(f'language is {language!r}: give "en", "zh" or ""')
    return language or detect_language(text)
