"""A client of the node `speech`: speaks into it and sees what becomes of that."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from std_msgs.msg import Bool, String
from std_srvs.srv import Trigger

from kimi_msgs.msg import Audio, Transcript
from kimi_msgs.msg import Plan as PlanMessage
from kimi_ros.agent import Plan
from kimi_ros.nodes import qos
from kimi_ros.nodes.client_node import ClientNode, NoResponseError
from kimi_ros.nodes.messages import plan_from_message
from kimi_ros.nodes.speech_messages import audio_message
from kimi_ros.speech.audio import SAMPLE_RATE

_BLOCK = 1024  # samples a message
_PACE = 0.016  # seconds between two messages: four times real time
_RESEND = 5.0  # seconds, after which a call is made again


class SpeechClient(ClientNode):
    """A context manager. Not thread-safe.

    :ivar transcripts: final ones, in order.
    :ivar said: sentences that the node spoke.
    :ivar plans: of the node kimi.
    :ivar audio: of the node, where its output is the topic: samples and rate.
    """

    def __init__(self, speech: str = 'speech', kimi: str = 'kimi'):
        """Create a node in a context of its own."""
        super().__init__('speech_client')
        self._name = speech
        self.transcripts: list[Transcript] = []
        self.partials: list[str] = []
        self.said: list[str] = []
        self.plans: list[Plan] = []
        self.audio: list[tuple[np.ndarray, int]] = []
        self.speaking = False
        self._status: tuple[int, str] | None = None
        node = self._node
        self._publisher = node.create_publisher(Audio, 'audio', qos.FEEDBACK)
        self._stop: Any = node.create_client(Trigger, f'{speech}/stop')
        subscribe: Any = node.create_subscription
        subscribe(Transcript, f'{speech}/transcript', self._on_transcript, qos.STATUS)
        subscribe(String, f'{speech}/said', lambda m: self.said.append(m.data), qos.STATUS)
        subscribe(Bool, f'{speech}/speaking', self._on_speaking, qos.LATCHED)
        subscribe(Audio, f'{speech}/audio', self._on_audio, qos.FEEDBACK)
        subscribe(PlanMessage, f'{kimi}/plan', self._on_plan, qos.LATCHED)
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.STATUS)

    def wait_until_ready(self, timeout: float, check: Callable[[], object] = lambda: None) -> None:
        """Wait until the node hears what is sent.

        :raises NoResponseError: after `timeout` seconds.
        """

        def ready() -> bool:
            check()
            if self._publisher.get_subscription_count():
                self.send(np.full(_BLOCK, 1e-5, np.float32))
            return self._status is not None and self._status[0] == 0

        self._wait(ready, timeout, lambda: f'the node {self._name}: {self._status}')

    def send(self, samples: np.ndarray, pace: float = _PACE) -> None:
        """Publish sound, 16 kHz mono, in blocks.

        :param pace: seconds between blocks of 64 ms.
        """
        for start in range(0, len(samples), _BLOCK):
            self._publisher.publish(audio_message(samples[start : start + _BLOCK], SAMPLE_RATE))
            self._executor.spin_once(timeout_sec=0)
            time.sleep(pace)

    def speak(self, samples: np.ndarray, timeout: float = 30.0) -> Transcript | None:
        """Send speech, then silence; return what the node did, None if it heard no utterance."""
        before = len(self.transcripts)
        self.send(samples)
        silence = np.random.default_rng(0).normal(0, 3e-4, SAMPLE_RATE).astype(np.float32)
        self.send(silence)
        deadline = time.monotonic() + timeout
        while len(self.transcripts) == before and time.monotonic() < deadline:
            self._spin_once()
        return self.transcripts[-1] if len(self.transcripts) > before else None

    def quiet(self, timeout: float = 20.0) -> None:
        """Make the node fall silent, and wait until it hears again."""
        self._call_stop(timeout)
        self.spin(0.4)

    def _call_stop(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        self.until(self._stop.service_is_ready, timeout, f'the service {self._name}/stop')
        while time.monotonic() < deadline:
            # The reply to a client that the server has only just found can be lost: ask again.
            future = self._stop.call_async(Trigger.Request())
            resend = time.monotonic() + _RESEND
            while not future.done() and time.monotonic() < resend:
                self._spin_once()
            if future.done():
                return
        raise NoResponseError(f'{self._name}/stop gave no reply in {timeout:g} s')

    def until(self, done: Callable[[], bool], timeout: float, what: str) -> None:
        """Spin until `done()`.

        :raises NoResponseError: after `timeout` seconds.
        """
        self._wait(done, timeout, lambda: f'still waiting for {what}')

    def spin(self, seconds: float) -> None:
        """Process what arrives for a time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._spin_once()

    def _on_transcript(self, message: Transcript) -> None:
        if message.outcome == Transcript.PARTIAL:
            self.partials.append(message.text)
        else:
            self.transcripts.append(message)

    def _on_speaking(self, message: Bool) -> None:
        self.speaking = message.data

    def _on_audio(self, message: Audio) -> None:
        samples = np.frombuffer(message.data, np.int16).astype(np.float32) / 32_768
        self.audio.append((samples, message.sample_rate))

    def _on_plan(self, message: PlanMessage) -> None:
        if (plan := plan_from_message(message)) is not None:
            self.plans.append(plan)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f'{self._name}: sound':
                self._status = status.level[0], status.message
