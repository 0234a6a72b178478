"""Spoken commands and other sounds for `kimi eval speech`, and what is counted.

Everything is synthetic and says so: voices are those of espeak-ng, or of a kokoro folder; noise is
pink, 15 dB below the speech; the room is an impulse response of 0.4 s.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from kimi_ros.eval.metrics import wilson
from kimi_ros.speech.audio import SAMPLE_RATE, Converter, normalized, read_wav, write_wav
from kimi_ros.speech.vocabulary import normalize
from kimi_ros.speech.voices import Voice

CONDITIONS = ('quiet', 'noise', 'room')
SPEEDS = (0.85, 1.0, 1.15)
NOISE_RATIO = 15.0  # dB, speech to noise
_ROOM = 0.4  # seconds, until the echo has fallen by 60 dB
_MARGIN = 0.3  # seconds of room around the speech
_LEVEL = -26.0  # dBFS, of speech
_FLOOR = 3e-4  # amplitude of the noise that every microphone has
_MUSIC, _NOISES = 15, 20  # how many of each
_ARTICLES = {'the', 'a', 'an', 'please'}


@dataclass(frozen=True)
class SpokenCase:
    """One sound, and what it should lead to.

    :ivar text: what is said; '' for music and noise.
    :ivar skill: of the right plan; '' where nothing may be accepted.
    :ivar voice: number of the voice.
    """

    text: str
    language: str
    skill: str
    voice: int = 0
    speed: float = 1.0
    condition: str = 'quiet'


@dataclass(frozen=True)
class Result:
    """What became of a case.

    :ivar right: the plan is that of the typed sentence; for other sounds: nothing was accepted.
    :ivar read_back: the node asked back before.
    :ivar heard: the transcript, for the report.
    :ivar seconds: from the end of speech to the plan; NaN where there is none.
    """

    case: SpokenCase
    right: bool
    read_back: bool
    heard: str
    seconds: float = float('nan')


def content() -> dict[str, Any]:
    """Return the file speech_commands.yaml."""
    file = resources.files('kimi_ros.eval').joinpath('speech_commands.yaml')
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding='utf-8'))
    return found


def command_cases(language: str, n: int | None = None) -> list[SpokenCase]:
    """Return the commands of a language; voices, speeds and conditions take turns."""
    turns = itertools.cycle(itertools.product(CONDITIONS, SPEEDS, range(3)))
    entries = content()['commands'][language]
    chosen = itertools.islice(itertools.cycle(entries), n or len(entries))
    return [
        SpokenCase(entry['say'], language, entry['skill'], voice, speed, condition)
        for entry, (condition, speed, voice) in zip(chosen, turns, strict=False)
    ]


def unrelated_cases(languages: Sequence[str]) -> list[SpokenCase]:
    """Return sentences that are no commands, and nameless sounds for music and noise."""
    said = content()['unrelated']
    cases = [
        SpokenCase(text, language, '', number % 3, SPEEDS[number % 3], CONDITIONS[number % 3])
        for language in languages
        for number, text in enumerate(said[language])
    ]
    cases += [SpokenCase('', 'music', '', number) for number in range(_MUSIC)]
    return cases + [SpokenCase('', 'noise', '', number) for number in range(_NOISES)]


class SoundMaker:
    """Makes the sound of a case; speech is kept in a folder, as voices can be slow."""

    def __init__(self, voices: Callable[[str, int], Voice], cache: Path | None = None):
        """Name the voices.

        :param voices: returns a voice by language and number, 0 to 2.
        """
        self._voices, self._cache = voices, cache

    def sound(self, case: SpokenCase) -> np.ndarray:
        """Return 16 kHz mono with silence around it; the same for the same case."""
        key = f'{case.language} {case.text} {case.voice} {case.condition}'
        rng = np.random.default_rng(int(hashlib.sha256(key.encode()).hexdigest()[:8], 16))
        if not case.text:
            made = _music(rng) if case.language == 'music' else _noise_kind(case.voice, rng)
            return made.astype(np.float32)
        speech = normalized(self._speech(case), _LEVEL)
        margin = np.zeros(int(_MARGIN * SAMPLE_RATE), np.float32)
        speech = np.concatenate([margin, speech, margin])
        if case.condition == 'room':
            speech = normalized(_in_room(speech, rng), _LEVEL)
        if case.condition == 'noise':
            noise = _pink(len(speech), rng)
            power = np.mean(speech**2) / np.mean(noise**2) / 10 ** (NOISE_RATIO / 10)
            speech = speech + noise * np.sqrt(power)
        return (speech + rng.normal(0, _FLOOR, len(speech))).astype(np.float32)

    def _speech(self, case: SpokenCase) -> np.ndarray:
        voice = self._voices(case.language, case.voice)
        name = f'{voice.name} {case.language} {case.voice} {case.speed} {case.text}'
        path = self._cache and self._cache / f'{hashlib.sha256(name.encode()).hexdigest()[:16]}.wav'
        if path is not None and path.is_file():
            return read_wav(path)
        samples = voice.synthesize(case.text, case.language, case.speed)
        sound = Converter(voice.rate).convert(samples, last=True)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_wav(path, sound)
            return read_wav(path)  # the same the first time as later
        return sound


def same_request(heard: str, meant: str) -> bool:
    """Whether a person would say yes to this read-back: the words are theirs, articles aside."""
    return _content_words(heard) == _content_words(meant)


def _content_words(text: str) -> list[str]:
    plain = normalize(text)
    return [w for w in plain.split() if w not in _ARTICLES] or list(plain)


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Return the figures: accuracy and read-backs by language, and false accepts."""
    found: dict[str, Any] = {}
    commands = [r for r in results if r.case.skill]
    for language in dict.fromkeys(r.case.language for r in commands):
        mine = [r for r in commands if r.case.language == language]
        right = sum(r.right for r in mine)
        low, high = wilson(right, len(mine))
        found[f'accuracy_{language}'] = right / len(mine)
        found[f'interval_{language}'] = [low, high]
        found[f'read_back_{language}'] = sum(r.read_back for r in mine) / len(mine)
        seconds = [r.seconds for r in mine if r.seconds == r.seconds]
        found[f'median_seconds_{language}'] = float(np.median(seconds)) if seconds else None
        for condition in CONDITIONS:
            part = [r.right for r in mine if r.case.condition == condition]
            if part:
                found[f'accuracy_{language}_{condition}'] = sum(part) / len(part)
    if commands:
        found['accuracy'] = sum(r.right for r in commands) / len(commands)
    others = [r for r in results if not r.case.skill]
    found['false_accepts'] = sum(not r.right for r in others)
    found['others'] = len(others)
    found['others_read_back'] = sum(r.read_back for r in others)
    return found


def failures(results: Sequence[Result]) -> Iterator[str]:
    """Yield a line for each case that went wrong."""
    for r in results:
        if not r.right:
            what = r.case.text or f'{r.case.language} {r.case.voice}'
            yield f'{what} ({r.case.condition}, voice {r.case.voice}): heard {r.heard!r}'


# Sounds.


def _in_room(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Convolve with noise that falls by 60 dB in _ROOM seconds, the direct sound before it."""
    n = int(_ROOM * SAMPLE_RATE)
    decay = np.exp(-6.9 * np.arange(n) / n)
    response = rng.normal(0, 1, n) * decay
    response *= 0.7 / np.sqrt(np.sum(response**2))
    response[0] = 1.0
    size = 1 << (len(speech) + n).bit_length()
    wet = np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(response, size), size)
    return wet[: len(speech)].astype(np.float32)


def _pink(n: int, rng: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(rng.normal(0, 1, n))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), n)


def _music(rng: np.random.Generator) -> np.ndarray:
    """Return a melody with chords, 4 s, of decaying harmonics."""
    length, beat = 4 * SAMPLE_RATE, int(0.3 * SAMPLE_RATE)
    sound = np.zeros(length)
    time = np.arange(2 * beat) / SAMPLE_RATE
    scale = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    for start in range(0, length - 2 * beat, beat):
        for root in rng.choice(scale, 3, replace=False):
            tone = sum(np.sin(2 * np.pi * root * k * time) / k**1.5 for k in range(1, 7))
            sound[start : start + 2 * beat] += tone * np.exp(-4 * time)
    return 0.1 * sound / np.abs(sound).max()


def _noise_kind(number: int, rng: np.random.Generator) -> np.ndarray:
    """Return 3 s of noise: white, pink, hum, clicks or knocks, and a motor, at different levels."""
    n = 3 * SAMPLE_RATE
    time = np.arange(n) / SAMPLE_RATE
    gain = 10 ** (-(10 + 3 * (number % 5)) / 20)
    kind = number % 5
    if kind == 0:
        sound = rng.normal(0, 0.3, n)
    elif kind == 1:
        sound = _pink(n, rng)
    elif kind == 2:
        sound = sum(np.sin(2 * np.pi * 50 * k * time + k) / k for k in (1, 2, 3, 5))
    elif kind == 3:
        sound = np.zeros(n)
        for start in rng.integers(0, n - 2000, 8):
            sound[start : start + 2000] += rng.normal(0, 1, 2000) * np.exp(-np.arange(2000) / 150)
    else:
        pulse = np.sin(2 * np.pi * (90 + 10 * np.sin(time)) * time)
        sound = np.sign(pulse) * 0.3 + rng.normal(0, 0.1, n)
    return gain * sound / max(1e-6, float(np.abs(sound).max()))
