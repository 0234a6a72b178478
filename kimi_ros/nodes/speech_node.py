"""The node `speech`: spoken instructions in, spoken answers out, beside the node `kimi`.

A managed (lifecycle) node: configuring loads the recogniser and the voice, activating listens. Its
stop word cancels speech and plans; it is no emergency stop, and does not stop a robot.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.action import ActionClient
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger

from kimi_msgs.action import Instruct as InstructAction
from kimi_msgs.msg import Audio, Transcript
from kimi_msgs.msg import Plan as PlanMessage
from kimi_msgs.srv import Approve
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.nodes import qos
from kimi_ros.nodes.codes import ErrorCode
from kimi_ros.nodes.messages import plan_from_message
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.speech_messages import (
    OUTCOMES,
    AudioReader,
    audio_message,
    common_audio_message,
    plan_notice,
)
from kimi_ros.nodes.speech_parameters import declare_speech_parameters
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
from kimi_ros.speech.errors import SoundError, SpeechError
from kimi_ros.speech.listener import AudioSource, Heard, Listener, PushedSound, WavFile
from kimi_ros.speech.recognizer import Recognizer, load_recognizer
from kimi_ros.speech.segmenter import SegmenterSettings
from kimi_ros.speech.speaker import AudioOutput, Priority, Speaker
from kimi_ros.speech.vocabulary import Vocabulary, language_of
from kimi_ros.speech.voices import load_voice

CommonAudio: Any = None
try:
    import audio_common_msgs.msg as common

    # There are two packages of this name: each has one of these.
    CommonAudio = getattr(common, 'AudioStamped', None) or common.AudioData
except ImportError:
    pass

_QUIET_ERRORS = (ErrorCode.NONE, ErrorCode.CANCELLED, ErrorCode.DENIED, ErrorCode.EXPIRED)
_CLIPPED = 0.001  # share of samples from which the level is reported
_AUDIO = qos.FEEDBACK  # sound may not have gaps


class SpeechNode(LifecycleNodeMixin, Node):
    """Connects a Listener, a Dialogue and a Speaker with the node `kimi`."""

    def __init__(self, **options: Any):
        """Create publishers and clients, and start by itself where `autostart` says so.

        :param options: of rclpy.node.Node: context, namespace, parameter_overrides, ...
        """
        Node.__init__(self, 'speech', **options)
        self._group = ReentrantCallbackGroup()
        LifecycleNodeMixin.__init__(self, callback_group=self._group)
        declare_speech_parameters(self)
        self._lock = Lock()
        self._recognizer: Recognizer | None = None
        self._speaker: Speaker | None = None
        self._listener: Listener | None = None
        self._dialogue = Dialogue()
        self._vocabulary = Vocabulary((), {'en': (), 'zh': ()})
        self._pushed: PushedSound | None = None
        self._reader = AudioReader()
        self._held = False
        self._problem = ''
        self._goals: list[Any] = []
        self._asked_at = float('nan')  # end of the last instruction's speech, monotonic
        self.answer_seconds = float('nan')
        self._create_interfaces()
        self.create_timer(1.0, self._publish_diagnostics, MutuallyExclusiveCallbackGroup())
        if self.value('autostart'):
            self.trigger_configure()
            self.trigger_activate()

    def value(self, name: str) -> Any:
        """Return a parameter's current value."""
        return self.get_parameter(name).value

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
                lambda: self._vocabulary,
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

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening and fall silent."""
        self._deactivate()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the recogniser and the voice."""
        if self._speaker is not None:
            self._speaker.close()
        self._speaker = self._recognizer = None
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Do what deactivating and cleaning up do."""
        self._deactivate()
        self.on_cleanup(state)
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Return to unconfigured after an exception in a transition."""
        return self.on_shutdown(state)

    def drain(self, timeout: float) -> None:
        """Fall silent at the end.

        :param timeout: seconds.
        """
        self._deactivate()

    def _deactivate(self) -> None:
        listener, self._listener, self._pushed = self._listener, None, None
        if listener is not None:
            listener.close()
        if self._speaker is not None:
            self._speaker.stop()

    # Setup.

    def _create_interfaces(self) -> None:
        def publisher(kind: type, topic: str, profile: Any) -> Any:
            return self.create_publisher(
                kind, topic, profile, qos_overriding_options=qos.overridable()
            )

        def subscribe(
            kind: type, topic: str, callback: Callable[[Any], None], profile: Any
        ) -> None:
            self.create_subscription(
                kind,
                topic,
                callback,
                profile,
                callback_group=MutuallyExclusiveCallbackGroup(),
                qos_overriding_options=qos.overridable(),
            )

        self._transcripts = publisher(Transcript, '~/transcript', qos.STATUS)
        self._speaking = publisher(Bool, '~/speaking', qos.LATCHED)
        self._said = publisher(String, '~/said', qos.STATUS)
        self._audio = publisher(Audio, '~/audio', _AUDIO)
        self._diagnostics = publisher(DiagnosticArray, '/diagnostics', qos.STATUS)
        kimi = self.value('kimi')
        subscribe(Audio, 'audio', self._on_audio, _AUDIO)
        if CommonAudio is not None:
            subscribe(CommonAudio, 'audio_common', self._on_common_audio, _AUDIO)
        subscribe(String, f'{kimi}/say', self._on_say, qos.STATUS)
        subscribe(PlanMessage, f'{kimi}/plan', self._on_plan, qos.LATCHED)
        self._instruct: Any = ActionClient(
            self,
            InstructAction,
            f'{kimi}/instruct',
            callback_group=self._group,
            goal_service_qos_profile=qos.INSTRUCTIONS,
            result_service_qos_profile=qos.INSTRUCTIONS,
            cancel_service_qos_profile=qos.INSTRUCTIONS,
            feedback_sub_qos_profile=qos.FEEDBACK,
        )
        self._approve: Any = self.create_client(
            Approve, f'{kimi}/approve', callback_group=self._group
        )
        self._stop: Any = self.create_client(Trigger, f'{kimi}/stop', callback_group=self._group)
        for kind, name, callback in (
            (SetBool, '~/listen', self._on_listen),
            (Trigger, '~/stop', self._on_stop),
        ):
            self.create_service(kind, name, callback, callback_group=self._group)

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
            self._pushed = PushedSound()
            return self._pushed
        return WavFile(source)

    def _output(self) -> AudioOutput:
        output = self.value('output')
        if output == 'loudspeaker':
            return Loudspeaker(self.value('loudspeaker'))
        if output == 'topic':
            return PacedOutput(self._publish_audio)
        return PacedOutput(lambda samples, rate: None)

    # Sound.

    def _on_audio(self, message: Audio) -> None:
        if (pushed := self._pushed) is None:
            return
        try:
            pushed.push(self._reader.read(message))
            self._problem = ''
        except SoundError as error:
            self._problem = str(error)

    def _on_common_audio(self, message: Any) -> None:
        try:
            self._on_audio(common_audio_message(message))
        except SoundError as error:
            self._problem = str(error)

    def _publish_audio(self, samples: np.ndarray, rate: int) -> None:
        self._audio.publish(audio_message(samples, rate, self.get_clock().now().to_msg()))

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
                    transcript, self._vocabulary, now, heard.addressed, quiet
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
                self._send(action)
            elif isinstance(action, Decide):
                self._decide(action)

    def _send(self, instruction: Instruct) -> None:
        if not self._instruct.server_is_ready():
            self.get_logger().error('the node kimi is not running: its action is not available')
            return
        goal = InstructAction.Goal(instruction=instruction.text, language=instruction.language)
        self._instruct.send_goal_async(goal).add_done_callback(
            lambda future: self._on_goal(future, instruction.language)
        )

    def _on_goal(self, future: Any, language: str) -> None:
        handle = future.result()
        if not handle.accepted:
            self.get_logger().error('kimi rejected the instruction: it is not active')
            return
        with self._lock:
            self._goals.append(handle)

        def finished(result: Any) -> None:
            with self._lock:
                if handle in self._goals:
                    self._goals.remove(handle)
            answer = result.result().result
            if answer.error_code not in _QUIET_ERRORS:
                self._say(answer.error_msg, language_of(answer.error_msg))

        handle.get_result_async().add_done_callback(finished)

    def _decide(self, action: Decide) -> None:
        request = Approve.Request(
            id=action.plan.id,
            hash=action.plan.hash,
            approve=action.approve,
            approver='voice',
            voice=True,
            read_back=action.read_back,
        )

        def decided(future: Any) -> None:
            response = future.result()
            if response.error_code:
                self._say(response.error_msg, language_of(response.error_msg))

        self._approve.call_async(request).add_done_callback(decided)

    def _stop_everything(self) -> None:
        if self._speaker is not None:
            self._speaker.stop()
        with self._lock:
            goals = list(self._goals)
        for goal in goals:
            goal.cancel_goal_async()
        if self._stop.service_is_ready():
            self._stop.call_async(Trigger.Request())

    # Speaking.

    def _on_say(self, message: String) -> None:
        self._say(message.data, language_of(message.data))

    def _on_plan(self, message: PlanMessage) -> None:
        plan = plan_from_message(message)
        if plan is None:
            return
        with self._lock:
            self._vocabulary = self._vocabulary.with_things(o.label for o in plan.objects)
            actions = self._dialogue.planned(plan_notice(plan), time.monotonic())
        self._act(actions)

    def _say(self, text: str, language: str, priority: Priority = Priority.ANSWER) -> None:
        if self._speaker is not None and self._listener is not None:
            self._speaker.say(text, language, priority)

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
        listener, level = self._listener, DiagnosticStatus.OK
        problem, values = self._problem, {}
        if listener is None:
            level, problem = DiagnosticStatus.ERROR, problem or 'not active'
        else:
            if problem:
                level = DiagnosticStatus.ERROR
            elif listener.level is None:
                level, problem = DiagnosticStatus.WARN, 'no sound yet'
            elif listener.level.clipped > _CLIPPED:
                level, problem = DiagnosticStatus.WARN, 'the sound is clipped: lower the gain'
            elif not listener.listening and listener.level is not None:
                level, problem = DiagnosticStatus.WARN, 'the source has ended'
            if listener.level is not None:
                values['level_dbfs'] = f'{listener.level.rms:.0f}'
                values['clipped'] = f'{listener.level.clipped:.4f}'
            values['dropped_utterances'] = str(listener.dropped)
        values['answer_seconds'] = f'{self.answer_seconds:.2f}'
        name = self._recognizer.name if self._recognizer is not None else ''
        status = DiagnosticStatus(
            level=level,
            name=f'{self.get_fully_qualified_name().lstrip("/")}: sound',
            message=problem or 'listening',
            hardware_id=name,
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)


def make_executor(node: SpeechNode) -> MultiThreadedExecutor:
    """Return an executor in which a service can wait while sound goes on."""
    return MultiThreadedExecutor(4, context=node.context)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is interrupted."""
    return run_node(SpeechNode, make_executor, args)


if __name__ == '__main__':
    sys.exit(main())
