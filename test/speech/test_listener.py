"""The listener cuts sound into utterances and tells which of them it had to cut off."""

import threading

import numpy as np
import pytest

from kimi_ros.speech.listener import Listener
from kimi_ros.speech.recognizer import Transcript
from kimi_ros.speech.segmenter import SegmenterSettings
from kimi_ros.speech.vad import BLOCK


class Source:
    """A sound, once."""

    def __init__(self, sound):
        self._sound = sound

    def blocks(self, stop):
        yield self._sound


class Measure:
    """Recognises how long an utterance is, in samples."""

    name, languages = 'measure', ('en',)

    def recognize(self, samples, vocabulary, language=''):
        return Transcript(str(len(samples)), 'en', 1.0)


@pytest.mark.parametrize(('longest', 'truncated'), [(12.0, False), (1.0, True)])
def test_what_is_longer_than_the_longest_utterance_is_told_as_cut_off(speak, longest, truncated):
    pytest.importorskip('faster_whisper', reason='the extra "speech" is not installed: make setup')
    quiet = np.zeros(16_000, np.float32)
    sound = np.concatenate([speak('Please pick up the red cup for me.'), quiet])
    heard, one = [], threading.Event()

    def on_heard(utterance):
        heard.append(utterance)
        one.set()

    listener = Listener(
        Source(sound),
        Measure(),
        lambda: None,
        on_heard=on_heard,
        settings=SegmenterSettings(max_length=longest),
    )
    try:
        assert one.wait(30)
    finally:
        listener.close()
    assert heard[0].truncated is truncated
    if truncated:
        assert int(heard[0].transcript.text) <= longest * 16_000 + BLOCK
