"""What a frame shows, as a plan without steps: for people who look at the live picture."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from threading import Event

from kimi_ros.agent import phrases
from kimi_ros.agent.agent import Agent
from kimi_ros.agent.frame import Frame, detect_camera_problem
from kimi_ros.agent.plan import Plan, Status
from kimi_ros.agent.prompts import describe_question, detect_language
from kimi_ros.agent.questions import described_names
from kimi_ros.agent.resolution import locate


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
    plan = Plan(uuid.uuid4().hex, asked, language, Status.ANSWER, '')
    if problem := detect_camera_problem(frame.rgb):
        said = phrases.say(problem, language)
        return replace(plan, status=Status.INFEASIBLE, say=said, reason_codes=(problem,))
    perception = agent.perceive(frame, cancel)
    if names:
        found = locate(perception, names)
        said = _said(names, {item.label for item in found}, language)
    else:
        said = perception.ask(describe_question(language))
        found = locate(perception, described_names(said))
    return replace(plan, say=said, objects=found)


def _said(names: Sequence[str], seen: set[str], language: str) -> str:
    """Return a sentence about what is seen, and one about what is not."""
    there = [phrases.with_article(n, language) for n in names if n in seen]
    missing = [phrases.with_article(n, language) for n in names if n not in seen]
    said = phrases.say('i_see', language, phrases.join_all(there, language)) if there else ''
    if not missing:
        return said
    absent = phrases.join_alternatives(missing, language)
    return phrases.before(said, language) + phrases.say('not_visible', language, absent)
