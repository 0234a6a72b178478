"""Spoken cases through the node `speech`: does it plan what the typed sentence would?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from kimi_ros.agent import Plan
from kimi_ros.eval.speech import Result, SoundMaker, SpokenCase, same_request
from kimi_ros.speech.dialogue import Outcome

_PLAN_TIMEOUT = 60.0  # seconds
_SAID_TIMEOUT = 20.0  # seconds until a plan's sentence is begun
_SAME_POINT = 8.0  # pixels


class SpeechNode(Protocol):
    """What is used of `kimi_ros.nodes.speech_client.SpeechClient`.

    :ivar plans: that came so far.
    :ivar said: sentences that the node spoke so far.
    """

    plans: list[Plan]
    said: list[str]
    speaking: bool

    def speak(self, samples: np.ndarray, timeout: float = ...) -> Any:
        """Send speech; return the transcript, None where no utterance was heard."""

    def quiet(self) -> None:
        """Make the node fall silent."""

    def until(self, done: Callable[[], bool], timeout: float, what: str) -> None:
        """Process what arrives until `done()`."""

    def spin(self, seconds: float) -> None:
        """Process what arrives for a time."""


class SpokenPlans:
    """Speaks cases into the node and judges what becomes of them."""

    def __init__(
        self,
        node: SpeechNode,
        outcome_of: Callable[[Any], Outcome],
        maker: SoundMaker,
        typed: Mapping[str, Plan | None],
    ):
        """Take a node that is ready.

        :param outcome_of: returns what the node did with a transcript of its `speak`.
        :param typed: the plan of each case's sentence, typed.
        """
        self._node, self._outcome_of, self._maker, self._typed = node, outcome_of, maker, typed

    def try_case(self, case: SpokenCase) -> Result:
        """Speak a case, answer a read-back, and compare the plan with the typed sentence's."""
        node, sound = self._node, self._maker.sound(case)
        node.quiet()
        plans, said = len(node.plans), len(node.said)
        heard = node.speak(sound, timeout=120.0 if case.text else 20.0)
        ended = time.monotonic()
        text = heard.text if heard is not None else ''
        outcome = self._outcome_of(heard) if heard is not None else Outcome.IGNORED
        read_back = outcome is Outcome.READ_BACK
        accepted = outcome in (Outcome.INSTRUCTION, Outcome.COMMAND)
        if not case.skill:
            return Result(case, not accepted, read_back, text)
        if read_back:
            node.until(lambda: len(node.said) > said, 30.0, 'the read-back')
            accepted = self._confirm(case, node.said[-1])
        if not accepted:
            sure = heard.confidence if heard is not None else 0.0
            return Result(
                case, False, read_back, f'{text} ({outcome.value}, confidence {sure:.2f})'
            )
        self._wait(lambda: len(node.plans) > plans, _PLAN_TIMEOUT)
        seconds = float('nan') if read_back else time.monotonic() - ended
        plan = node.plans[-1] if len(node.plans) > plans else None
        if plan is not None:  # the next case would be spoken into its sentence
            self._wait(lambda: plan.say in node.said[said:], _SAID_TIMEOUT)
        typed = self._typed[case.text]
        right = same_plan(plan, typed, case.skill)
        if not right:
            text += f' -> {_brief(plan)}, typed {_brief(typed)}'
        return Result(case, right, read_back, text, seconds)

    def _confirm(self, case: SpokenCase, asked: str) -> bool:
        """Answer a read-back as the person would: yes to what they said, no to anything else."""
        asked = asked.removeprefix('Did you say: ').removeprefix('你是说：')
        yes = same_request(asked.removesuffix('?').removesuffix('吗？'), case.text)
        words = {'en': ('No.', 'Yes.'), 'zh': ('不对。', '是的。')}[case.language][yes]
        self._node.spin(1.0)  # it speaks by now
        self._node.until(lambda: not self._node.speaking, 60.0, 'the end of the read-back')
        self._node.spin(0.8)  # it is deaf for a while after its own voice
        answer = SpokenCase(words, case.language, '', case.voice, 1.0, 'quiet')
        self._node.speak(self._maker.sound(answer))
        return yes

    def _wait(self, done: Callable[[], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not done() and time.monotonic() < deadline:
            self._node.spin(0.05)


def wrongly_typed(cases: Iterable[SpokenCase], typed: Mapping[str, Plan | None]) -> Iterator[str]:
    """Yield the sentences that have no right plan when they are typed, either."""
    for text, skill in dict.fromkeys((case.text, case.skill) for case in cases if case.skill):
        plan = typed[text]
        if plan is None or skill not in [step.skill for step in plan.steps]:
            yield text


def same_plan(plan: Plan | None, typed: Plan | None, skill: str) -> bool:
    """Tell whether a plan has the skill, and the steps and objects of the typed sentence's plan."""
    if plan is None or typed is None or plan.status is not typed.status:
        return False
    steps = [step.skill for step in plan.steps]
    if steps != [step.skill for step in typed.steps] or skill not in steps:
        return False
    points, wanted = ([o.point for o in p.objects] for p in (plan, typed))
    return len(points) == len(wanted) and all(
        max(abs(p[0] - w[0]), abs(p[1] - w[1])) <= _SAME_POINT
        for p, w in zip(points, wanted, strict=True)
    )


def _brief(plan: Plan | None) -> str:
    if plan is None:
        return 'no plan'
    names = {o.id: o.label for o in plan.objects}
    steps = [f'{s.skill} {" ".join(names.get(i, i) for i in s.object_ids)}' for s in plan.steps]
    return f'{plan.status.value} {"; ".join(steps)}'
