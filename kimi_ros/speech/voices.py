"""Voices behind one protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from kimi_ros.speech.errors import SpeechModelError


class Voice(Protocol):
    """Text to sound.

    :ivar rate: Hz, of the sound; valid after a call of `synthesize`.
    """

    name: str
    rate: int

    @property
    def languages(self) -> tuple[str, ...]:
        """What it speaks, of 'en' and 'zh'."""
        ...

    def synthesize(self, text: str, language: str, speed: float = 1.0) -> np.ndarray:
        """Return float32 samples, mono."""
        ...


class VoiceByLanguage:
    """A voice for some languages, and another for the rest."""

    def __init__(self, first: Voice, rest: Voice):
        self.name = f'{first.name}, {rest.name}'
        self._first, self._rest = first, rest
        self.rate = first.rate

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of both."""
        return tuple(dict.fromkeys((*self._first.languages, *self._rest.languages)))

    def synthesize(self, text: str, language: str, speed: float = 1.0) -> np.ndarray:
        """See Voice."""
        voice = self._first if language in self._first.languages else self._rest
        samples = voice.synthesize(text, language, speed)
        self.rate = voice.rate
        return samples


def load_voice(folder: str = '') -> Voice:
    """Return the voice of a folder, for the languages it speaks, and espeak-ng for the others.

    :param folder: of a piper voice (.onnx and .onnx.json) or a kokoro model (.onnx and .bin); ''
        for espeak-ng alone.
    :raises SpeechError: if the folder is neither, or espeak-ng is missing.
    """
    from kimi_ros.speech.espeak import EspeakVoice

    if not folder:
        return EspeakVoice()
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise SpeechModelError(f'there is no folder {path}: name that of a piper or kokoro voice')
    voice: Voice
    if list(path.glob('*.onnx.json')):
        from kimi_ros.speech.piper import PiperVoice

        voice = PiperVoice(path)
    else:
        from kimi_ros.speech.kokoro import KokoroVoice

        voice = KokoroVoice(path)
    if set(voice.languages) >= {'en', 'zh'}:
        return voice
    return VoiceByLanguage(voice, EspeakVoice())
