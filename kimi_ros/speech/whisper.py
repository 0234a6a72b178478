"""Whisper models in CTranslate2's format, by faster-whisper. Nothing is downloaded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.speech.audio import SAMPLE_RATE, normalized
from kimi_ros.speech.errors import SpeechModelError, require
from kimi_ros.speech.matching import match
from kimi_ros.speech.recognizer import Transcript
from kimi_ros.speech.vocabulary import LANGUAGES, Vocabulary

_MIN_SECONDS = 0.1
_NO_SPEECH = 0.75  # probability at which Whisper's text counts for nothing
_MAX_TOKENS = 48
_BEAM = 5
_FRAMES = 100  # a second
# Whisper was trained on 30 s. The encoder's time grows with the length; half of it hears a command
# as well in a third of the time.
_CONTEXTS = (15, 30)  # seconds
_FITTING = 0.5  # nats a token that a hypothesis made of expected words may score less


class WhisperRecognizer:
    """Any Whisper model; Chinese only where it is multilingual."""

    def __init__(self, folder: Path, threads: int = 1):
        """Load a model.

        :raises SpeechModelError: if the folder cannot be loaded.
        """
        library = require('faster_whisper', 'recognises speech')
        self._tokenizer_class = require('faster_whisper.tokenizer', 'recognises speech').Tokenizer
        try:
            self._model = library.WhisperModel(
                str(folder),
                device='cpu',
                compute_type='int8',
                cpu_threads=threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise SpeechModelError(
                f'{folder} cannot be loaded as a Whisper model: {error}'
            ) from error
        self.name = f'whisper ({folder.name})'
        multilingual = self._model.model.is_multilingual
        self.languages: tuple[str, ...] = LANGUAGES if multilingual else ('en',)

    def recognize(
        self, samples: np.ndarray, vocabulary: Vocabulary, language: str = ''
    ) -> Transcript:
        """See Recognizer.

        Of the beam's hypotheses, one that is made of expected words is preferred to another that
        scores a little better. The confidence is the mean probability of a token of the chosen one.
        """
        if len(samples) < _MIN_SECONDS * SAMPLE_RATE:
            return Transcript('', language or 'en', 0.0)
        encoded = self._encode(normalized(samples))
        language = language or self._language(encoded)
        hypotheses, no_speech = self._decode(encoded, vocabulary, language)
        if no_speech > _NO_SPEECH or not hypotheses:
            return Transcript('', language, 0.0)
        text, score = max(hypotheses, key=lambda h: h[1] + _FITTING * _fits(h[0], vocabulary))
        return Transcript(text, language, math.exp(min(score, 0.0)))

    def _encode(self, sound: np.ndarray) -> Any:
        seconds = len(sound) / SAMPLE_RATE
        length = _FRAMES * next((c for c in _CONTEXTS if seconds < c - 1), _CONTEXTS[-1])
        features = self._model.feature_extractor(sound)[:, :length]
        padding = length - features.shape[1]
        return self._model.encode(np.pad(features, ((0, 0), (0, padding))))

    def _language(self, encoded: Any) -> str:
        if len(self.languages) == 1:
            return self.languages[0]
        found = {
            name.strip('<|>'): share
            for name, share in self._model.model.detect_language(encoded)[0]
        }
        return max(LANGUAGES, key=lambda name: found.get(name, 0.0))

    def _decode(
        self, encoded: Any, vocabulary: Vocabulary, language: str
    ) -> tuple[list[tuple[str, float]], float]:
        """Return texts with their mean log probability of a token, and that of no speech."""
        model = self._model
        tokenizer = self._tokenizer_class(
            model.hf_tokenizer,
            model.model.is_multilingual,
            task='transcribe',
            language=language,
        )
        before = tokenizer.encode(' ' + vocabulary.prompt(language))
        prompt = model.get_prompt(tokenizer, before, without_timestamps=True)
        result = model.model.generate(
            encoded,
            [prompt],
            beam_size=_BEAM,
            num_hypotheses=_BEAM,
            return_scores=True,
            return_no_speech_prob=True,
            max_length=len(prompt) + _MAX_TOKENS,
        )[0]
        texts = [tokenizer.decode(ids).strip() for ids in result.sequences_ids]
        found = [(t, s) for t, s in zip(texts, result.scores, strict=True) if t]
        return found, result.no_speech_prob


def _fits(text: str, vocabulary: Vocabulary) -> bool:
    found = match(text, vocabulary)
    return found.addressed and found.known and found.complete
