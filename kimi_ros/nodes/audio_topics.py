"""Sound on topics: in from `audio` and `audio_common`, out to `~/audio`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kimi_msgs.msg import Audio
from kimi_ros.nodes import qos
from kimi_ros.nodes.managed_node import ManagedNode
from kimi_ros.nodes.speech_messages import AudioReader, audio_message, common_audio_message
from kimi_ros.speech.errors import SoundError
from kimi_ros.speech.listener import PushedSound

CommonAudio: Any = None
try:
    import audio_common_msgs.msg as common

    # There are two packages of this name: each has one of these.
    CommonAudio = getattr(common, 'AudioStamped', None) or common.AudioData
except ImportError:
    pass

_AUDIO = qos.FEEDBACK  # sound may not have gaps


class AudioTopics:
    """The topics of one node."""

    def __init__(self, node: ManagedNode, on_problem: Callable[[str], None]):
        """Create them.

        :param on_problem: called with why sound cannot be read, with '' when it can.
        """
        self._on_problem = on_problem
        self._now: Any = node.get_clock().now
        self._reader = AudioReader()
        self._pushed: PushedSound | None = None
        self._publisher = node.publisher(Audio, '~/audio', _AUDIO)
        node.subscribe(Audio, 'audio', self._on_audio, _AUDIO)
        if CommonAudio is not None:
            node.subscribe(CommonAudio, 'audio_common', self._on_common_audio, _AUDIO)

    def open(self) -> PushedSound:
        """Return a source of what arrives from now on, until it is closed."""
        self._pushed = PushedSound()
        return self._pushed

    def close(self) -> None:
        """Drop what arrives."""
        self._pushed = None

    def publish(self, samples: np.ndarray, rate: int) -> None:
        """Publish sound, mono, float32."""
        self._publisher.publish(audio_message(samples, rate, self._now().to_msg()))

    def _on_audio(self, message: Audio) -> None:
        if (pushed := self._pushed) is None:
            return
        try:
            pushed.push(self._reader.read(message))
        except SoundError as error:
            self._on_problem(str(error))
        else:
            self._on_problem('')

    def _on_common_audio(self, message: Any) -> None:
        try:
            self._on_audio(common_audio_message(message))
        except SoundError as error:
            self._on_problem(str(error))
