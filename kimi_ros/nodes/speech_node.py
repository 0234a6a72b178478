"""The node `speech`: spoken instructions in, spoken answers out, beside the node `kimi`.

A managed (lifecycle) node: configuring loads the recogniser and the voice, activating listens. Its
stop word cancels speech and plans; it is no emergency stop, and does not stop a robot.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger

from kimi_msgs.msg import Plan as PlanMessage
from kimi_msgs.msg import Transcript
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.nodes import qos
from kimi_ros.nodes.audio_topics import AudioTopics
from kimi_ros.nodes.kimi_requests import KimiRequests
from kimi_ros.nodes.managed_node import ManagedNode
from kimi_ros.nodes.messages import plan_from_message
from kimi_ros.nodes.parameters import declare_parameters
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.speech_diagnostics import sound_report
from kimi_ros.nodes.speech_messages import OUTCOMES, plan_notice
from kimi_ros.nodes.speech_parameters import SPEECH_PARAMETERS, validation_error
from kimi_ros.resources import share
from kimi_ros.speech.devices import Loudspeaker, Microphone, PacedOutput
from kimi_ros.speech.dialogue import (
    Action,
    Decide,
    Dialogue,
    Instruct,
    Outcome,
    Say,
    Settings,
    Stop,
)
from kimi_ros.speech.errors import SpeechError
from kimi_ros.speech.listener import AudioSource, Heard, Listener, WavFile
from kimi_ros.speech.recognizer import Recognizer, load_recognizer
from kimi_ros.speech.requests import parse_request
from kimi_ros.speech.segmenter import SegmenterSettings
from kimi_ros.speech.speaker import AudioOutput, Priority, Speaker
from kimi_ros.speech.vocabulary import Vocabulary, language_of
from kimi_ros.speech.voices import load_voice

_MAX_AGE = 30.0  # seconds, after which a sentence is no longer worth saying
_ASSIST_AGE = 3.0  # the same of guidance and narration


class SpeechNode(ManagedNode):
    """Connects a Listener, a Dialogue and a Speaker with the node `kimi`."""

    def __init__(self, **options: Any):
        """Create publishers and clients, and start by itself where `autostart` says so.

        :param options: of rclpy.node.Node: context, namespace, parameter_overrides, ...
        """
        super().__init__('speech', **options)
        declare_parameters(self, SPEECH_PARAMETERS, validation_error)
        self._lock = Lock()
        self._recognizer: Recognizer | None = None
        self._speaker: Speaker | None = None
        self._listener: Listener | None = None
        self._dialogue = Dialogue()
        self._vocabulary = Vocabulary((), {'en': (), 'zh': ()})
        self._held = False
        self._problem = ''
        self._asked_at = float('nan')  # end of the last instruction's speech, monotonic
        self.answer_seconds = float('nan')
        self._create_interfaces()
        self.create_timer(1.0, self._publish_diagnostics)
        self.start()

    # Lifecycle.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the recogniser and the voice; FAILURE, with the reason in the log, without them."""
        try:
            path = self.value('skills') or share('config/skills.yaml')
            skills = SkillCatalogue.load(path).skills
            self._vocabulary = Vocabulary.of(skills, [t for t in self.value('things') if t])
            self._recognizer = load_recognizer(
                self.value('recognizer'),
                self.value('model'),
                self.value('speech_language'),
                self.value('threads'),
            )
            self._speaker = Speaker(
                load_voice(self.value('voice')),
                self._output(),
                speed=lambda: self.value('speed'),
                on_begin=self._on_speech,
                on_end=lambda whole: self._speaking.publish(Bool(data=False)),
            )
        except (SpeechError, OSError, ValueError) as error:
            self._problem = str(error)
            self.get_logger().error(f'not started: {error}')
            return TransitionCallbackReturn.FAILURE
        languages = ' and '.join(self._recognizer.languages)
        self.get_logger().info(f'{self._recognizer.name} understands {languages}')
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen."""
        if self._recognizer is None:
            return TransitionCallbackReturn.FAILURE
        self._dialogue = Dialogue(self._settings())
        try:
            source = self._source()
            self._listener = Listener(
                source,
                self._recognizer,
                self._expected,
                on_heard=self._on_heard,
                on_partial=self._on_partial,
                deaf=self._is_deaf,
                button=self._button,
                settings=SegmenterSettings(
                    self.value('vad_threshold'),
                    self.value('hangover'),
                    max_length=self.value('max_utterance'),
                ),
                language=self.value('speech_language'),
            )
        except SpeechError as error:
            self._problem = str(error)
            self.get_logger().error(f'not listening: {error}')
            return TransitionCallbackReturn.FAILURE
        return super().on_activate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the recogniser and the voice."""
        if self._speaker is not None:
            self._speaker.close()
        self._speaker = self._recognizer = None
        return super().on_cleanup(state)

    def drain(self, timeout: float) -> None:
        """Fall silent at the end.

        :param timeout: seconds.
        """
        self._deactivate()

    def _deactivate(self) -> None:
        """Stop listening and fall silent."""
        listener, self._listener = self._listener, None
        self._audio.close()
        if listener is not None:
            listener.close()
        if self._speaker is not None:
            self._speaker.stop()

    # Setup.

    def _create_interfaces(self) -> None:
        group, kimi = self._callback_group, self.value('kimi')
        assist = self.value('assist')
        self._transcripts = self.publisher(Transcript, '~/transcript', qos.STATUS)
        self._speaking = self.publisher(Bool, '~/speaking', qos.LATCHED)
        self._said = self.publisher(String, '~/said', qos.STATUS)
        self._audio = AudioTopics(self, self._on_audio_problem)
        self._kimi = KimiRequests(self, kimi, group, on_error=self._say_text)
        self.subscribe(String, f'{kimi}/say', self._on_say, qos.STATUS)
        self.subscribe(PlanMessage, f'{kimi}/plan', self._on_plan, qos.LATCHED)
        self._assist = self.publisher(String, f'{assist}/request', qos.INSTRUCTIONS)
        for topic, priority in (('say', Priority.NARRATION), ('hazard', Priority.HAZARD)):
            say = partial(self._on_assist, priority)
            self.subscribe(String, f'{assist}/{topic}', say, qos.STATUS)
        for kind, name, callback in (
            (SetBool, '~/listen', self._on_listen),
            (Trigger, '~/stop', self._on_stop),
        ):
            self.create_service(kind, name, callback, callback_group=group)

    def _settings(self) -> Settings:
        words = tuple(w for w in self.value('wake_words') if w)
        return Settings(
            accept=self.value('accept'),
            reject=self.value('reject'),
            wake_words=words if self.value('trigger') == 'wake_word' else (),
        )

    def _source(self) -> AudioSource:
        source = self.value('source')
        if source == 'microphone':
            return Microphone(self.value('microphone'), self._on_microphone)
        if source == 'topic':
            return self._audio.open()
        return WavFile(source)

    def _output(self) -> AudioOutput:
        output = self.value('output')
        if output == 'loudspeaker':
            return Loudspeaker(self.value('loudspeaker'))
        if output == 'topic':
            return PacedOutput(self._audio.publish)
        return PacedOutput(lambda samples, rate: None)

    # Sound.

    def _on_audio_problem(self, problem: str) -> None:
        self._problem = problem

    def _on_microphone(self, problem: str) -> None:
        if problem and problem != self._problem:
            self.get_logger().error(f'{problem}; trying again')
        elif not problem:
            self.get_logger().info('the microphone gives sound')
        self._problem = problem

    def _is_deaf(self) -> bool:
        speaker = self._speaker
        if speaker is None or self.value('barge_in'):
            return False
        return bool(speaker.quiet_for() < self.value('echo_tail'))

    def _button(self) -> bool | None:
        return self._held if self.value('trigger') == 'push_to_talk' else None

    # Hearing.

    def _expected(self) -> Vocabulary:
        return replace(self._vocabulary, assists=self._assist_runs())

    def _on_partial(self, text: str) -> None:
        if self.value('barge_in') and self._speaker is not None and self._speaker.saying:
            self._speaker.stop()
        self._publish_transcript(text, language_of(text), 0.0, 0.0, Transcript.PARTIAL)

    def _on_heard(self, heard: Heard) -> None:
        now, transcript, speaker = time.monotonic(), heard.transcript, self._speaker
        with self._lock:
            if heard.over_voice:
                saying = speaker.saying if speaker is not None else ''
                actions = self._dialogue.heard_over_own_voice(transcript.text, saying)
                outcome = Outcome.COMMAND if actions else Outcome.IGNORED
            else:
                quiet = speaker.quiet_for() if speaker is not None else float('inf')
                quiet -= now - heard.ended + heard.duration  # before it, not after
                outcome, actions = self._dialogue.hear(
                    transcript, self._expected(), now, heard.addressed, quiet, heard.truncated
                )
        self._publish_transcript(
            transcript.text,
            transcript.language,
            transcript.confidence,
            heard.duration,
            OUTCOMES[outcome],
        )
        if outcome is not Outcome.IGNORED:
            self._asked_at = heard.ended - self.value('hangover')
        self._act(actions)

    def _publish_transcript(
        self, text: str, language: str, confidence: float, duration: float, outcome: int
    ) -> None:
        message = Transcript(
            text=text,
            language=language,
            confidence=confidence,
            duration=duration,
            outcome=outcome,
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._transcripts.publish(message)

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Say):
                priority = Priority.QUESTION if action.urgent else Priority.ANSWER
                self._say(action.text, action.language, priority)
            elif isinstance(action, Stop):
                self._stop_everything()
            elif isinstance(action, Instruct):
                if self._assist_runs() and parse_request(action.text):
                    self._assist.publish(String(data=action.text))
                else:
                    self._kimi.instruct(action)
            elif isinstance(action, Decide):
                self._kimi.decide(action)

    def _stop_everything(self) -> None:
        if self._speaker is not None:
            self._speaker.stop()
        self._kimi.stop()
        if self._assist_runs():  # perhaps without kimi, which tells it
            self._assist.publish(String(data='stop'))

    # Speaking.

    def _on_say(self, message: String) -> None:
        self._say_text(message.data)

    def _on_assist(self, priority: Priority, message: String) -> None:
        # A step that is not said in time is wrong: the hand has moved on.
        self._say(message.data, language_of(message.data), priority, _ASSIST_AGE)

    def _assist_runs(self) -> bool:
        return bool(self._assist.get_subscription_count())

    def _say_text(self, text: str) -> None:
        self._say(text, language_of(text))

    def _on_plan(self, message: PlanMessage) -> None:
        plan = plan_from_message(message)
        if plan is None:
            return
        with self._lock:
            self._vocabulary = self._vocabulary.with_things(o.label for o in plan.objects)
            actions = self._dialogue.planned(plan_notice(plan), time.monotonic())
        self._act(actions)

    def _say(
        self,
        text: str,
        language: str,
        priority: Priority = Priority.ANSWER,
        max_age: float = _MAX_AGE,
    ) -> None:
        if self._speaker is not None and self._listener is not None:
            self._speaker.say(text, language, priority, max_age)

    def _on_speech(self, text: str, language: str) -> None:
        with self._lock:
            self._dialogue.said(text, language)
        if self._asked_at == self._asked_at:
            self.answer_seconds, self._asked_at = time.monotonic() - self._asked_at, float('nan')
            self.get_logger().info(
                f'{self.answer_seconds:.2f} s from the end of speech to the start of the answer'
            )
        self._speaking.publish(Bool(data=True))
        self._said.publish(String(data=text))

    # Services.

    def _on_listen(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._held = request.data
        if request.data and self._speaker is not None:
            self._speaker.stop()  # who presses the button wants to speak
        response.success = self.value('trigger') == 'push_to_talk'
        response.message = '' if response.success else 'trigger is not push_to_talk'
        return response

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._stop_everything()
        response.success, response.message = True, 'speech and plans cancelled'
        return response

    # Diagnostics.

    def _publish_diagnostics(self) -> None:
        report = sound_report(self._listener, self._problem, self.answer_seconds)
        name = self._recognizer.name if self._recognizer is not None else ''
        self.publish_reports([report], name)


def make_executor(node: SpeechNode) -> SingleThreadedExecutor:
    """Return an executor; no callback waits, and handing sound to other threads costs twice."""
    return SingleThreadedExecutor(context=node.context)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is interrupted."""
    return run_node(SpeechNode, make_executor, args)


if __name__ == '__main__':
    sys.exit(main())
