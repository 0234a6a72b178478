"""What a frame shows, as a plan without steps: for people who look at the live picture."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from threading import Event

from kimi_ros.agent import phrases
from kimi_ros.agent.agent import Agent
from kimi_ros.agent.frame import Frame, detect_camera_problem
from kimi_ros.agent.plan import GroundedObject, Plan, Status
from kimi_ros.agent.prompts import detect_language
from kimi_ros.agent.questions import described_names


def overview(
    agent: Agent,
    frame: Frame,
    names: Sequence[str] = (),
    language: str = '',
    cancel: Event | None = None,
) -> Plan:
    """Return an answer with the objects that a frame shows.

    :param names: what to look for; () for all that the model names when it describes the view,
        which needs a model that describes it as a list, as nano does.
    :param language: 'en' or 'zh', of what is said; '' is that of the names.
    """
    language = language or detect_language(' '.join(names))
    asked = ('、' if language == 'zh' else ', ').join(names)
    if problem := detect_camera_problem(frame.rgb):
        said = phrases.say(problem, language)
        return _plan(asked, language, Status.INFEASIBLE, said, reason_codes=(problem,))
    if names:
        found = agent.locate(names, frame, cancel)
        said = _said(names, {item.label for item in found}, language)
    else:
        said = agent.describe(frame, language=language, cancel=cancel)
        found = agent.locate(described_names(said), frame, cancel)
    return _plan(asked, language, Status.ANSWER, said, objects=found)


def _plan(
    asked: str,
    language: str,
    status: Status,
    said: str,
    reason_codes: tuple[str, ...] = (),
    objects: tuple[GroundedObject, ...] = (),
) -> Plan:
    return Plan(
        uuid.uuid4().hex,
        asked,
        language,
        status,
        said,
        reason_codes=reason_codes,
        objects=objects,
    )


def _said(names: Sequence[str], seen: set[str], language: str) -> str:
    """Return a sentence about what is seen, and one about what is not."""
    there = [phrases.with_article(n, language) for n in names if n in seen]
    missing = [phrases.with_article(n, language) for n in names if n not in seen]
    said = phrases.say('i_see', language, phrases.join_all(there, language)) if there else ''
    if not missing:
        return said
    absent = phrases.join_alternatives(missing, language)
    return phrases.before(said, language) + phrases.say('not_visible', language, absent)
