"""Microphones and loudspeakers, by PortAudio."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import numpy as np

from kimi_ros.speech.audio import Converter
from kimi_ros.speech.errors import SoundError, require
from kimi_ros.speech.speaker import BLOCK_SECONDS

_LOG = logging.getLogger(__name__)
_RETRY = 2.0  # seconds between attempts to open a microphone
_SILENT = 3.0  # seconds without sound after which a device has vanished
_QUEUE = 200  # blocks that may wait


class Microphone:
    """A microphone that is opened again when it vanishes."""

    def __init__(
        self,
        device: str = '',
        on_status: Callable[[str], None] = lambda error: None,
        open_stream: Callable[..., Any] | None = None,
    ):
        """Choose a device.

        :param device: name, or part of it, or number; '' for the system's default.
        :param on_status: called with what is wrong, with '' when sound comes again.
        :param open_stream: instead of sounddevice.InputStream.
        :raises SpeechError: if sounddevice or PortAudio is missing.
        """
        self._device = int(device) if device.isdigit() else device or None
        self._on_status = on_status
        library: Any = None if open_stream else require('sounddevice', 'records sound')
        self._library = library
        self._open_stream = open_stream if open_stream else library.InputStream

    def blocks(self, stop: Event) -> Iterator[np.ndarray]:
        """Yield sound, 16 kHz mono, until `stop` is set; nothing while the device is away."""
        while not stop.is_set():
            try:
                yield from self._record(stop)
            except Exception as error:  # PortAudioError, and whatever a driver raises
                self._on_status(f'microphone {self._device or "(default)"}: {error}')
                if self._library is not None:  # PortAudio lists devices once
                    self._library._terminate()
                    self._library._initialize()
                stop.wait(_RETRY)

    def _record(self, stop: Event) -> Iterator[np.ndarray]:
        waiting: queue.Queue[np.ndarray] = queue.Queue(_QUEUE)

        def callback(data: np.ndarray, _frames: int, _time: Any, _status: Any) -> None:
            if not waiting.full():
                waiting.put_nowait(data.copy())

        stream = self._open_stream(
            device=self._device, channels=1, dtype='float32', callback=callback, latency='low'
        )
        with stream:
            converter = Converter(round(stream.samplerate), 1)
            heard = False
            while not stop.is_set():
                try:
                    block = waiting.get(timeout=_SILENT)
                except queue.Empty:
                    raise SoundError('no sound arrives: is it unplugged?') from None
                if not heard:
                    self._on_status('')
                    heard = True
                yield converter.convert(block)


class Loudspeaker:
    """See AudioOutput."""

    def __init__(self, device: str = ''):
        """Choose a device.

        :param device: name, or part of it, or number; '' for the system's default.
        :raises SpeechError: if sounddevice or PortAudio is missing.
        """
        self._device = int(device) if device.isdigit() else device or None
        self._library = require('sounddevice', 'plays sound')

    def play(self, samples: np.ndarray, rate: int, stop: Event) -> bool:
        """See AudioOutput."""
        block = max(1, round(rate * BLOCK_SECONDS))
        try:
            with self._library.OutputStream(
                samplerate=rate, device=self._device, channels=1, dtype='float32', latency='low'
            ) as stream:
                for start in range(0, len(samples), block):
                    if stop.is_set():
                        stream.abort()
                        return False
                    stream.write(samples[start : start + block, None])
        except self._library.PortAudioError as error:
            raise SoundError(f'loudspeaker: {error}') from error
        return True


class PacedOutput:
    """Gives blocks to a function as fast as they would sound, for topics and for tests."""

    def __init__(self, send: Callable[[np.ndarray, int], None]):
        """Name the function, which takes samples and their rate."""
        self._send = send

    def play(self, samples: np.ndarray, rate: int, stop: Event) -> bool:
        """See AudioOutput."""
        block = max(1, round(rate * BLOCK_SECONDS * 2))
        began = time.monotonic()
        for start in range(0, len(samples), block):
            if stop.is_set():
                return False
            self._send(samples[start : start + block], rate)
            left = began + (start + block) / rate - time.monotonic()
            if left > 0 and stop.wait(left):
                return False
        return True
