"""From blocks with their probability of speech to utterances."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from kimi_ros.speech.audio import SAMPLE_RATE
from kimi_ros.speech.vad import BLOCK

_SECONDS = BLOCK / SAMPLE_RATE


@dataclass(frozen=True)
class SegmenterSettings:
    """When an utterance begins and ends.

    :ivar threshold: probability at which speech begins; it goes on until it is 0.15 less.
    :ivar hangover: s of silence that end an utterance.
    :ivar pre_roll: s of sound kept from before it began.
    :ivar min_speech: s; less is a click or a cough, and no utterance.
    :ivar max_length: s, after which an utterance ends without a pause.
    """

    threshold: float = 0.5
    hangover: float = 0.6
    pre_roll: float = 0.3
    min_speech: float = 0.16
    max_length: float = 12.0


@dataclass(frozen=True)
class Utterance:
    """What somebody said without a pause.

    :ivar samples: 16 kHz mono, with the silence around it.
    :ivar truncated: it was longer than the maximum.
    """

    samples: np.ndarray
    truncated: bool = False

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE


class Segmenter:
    """Collects the blocks of an utterance."""

    def __init__(self, settings: SegmenterSettings | None = None):
        self.settings = settings or SegmenterSettings()
        self._before: deque[np.ndarray] = deque(maxlen=max(1, _blocks(self.settings.pre_roll)))
        self.reset()

    @property
    def speaking(self) -> bool:
        """Whether an utterance has begun."""
        return bool(self._blocks)

    @property
    def sound(self) -> list[np.ndarray]:
        """The blocks of the utterance so far."""
        return self._blocks

    def reset(self) -> None:
        """Drop what was collected."""
        self._before.clear()
        self._blocks: list[np.ndarray] = []
        self._spoken = self._silent = 0

    def feed(self, block: np.ndarray, probability: float) -> Utterance | None:
        """Take the next block; return the utterance that ends with it."""
        s = self.settings
        if not self._blocks:
            self._before.append(block)
            if probability < s.threshold:
                return None
            self._blocks = list(self._before)
            self._spoken, self._silent = 1, 0
            return None
        self._blocks.append(block)
        speech = probability >= max(s.threshold - 0.15, 0.05)
        self._spoken += speech
        self._silent = 0 if speech else self._silent + 1
        truncated = len(self._blocks) * _SECONDS >= s.max_length
        if self._silent < _blocks(s.hangover) and not truncated:
            return None
        return self.finish(truncated)

    def finish(self, truncated: bool = False) -> Utterance | None:
        """End the utterance here; None if there is none, or too little speech in it."""
        blocks, spoken = self._blocks, self._spoken
        self.reset()
        if not blocks or spoken * _SECONDS < self.settings.min_speech:
            return None
        self._before.extend(blocks[-1:])
        return Utterance(np.concatenate(blocks), truncated)


def _blocks(seconds: float) -> int:
    return round(seconds / _SECONDS)
