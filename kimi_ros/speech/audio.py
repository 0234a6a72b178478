"""Sound as arrays: conversion to 16 kHz mono, levels, WAV files."""

from __future__ import annotations

import math
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.speech.errors import SoundError, require

SAMPLE_RATE = 16_000
"""Hz, of all sound inside the package; float32, mono, -1 to 1."""

_FULL_SCALE = 32_768.0
_CLIPPED = 0.999  # of full scale
_SILENCE = -120.0  # dBFS, of a block of zeros
_GAIN_LIMIT = 20.0  # dB


@dataclass(frozen=True)
class Level:
    """How loud sound is.

    :ivar rms: root mean square, dB relative to full scale.
    :ivar peak: largest amplitude, 0 to 1.
    :ivar clipped: share of samples at full scale: above 0.001, the gain is too high.
    """

    rms: float
    peak: float
    clipped: float


def level(samples: np.ndarray) -> Level:
    """Return the level of float samples; silence is -120 dBFS."""
    if not samples.size:
        return Level(_SILENCE, 0.0, 0.0)
    size = np.abs(samples)
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    decibels = 20 * math.log10(rms) if rms > 1e-6 else _SILENCE
    return Level(decibels, float(size.max()), float(np.mean(size >= _CLIPPED)))


def normalized(samples: np.ndarray, rms: float = -22.0) -> np.ndarray:
    """Return the samples at this level in dBFS, amplified by at most 20 dB, and never clipped."""
    now = level(samples)
    gain = min(rms - now.rms, _GAIN_LIMIT)
    if now.peak:
        gain = min(gain, -20 * math.log10(now.peak))
    return (samples * 10 ** (gain / 20)).astype(np.float32)


class Converter:
    """Turns blocks of any rate and number of channels into 16 kHz mono; keeps its filter's state.

    :raises SoundError: for a rate below 8 kHz or above 192 kHz, or no channel.
    """

    def __init__(self, rate: int, channels: int = 1):
        if not 8_000 <= rate <= 192_000 or channels < 1:
            raise SoundError(
                f'sound at {rate} Hz with {channels} channels: use 8000 to 192000 Hz and one '
                'channel or more'
            )
        self.rate, self.channels = rate, channels
        self._stream: Any = None
        if rate != SAMPLE_RATE:
            soxr = require('soxr', 'resamples sound')
            self._stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype='float32')

    def convert(self, samples: np.ndarray, last: bool = False) -> np.ndarray:
        """Return what these samples become; some of it may come with the next block.

        :param samples: int16, or float from -1 to 1; (n,) interleaved, or (n, channels).
        :param last: there is no next block.
        """
        scale = _FULL_SCALE if samples.dtype == np.int16 else 1.0
        mono: np.ndarray = (
            samples.reshape(-1, self.channels).astype(np.float32).mean(axis=1) / scale
        )
        mono = np.nan_to_num(mono.astype(np.float32))
        if self._stream is not None:
            mono = self._stream.resample_chunk(mono, last=last)
        return mono


def to_pcm(samples: np.ndarray) -> np.ndarray:
    """Return float samples as int16, clipped to full scale."""
    return np.clip(np.rint(samples * _FULL_SCALE), -32_768, 32_767).astype(np.int16)


def read_wav(path: Path | str) -> np.ndarray:
    """Return a WAV file (16-bit PCM) as 16 kHz mono.

    :raises SoundError: if it cannot be read.
    """
    try:
        with wave.open(str(path), 'rb') as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise SoundError(f'{path} is not a WAV file that can be read: {error}') from error
    if width != 2:
        raise SoundError(f'{path} has {8 * width} bits a sample: convert it to 16-bit PCM')
    return Converter(rate, channels).convert(np.frombuffer(data, '<i2'), last=True)


def write_wav(path: Path | str, samples: np.ndarray, rate: int = SAMPLE_RATE) -> None:
    """Write float samples, mono, as 16-bit PCM."""
    with wave.open(str(path), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(to_pcm(samples).astype('<i2').tobytes())
