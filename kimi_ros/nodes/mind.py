"""Loading the model beside everything else, so that the node answers from its first second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from kimi_ros.agent import Agent, Frame, Plan, Policy, SkillCatalogue, phrases
from kimi_ros.agent.frame import camera_problem
from kimi_ros.agent.prompts import describe_question, detect_language
from kimi_ros.nodes.codes import Code, NodeError
from kimi_ros.resources import share
from kimi_ros.vlm import VisionLanguageModel

_LOOK_AGAIN = 0.1  # seconds between looks at the cancel event
_DESCRIPTION_TOKENS = 256


@dataclass(frozen=True)
class Mind:
    """A loaded model and the agent that thinks with it."""

    vlm: Any
    agent: Agent

    def plan(self, frame: Frame, instruction: str, language: str, **hooks) -> Plan:
        """Return the agent's plan; hooks as `Agent.run` takes them."""
        return self.agent.run(frame, instruction, language, **hooks)

    def describe(self, rgb, question: str, language: str, cancel: Event) -> str:
        """Answer a question about a picture; an empty one asks for a description of it all.

        The rules hold for questions, too: what they forbid is refused in their words, and where a
        person must judge, their words come before a description of the view.
        """
        language = language or detect_language(question)
        if problem := camera_problem(rgb):
            return phrases.say(problem, language)
        asked, before = question or describe_question(language), ''
        if rule := self.agent.policy.rule_for_words(question):
            if rule.action != 'defer':
                return rule.say[language]
            space = ' ' if language == 'en' else ''
            asked, before = describe_question(language), rule.say[language] + space
        image = self.vlm.encode_image(rgb, cancel=cancel)
        answer = self.vlm.query(image, asked, max_tokens=_DESCRIPTION_TOKENS, cancel=cancel)
        return (before + answer.text).strip()


def load_mind(
    model: str,
    device: str,
    threads: int,
    skills: str,
    policy: str,
    clock: Callable[[], float] = time.time,
) -> Mind:
    """Load a model with its skills and rules.

    :param threads: 0 leaves the number to the runtime.
    :param skills: path of a YAML file; '' is the one that ships. So is `policy`.
    :param clock: seconds, for the plans' expiry.
    """
    catalogue = SkillCatalogue.load(skills or share('config/skills.yaml'))
    rules = Policy.load(policy or share('config/policy.yaml'))
    vlm = VisionLanguageModel.load(model, device=device, threads=threads or None)
    return Mind(vlm, Agent(vlm, catalogue, rules, clock))


class MindSource:
    """Loads a mind in a thread of its own and hands it out once it is there."""

    def __init__(
        self, load: Callable[[], Mind], on_failure: Callable[[str], None] = lambda _: None
    ):
        """Begin to load; `on_failure` is told why that did not work."""
        self._load = load
        self._on_failure = on_failure
        self._done = Event()
        self._mind: Mind | None = None
        self.failure: str | None = None
        Thread(target=self._run, name='load model', daemon=True).start()

    @property
    def ready(self) -> bool:
        """Tell whether the model is loaded."""
        return self._mind is not None

    def get(self, cancel: Event) -> Mind:
        """Return the mind, waiting for it; NodeError with MODEL_FAILED or CANCELLED."""
        while not self._done.wait(_LOOK_AGAIN):
            if cancel.is_set():
                raise NodeError(Code.CANCELLED, 'cancelled while the model was loaded')
        if self._mind is None:
            raise NodeError(Code.MODEL_FAILED, self.failure or '')
        return self._mind

    def _run(self) -> None:
        try:
            self._mind = self._load()
        except Exception as error:  # the node stays alive and says why it cannot answer
            self.failure = f'the model could not be loaded: {type(error).__name__}: {error}'
            self._on_failure(self.failure)
        finally:
            self._done.set()
