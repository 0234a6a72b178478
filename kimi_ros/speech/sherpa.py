"""Streaming recognition by sherpa-onnx: partial results while one speaks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.speech.audio import SAMPLE_RATE
from kimi_ros.speech.errors import SpeechModelError, require
from kimi_ros.speech.models import onnx_file
from kimi_ros.speech.recognizer import Transcript
from kimi_ros.speech.vocabulary import LANGUAGES, Vocabulary, language_of

_TAIL = np.zeros(int(0.4 * SAMPLE_RATE), np.float32)  # what a streaming model still waits for
_UNSCORED = 0.7  # confidence of models that give no scores


class SherpaRecognizer:
    """A streaming model: transducer, paraformer or zipformer CTC.

    Its languages are not written in its files: what it says in Chinese characters is Chinese.
    """

    languages: tuple[str, ...] = LANGUAGES

    def __init__(self, folder: Path, kind: str, threads: int = 1):
        """Load a model.

        :param kind: as `inspect_model` finds it.
        :raises SpeechModelError: if it cannot be loaded.
        """
        self.name = f'sherpa-onnx ({folder.name})'
        recognizer = require('sherpa_onnx', 'recognises speech').OnlineRecognizer
        common = {
            'tokens': str(folder / 'tokens.txt'),
            'num_threads': threads,
            'sample_rate': SAMPLE_RATE,
            'feature_dim': 80,
        }
        parts = {p: str(onnx_file(folder, p)) for p in ('encoder', 'decoder', 'joiner', 'model')}
        try:
            if kind == 'transducer':
                made = recognizer.from_transducer(
                    encoder=parts['encoder'],
                    decoder=parts['decoder'],
                    joiner=parts['joiner'],
                    **common,
                )
            elif kind == 'paraformer':
                made = recognizer.from_paraformer(
                    encoder=parts['encoder'], decoder=parts['decoder'], **common
                )
            else:
                made = recognizer.from_zipformer2_ctc(model=parts['model'], **common)
        except Exception as error:
            raise SpeechModelError(f'sherpa-onnx cannot load {folder}: {error}') from error
        self._recognizer = made

    def stream(self) -> SherpaStream:
        """Begin an utterance."""
        return SherpaStream(self._recognizer)

    def recognize(
        self, samples: np.ndarray, vocabulary: Vocabulary, language: str = ''
    ) -> Transcript:
        """See Recognizer; the language is that of the text."""
        stream = self.stream()
        stream.accept(samples)
        return stream.finish()


class SherpaStream:
    """See SpeechStream."""

    def __init__(self, recognizer: Any):
        self._recognizer = recognizer
        self._stream = recognizer.create_stream()

    def accept(self, samples: np.ndarray) -> str:
        """Take the next samples; return the text so far."""
        self._stream.accept_waveform(SAMPLE_RATE, samples)
        while self._recognizer.is_ready(self._stream):
            self._recognizer.decode_stream(self._stream)
        return str(self._recognizer.get_result(self._stream)).strip()

    def finish(self) -> Transcript:
        """Return the result; its confidence is the mean probability of a token, where known."""
        self.accept(_TAIL)
        self._stream.input_finished()
        text = self.accept(np.zeros(0, np.float32))
        scores = [float(p) for p in getattr(self._recognizer, 'ys_probs', _none)(self._stream)]
        mean = sum(scores) / len(scores) if scores else math.log(_UNSCORED)
        confidence = math.exp(min(mean, 0.0)) if text else 0.0
        return Transcript(text.lower(), language_of(text), confidence)


def _none(_stream: Any) -> list[float]:
    return []
