"""The planner that asks the vision-language model itself, which sees the image."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any

import jsonschema

from kimi_ros.agent.draft import DraftPlan, DraftStep
from kimi_ros.agent.errors import InvalidDraftError
from kimi_ros.agent.plan import Status
from kimi_ros.agent.planners.asked_thing import asks_for_a_thing, with_asked_thing
from kimi_ros.agent.planners.other_language import announce, in_language, is_other
from kimi_ros.agent.planners.placement_forms import parse_placement, with_said_relation
from kimi_ros.agent.planners.protocol import Planner, PlanRequest
from kimi_ros.agent.planners.provisos import (
    forbidden_things,
    leave_alone,
    only_forbids,
    with_provisos,
)
from kimi_ros.agent.planners.question_forms import parse_question
from kimi_ros.agent.prompts import plan_prompt
from kimi_ros.agent.references import Reference, parse_reference
from kimi_ros.agent.schema import MODEL_STATUSES, plan_schema
from kimi_ros.agent.skills import Skill, SkillCatalogue
from kimi_ros.agent.vlm_protocol import Vlm
from kimi_ros.agent.vocabulary import as_said, name_pattern

_MAX_TOKENS = 320
_SAY = re.compile(r'"say":"([^"\\]*)')


class ModelPlanner:
    """Lets a model write plans under a grammar made of the catalogue and of the words said."""

    name = 'model'

    def __init__(self, vlm: Vlm, skills: SkillCatalogue, follow_ups: Planner | None = None):
        """Take a model and a catalogue.

        :param follow_ups: plans instructions with history, for a model not trained on it.
        """
        self._vlm = vlm
        self._follow_ups = follow_ups
        self._skills = skills

    def draft(
        self,
        request: PlanRequest,
        on_text: Callable[[str], None] | None = None,
        cancel: Event | None = None,
    ) -> DraftPlan:
        """Return the model's plan, or the question that the instruction is.

        Where the model says that it cannot be done, or not without asking, the draft holds the
        steps that it would take: only a name can be grounded, and found missing or ambiguous.
        Raises what `Vlm.require` raises if the model was not trained for plans.
        """
        self._vlm.require('plan')
        if request.history and self._follow_ups is not None:
            draft = self._follow_ups.draft(request, on_text, cancel)
            return replace(draft, planner=self._follow_ups.name)
        if question := parse_question(request.instruction):
            return DraftPlan(Status.ANSWER, '', question=question)
        if only_forbids(request.instruction):
            return leave_alone(forbidden_things(request.instruction), request.language)
        if is_other(request.instruction, request.language):
            # What it writes is not what is said, and not told as it comes either.
            draft = self._planned(request, None, cancel)
            draft = in_language(draft, request.language, self._skills)
        else:
            draft = self._planned(request, on_text, cancel)
        if not draft.steps:
            return draft
        return with_provisos(draft, request.instruction, request.language)

    def _planned(
        self,
        request: PlanRequest,
        on_text: Callable[[str], None] | None,
        cancel: Event | None,
    ) -> DraftPlan:
        """Return the plan alone, without what the instruction forbids or makes conditional."""
        if placement := parse_placement(request.instruction, self._skills):
            return placement
        draft = self._write(request, self._skills, MODEL_STATUSES, on_text, cancel)
        if draft.status is Status.REFUSED:
            return draft
        draft = self._placed(draft, request)
        if draft.status is not Status.OK:
            again = self._write_again(request, list(self._skills), cancel)
            if again is None:
                return draft
            draft = replace(draft, steps=again.steps, intention=again.say)
            draft = self._placed(draft, request)
            return with_asked_thing(draft, request.instruction, self._skills)
        if asks_for_a_thing(request.instruction) and not draft.names(self._skills):
            # Asked for a thing, it wrote of none: a word that it does not know.
            handling = [s for s in self._skills if any(a.grounded for a in s.arguments)]
            draft = self._write_again(request, handling, cancel) or draft
        draft = with_asked_thing(draft, request.instruction, self._skills)
        wish = parse_placement(request.instruction, self._skills, wish=True)
        return replace(draft, alternative=wish)

    def _placed(self, draft: DraftPlan, request: PlanRequest) -> DraftPlan:
        return with_said_relation(draft, request.instruction, self._skills)

    def _write_again(
        self, request: PlanRequest, skills: Sequence[Skill], cancel: Event | None
    ) -> DraftPlan | None:
        """Return what the model would do if it could be done, None where it writes no plan."""
        try:
            return self._write(request, skills, (Status.OK,), None, cancel) if skills else None
        except InvalidDraftError:
            return None

    def _write(
        self,
        request: PlanRequest,
        skills: Iterable[Skill],
        statuses: Sequence[Status],
        on_text: Callable[[str], None] | None,
        cancel: Event | None,
    ) -> DraftPlan:
        texts = [request.instruction, *(instruction for instruction, _ in request.history)]
        schema = plan_schema(skills, statuses, name_pattern(texts))
        prompt = plan_prompt(request.instruction, self._skills.signatures(), request.history)
        query = partial(self._vlm.query, grammar=schema, max_tokens=_MAX_TOKENS, cancel=cancel)
        image = request.image()
        if on_text is None:
            text = query(image, prompt).text
        else:
            text, said = '', ''
            for piece in query(image, prompt, stream=True):
                text += piece
                match = _SAY.search(text)
                if match and match[1] != said:
                    said = match[1]
                    on_text(said)
        draft = parse_draft(text, plan_schema(self._skills, statuses), self._skills, texts)
        if any(_is_garbled(name, draft.say) for name in draft.names(self._skills)):
            return replace(draft, say=announce(draft.steps, self._skills, request.language))
        return draft


def _is_garbled(name: str, say: str) -> bool:
    """Tell whether a name runs into other letters or digits: "green box6"; plurals are none."""
    name = re.escape(name)
    return bool(re.search(rf'[a-z0-9]{name}|{name}(?!e?s\b)[a-z0-9]', say, re.IGNORECASE))


def parse_draft(
    text: str, schema: dict[str, Any], skills: SkillCatalogue, texts: Sequence[str] = ()
) -> DraftPlan:
    """Read what a model wrote; raises InvalidDraftError if the schema does not allow it.

    Names that nobody said are left to the pipeline, which asks about them.

    :param texts: what was said, in whose words the references are given.
    """
    try:
        data = json.loads(text)
        jsonschema.Draft202012Validator(schema).validate(data)
    except ValueError:
        raise InvalidDraftError(f'the model wrote an incomplete plan: {text[:200]!r}') from None
    except jsonschema.ValidationError as error:
        raise InvalidDraftError(
            f'the model wrote no plan of known skills: {error.message[:200]}'
        ) from None
    steps, say = [], ' '.join(data['say'].split())
    for step in data['steps']:
        arguments = {}
        for argument in skills[step['skill']].arguments:
            if argument.name not in step:
                continue  # it is optional
            value = step[argument.name]
            if argument.grounded:
                reference = _reference(value, texts)
                say = say.replace(value, reference.text)
                value = reference
            arguments[argument.name] = value
        steps.append(DraftStep(step['skill'], arguments))
    return DraftPlan(Status(data['status']), say, tuple(steps))


def _reference(name: str, texts: Sequence[str]) -> Reference:
    return replace(parse_reference(name), text=as_said(name, texts), query=name)
