"""Loading the model in the background, so that the node responds from the start."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition, Event, Thread
from typing import Any

import numpy as np

from kimi_ros.agent import Agent, Frame, Plan, Policy, SkillCatalogue
from kimi_ros.agent.errors import InstructionTooLongError
from kimi_ros.agent.planners import RemoteSettings
from kimi_ros.agent.prompts import plan_prompt
from kimi_ros.agent.text_in_view import RapidOcrReader
from kimi_ros.nodes.codes import ErrorCode, RequestError
from kimi_ros.nodes.conversation import Turn
from kimi_ros.nodes.waiting import wait_cancellable
from kimi_ros.resources import share
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.prompt import query_prompt

_UNLOADED = 'the model was unloaded'
_PLAN_TOKENS = 128  # of the context, that the plan itself needs: three steps have about 100


@dataclass(frozen=True)
class ModelBundle:
    """A loaded vision-language model and the agent that uses it."""

    vlm: Any
    agent: Agent

    def plan(self, frame: Frame, instruction: str, language: str, **hooks: Any) -> Plan:
        """Return the agent's plan; hooks as `Agent.run` takes them."""
        return self.agent.run(frame, instruction, language, **hooks)

    @property
    def _reads_itself(self) -> bool:
        """Whether the model reads the instruction: what another planner reads is left to that."""
        return self.agent.planner.name == 'model' and isinstance(self.vlm, VisionLanguageModel)

    def _tokens(self, instruction: str, history: Sequence[Turn] = ()) -> int:
        vlm = self.vlm
        prompt = plan_prompt(instruction, self.agent.skills.signatures(), history)
        return len(query_prompt(vlm.config, vlm.tokenizer, prompt, with_image=True).ids)

    def _room(self) -> int:
        """Return how many tokens a prompt may have."""
        config = self.vlm.config
        return int(config.text.max_context - config.prefix_length - _PLAN_TOKENS)

    def fitting_history(self, instruction: str, history: Sequence[Turn]) -> Sequence[Turn]:
        """Return the newest turns that the model can read besides the instruction."""
        while history and self._reads_itself and self._tokens(instruction, history) > self._room():
            history = history[1:]
        return history

    def check_length(self, instruction: str) -> None:
        """Raise InstructionTooLongError unless the model can read it and has room for a plan."""
        if not self._reads_itself:
            return
        around = self._tokens('')
        used = self._tokens(instruction) - around
        limit = self._room() - around
        if used > limit:
            raise InstructionTooLongError(
                f'the instruction has {used} tokens ({len(instruction)} characters); with these '
                f'skills the model reads {limit} tokens, about '
                f'{len(instruction) * limit // used} characters of this kind: shorten it'
            )

    def close(self) -> None:
        """Free the model's memory."""
        if close := getattr(self.vlm, 'close', None):
            close()

    def describe(self, rgb: np.ndarray, question: str, language: str, cancel: Event) -> str:
        """Return the agent's answer to a question about an image, uint8 (H, W, 3)."""
        return self.agent.describe(Frame(rgb), question, language, cancel=cancel)


def load_bundle(
    model: str,
    device: str,
    threads: int,
    skills: str,
    policy: str,
    planner: str = 'auto',
    clock: Callable[[], float] = time.time,
    remote: RemoteSettings | None = None,
    read_text: bool = False,
) -> ModelBundle:
    """Load a model with its skills, policy and planner.

    :param threads: 0 lets the runtime choose.
    :param skills: path of a YAML file; '' selects the file in the package. So does `policy`.
    :param planner: one of `kimi_ros.agent.planners.PLANNERS`.
    :param clock: returns seconds, for the expiry of plans.
    :param remote: the server of the planner 'remote'.
    :param read_text: read text in images; ImportError where the extra `ocr` is not installed.
    """
    catalogue = SkillCatalogue.load(skills or share('config/skills.yaml'))
    rules = Policy.load(policy or share('config/policy.yaml'))
    vlm: Any = VisionLanguageModel.load(model, device=device, threads=threads or None)
    reader = RapidOcrReader() if read_text else None
    return ModelBundle(vlm, Agent(vlm, catalogue, rules, clock, planner, remote, reader))


class ModelLoader:
    """Loads a model bundle in a background thread and hands it out once it is loaded.

    :ivar error: why loading failed, or None.
    """

    def __init__(
        self, load: Callable[[], ModelBundle], on_error: Callable[[str], None] = lambda _: None
    ):
        """Start loading; `on_error` is called with the reason if that fails."""
        self._load = load
        self._on_error = on_error
        self._changed = Condition()
        self._bundle: ModelBundle | None = None
        self.error: str | None = None
        Thread(target=self._run, name='load model', daemon=True).start()

    @property
    def ready(self) -> bool:
        """True once the model is loaded."""
        return self._bundle is not None

    def get(self, cancel: Event) -> ModelBundle:
        """Return the bundle, waiting until it is loaded.

        :raises RequestError: with MODEL_FAILED or CANCELLED.
        """
        with self._changed:
            wait_cancellable(
                self._changed,
                lambda: self.ready or self.error is not None,
                cancel,
                activity='the model was loading',
            )
        if self._bundle is None:
            raise RequestError(ErrorCode.MODEL_FAILED, self.error or '')
        return self._bundle

    def wait(self) -> None:
        """Wait until the model is loaded, or could not be."""
        with self._changed:
            self._changed.wait_for(lambda: self.ready or self.error is not None)

    def close(self) -> None:
        """Free the model; `get` raises RequestError from now on."""
        with self._changed:
            bundle, self._bundle = self._bundle, None
            self.error = self.error or _UNLOADED
        if bundle is not None:
            bundle.close()

    def _run(self) -> None:
        bundle, error = None, None
        try:
            bundle = self._load()
        except Exception as reason:  # the node stays alive and reports why it cannot answer
            error = f'the model could not be loaded: {type(reason).__name__}: {reason}'
            self._on_error(error)
        with self._changed:
            closed = self.error is not None
            if not closed:
                self._bundle, self.error = bundle, error
            self._changed.notify_all()
        if closed and bundle is not None:
            bundle.close()
