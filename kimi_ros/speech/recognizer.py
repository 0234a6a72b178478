"""Recognisers behind one protocol, and how one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from kimi_ros.speech.errors import SpeechError
from kimi_ros.speech.vocabulary import LANGUAGES, Vocabulary

ENGINES = ('auto', 'whisper', 'sherpa', 'sphinx')


@dataclass(frozen=True)
class Transcript:
    """What was heard.

    :ivar language: 'en' or 'zh'.
    :ivar confidence: 0 to 1; each recogniser scales its own scores, so that below 0.5 it is wrong
        more often than right.
    """

    text: str
    language: str
    confidence: float


class Recognizer(Protocol):
    """Speech to text; one call at a time.

    :ivar name: for messages.
    :ivar languages: what it understands, of 'en' and 'zh'.
    """

    name: str
    languages: tuple[str, ...]

    def recognize(
        self, samples: np.ndarray, vocabulary: Vocabulary, language: str = ''
    ) -> Transcript:
        """Return what was said; empty text where nothing was.

        :param samples: 16 kHz mono, float32.
        :param vocabulary: the words that are expected; others may be said where the engine allows.
        :param language: 'en' or 'zh'; '' to find out.
        """
        ...


class SpeechStream(Protocol):
    """The recognition of one utterance while it is spoken."""

    def accept(self, samples: np.ndarray) -> str:
        """Take the next samples; return the text so far."""
        ...

    def finish(self) -> Transcript:
        """Return the result; the stream ends."""
        ...


@runtime_checkable
class StreamingRecognizer(Protocol):
    """A recogniser that has partial results."""

    def stream(self) -> SpeechStream:
        """Begin an utterance."""
        ...


def load_recognizer(
    engine: str = 'auto', model: str = '', language: str = '', threads: int = 1
) -> Recognizer:
    """Return a recogniser.

    :param engine: one of ENGINES. 'auto': what the folder `model` holds; without a folder, the
        first that `kimi models` finds; without any, pocketsphinx, which is English and knows only
        the skills and the things seen.
    :param model: folder of a Whisper model (CTranslate2) or of a sherpa-onnx model.
    :param language: 'en', 'zh', or '' for both.
    :raises SpeechError: if the engine is not installed, the folder not usable, or the language
        not among the engine's.
    """
    from kimi_ros.speech.models import find_model, inspect_model

    if engine not in ENGINES:
        raise SpeechError(f'the recogniser {engine!r} is none of {", ".join(ENGINES)}')
    if language not in ('', *LANGUAGES):
        raise SpeechError(f'the language {language!r} is none of {", ".join(LANGUAGES)}')
    folder = Path(model).expanduser() if model else None
    if folder is None and engine != 'sphinx':
        folder = find_model(engine)
    if folder is None or engine == 'sphinx':
        if engine in ('whisper', 'sherpa'):
            raise SpeechError(
                f'there is no model for {engine}: name its folder, or run kimi models, which says '
                'where models come from'
            )
        from kimi_ros.speech.sphinx import SphinxRecognizer

        chosen: Recognizer = SphinxRecognizer()
    else:
        found = inspect_model(folder)
        if found.engine not in ENGINES:
            raise SpeechError(
                f'{folder} holds a voice ({found.engine}), which speaks: give it as voice, and the '
                'folder of a Whisper or sherpa-onnx model here'
            )
        if engine not in ('auto', found.engine):
            raise SpeechError(f'{folder} is a model for {found.engine}, not for {engine}')
        if found.engine == 'whisper':
            from kimi_ros.speech.whisper import WhisperRecognizer

            chosen = WhisperRecognizer(folder, threads=threads)
        else:
            from kimi_ros.speech.sherpa import SherpaRecognizer

            chosen = SherpaRecognizer(folder, found.kind, threads=threads)
    if language and language not in chosen.languages:
        raise SpeechError(
            f'{chosen.name} does not understand {language}, only {", ".join(chosen.languages)}: '
            'for Chinese, put a Whisper or sherpa-onnx model where kimi models says'
        )
    return chosen
