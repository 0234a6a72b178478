"""From sound to transcripts, in two threads: one cuts utterances, one recognises them."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

import numpy as np

from kimi_ros.speech.audio import Level, level, read_wav
from kimi_ros.speech.errors import SpeechError
from kimi_ros.speech.recognizer import Recognizer, SpeechStream, StreamingRecognizer, Transcript
from kimi_ros.speech.segmenter import Segmenter, SegmenterSettings, Utterance
from kimi_ros.speech.vad import BLOCK, SileroVad
from kimi_ros.speech.vocabulary import Vocabulary

_LOG = logging.getLogger(__name__)
_WAITING = 3  # utterances that may wait; further ones are dropped
_OVER_VOICE = SegmenterSettings(hangover=0.3, max_length=2.0)  # for 'stop' into one's own voice


class AudioSource(Protocol):
    """Where sound comes from."""

    def blocks(self, stop: Event) -> Iterator[np.ndarray]:
        """Yield sound, 16 kHz mono float32, in blocks of any length."""
        ...


class WavFile:
    """A file as a source, in real time."""

    def __init__(self, path: str):
        """Read the file.

        :raises SoundError: if it cannot be read.
        """
        self._samples = read_wav(Path(path).expanduser())

    def blocks(self, stop: Event) -> Iterator[np.ndarray]:
        """See AudioSource; silence follows, so that the last utterance ends."""
        sound = np.concatenate([self._samples, np.zeros(16_000, np.float32)])
        for start in range(0, len(sound), BLOCK):
            if stop.wait(BLOCK / 16_000):
                return
            yield sound[start : start + BLOCK]


class PushedSound:
    """A source that others push into: a topic."""

    def __init__(self, capacity: int = 200):
        """Limit the blocks that may wait; the oldest is dropped."""
        self._blocks: queue.Queue[np.ndarray] = queue.Queue(capacity)

    def push(self, samples: np.ndarray) -> None:
        """Add sound, 16 kHz mono float32."""
        try:
            self._blocks.put_nowait(samples)
        except queue.Full:
            self._blocks.get_nowait()
            self._blocks.put_nowait(samples)

    def blocks(self, stop: Event) -> Iterator[np.ndarray]:
        """See AudioSource."""
        while not stop.is_set():
            try:
                yield self._blocks.get(timeout=0.2)
            except queue.Empty:
                continue


@dataclass(frozen=True)
class Heard:
    """One utterance.

    :ivar over_voice: the robot was speaking: only 'stop' counts.
    :ivar addressed: the button was held.
    :ivar ended: monotonic seconds at which the utterance was complete.
    :ivar truncated: it was cut off at the longest utterance.
    """

    transcript: Transcript
    duration: float
    over_voice: bool
    addressed: bool
    ended: float
    truncated: bool = False


class Listener:
    """Runs until closed.

    :ivar level: of the last second; None before there was sound.
    :ivar dropped: utterances that came faster than they are recognised.
    """

    def __init__(
        self,
        source: AudioSource,
        recognizer: Recognizer,
        vocabulary: Callable[[], Vocabulary],
        *,
        on_heard: Callable[[Heard], None],
        on_partial: Callable[[str], None] = lambda text: None,
        deaf: Callable[[], bool] = lambda: False,
        button: Callable[[], bool | None] = lambda: None,
        settings: SegmenterSettings | None = None,
        language: str = '',
        vad: SileroVad | None = None,
    ):
        """Start.

        :param vocabulary: asked for each utterance.
        :param deaf: True while the robot's own voice is to be expected: then only 'stop' is
            listened for.
        :param button: None without push-to-talk, else whether it is held: only what is said while
            it is held counts.
        :param language: 'en', 'zh', or '' for both.
        """
        self._source, self._recognizer, self._vocabulary = source, recognizer, vocabulary
        self._on_heard, self._on_partial = on_heard, on_partial
        self._deaf, self._button, self._language = deaf, button, language
        self._vad = vad or SileroVad()
        self._normal = Segmenter(settings)
        self._over_voice = Segmenter(_OVER_VOICE)
        self._utterances: queue.Queue[tuple[Utterance, bool, bool, SpeechStream | None, float]]
        self._utterances = queue.Queue(_WAITING)
        self._stop = Event()
        self.level: Level | None = None
        self.dropped = 0
        self._recent: list[np.ndarray] = []
        self._threads = [
            Thread(target=self._listen, name='listen', daemon=True),
            Thread(target=self._recognize, name='recognize', daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End both threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join(5.0)

    @property
    def listening(self) -> bool:
        """Whether the source still gives sound."""
        return self._threads[0].is_alive()

    def _listen(self) -> None:
        stream: SpeechStream | None = None
        was_deaf = held = False
        for block in _blocks_of(self._source.blocks(self._stop), BLOCK):
            self._measure(block)
            deaf, button = self._deaf(), self._button()
            if deaf != was_deaf:  # what was begun is the robot's own voice, or cut by it
                self._normal.reset()
                self._over_voice.reset()
                self._vad.reset()
                stream, was_deaf = None, deaf
            segmenter = self._over_voice if deaf else self._normal
            if button is not None and not deaf:
                if held and not button:
                    self._put(segmenter.finish(), False, True, stream)
                    stream = None
                held = button
                if not button:
                    segmenter.reset()
                    continue
            began = segmenter.speaking
            utterance = segmenter.feed(block, self._vad.probability(block))
            if not deaf and segmenter.speaking:
                stream = self._follow(stream, segmenter.sound if not began else [block])
            if utterance is not None:
                self._put(utterance, deaf, bool(button), stream)
                stream = None
            elif began and not segmenter.speaking:
                stream = None

    def _follow(
        self, stream: SpeechStream | None, blocks: Iterable[np.ndarray]
    ) -> SpeechStream | None:
        """Give the newest sound to a streaming recogniser and report what it has so far."""
        if not isinstance(self._recognizer, StreamingRecognizer):
            return None
        stream = stream or self._recognizer.stream()
        if text := stream.accept(np.concatenate(list(blocks))):
            self._on_partial(text)
        return stream

    def _put(
        self,
        utterance: Utterance | None,
        over_voice: bool,
        addressed: bool,
        stream: SpeechStream | None,
    ) -> None:
        if utterance is None:
            return
        try:
            self._utterances.put_nowait(
                (utterance, over_voice, addressed, stream, time.monotonic())
            )
        except queue.Full:
            self.dropped += 1

    def _measure(self, block: np.ndarray) -> None:
        self._recent.append(block)
        if len(self._recent) * BLOCK >= 16_000:
            self.level = level(np.concatenate(self._recent))
            self._recent.clear()

    def _recognize(self) -> None:
        while not self._stop.is_set():
            try:
                utterance, over_voice, addressed, stream, ended = self._utterances.get(timeout=0.2)
            except queue.Empty:
                continue
            try:
                transcript = (
                    stream.finish()
                    if stream is not None
                    else self._recognizer.recognize(
                        utterance.samples, self._vocabulary(), self._language
                    )
                )
                self._on_heard(
                    Heard(
                        transcript,
                        utterance.duration,
                        over_voice,
                        addressed,
                        ended,
                        utterance.truncated,
                    )
                )
            except SpeechError as error:
                _LOG.error('not recognised: %s', error)
            except Exception:  # one utterance must not end the hearing
                _LOG.exception('not recognised')


def _blocks_of(chunks: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Yield blocks of this many samples."""
    rest = np.zeros(0, np.float32)
    for chunk in chunks:
        rest = np.concatenate([rest, chunk]) if rest.size else chunk
        while len(rest) >= size:
            yield rest[:size]
            rest = rest[size:]
