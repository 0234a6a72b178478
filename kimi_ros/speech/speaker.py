"""Speaking: a queue with priorities, one voice at a time, interruptible at once."""

from __future__ import annotations

import heapq
import itertools
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import IntEnum
from threading import Condition, Event, Thread
from typing import Protocol

import numpy as np

from kimi_ros.speech.errors import SpeechError
from kimi_ros.speech.voices import Voice

_LOG = logging.getLogger(__name__)
_FULL_WIDTH = '。！？；'
_END = re.compile(rf'(?<=[.!?;])\s+|(?<=[{_FULL_WIDTH}])\s*')
_SHORT = 6  # characters
BLOCK_SECONDS = 0.02
"""Sound is given to outputs in blocks of this length, so that they can stop between two."""


class Priority(IntEnum):
    """A higher priority interrupts a lower one, which is then dropped."""

    NARRATION = 0
    ANSWER = 1
    QUESTION = 2
    HAZARD = 3


class AudioOutput(Protocol):
    """Where sound goes."""

    def play(self, samples: np.ndarray, rate: int, stop: Event) -> bool:
        """Play until the end or until `stop` is set, within 100 ms; return whether all was played.

        :param samples: float32, mono.
        """
        ...


@dataclass(order=True)
class _Entry:
    order: tuple[int, int]
    text: str = field(compare=False)
    language: str = field(compare=False)
    priority: Priority = field(compare=False)
    expires: float = field(compare=False)


class Speaker:
    """Speaks in a thread of its own. Thread-safe.

    :ivar saying: the sentence being spoken, '' in between.
    """

    def __init__(
        self,
        voice: Voice,
        output: AudioOutput,
        *,
        speed: Callable[[], float] = lambda: 1.0,
        on_begin: Callable[[str, str], None] = lambda text, language: None,
        on_end: Callable[[bool], None] = lambda whole: None,
        capacity: int = 16,
    ):
        """Start.

        :param speed: of speech, 1 is the voice's own; asked for each sentence.
        :param on_begin: called with a sentence and its language, before any sound of it.
        :param on_end: called when it has ended, with whether all of it was played.
        :param capacity: sentences that may wait; the oldest of the lowest priority is dropped.
        """
        self._voice, self._output = voice, output
        self._speed, self._on_begin, self._on_end = speed, on_begin, on_end
        self._capacity = capacity
        self._changed = Condition()
        self._queue: list[_Entry] = []
        self._numbers = itertools.count()
        self._interrupt = Event()
        self._current: _Entry | None = None
        self._ended = float('-inf')
        self._closed = False
        self.saying = ''
        self._maker = ThreadPoolExecutor(1, 'voice')
        self._thread = Thread(target=self._run, name='speaker', daemon=True)
        self._thread.start()

    def say(
        self,
        text: str,
        language: str,
        priority: Priority = Priority.ANSWER,
        max_age: float = 30.0,
    ) -> None:
        """Queue a sentence.

        :param max_age: seconds, after which it is no longer worth saying.
        """
        if not text.strip():
            return
        with self._changed:
            if self._closed:
                return
            order = (-priority, next(self._numbers))
            heapq.heappush(
                self._queue, _Entry(order, text, language, priority, time.monotonic() + max_age)
            )
            if len(self._queue) > self._capacity:
                lowest = max(e.order[0] for e in self._queue)
                self._queue.remove(min(e for e in self._queue if e.order[0] == lowest))
                heapq.heapify(self._queue)
            if self._current is not None and priority > self._current.priority:
                self._interrupt.set()
            self._changed.notify_all()

    def stop(self) -> None:
        """Fall silent, and forget what waits."""
        with self._changed:
            self._queue.clear()
            self._interrupt.set()
            self._changed.notify_all()

    def quiet_for(self) -> float:
        """Return the seconds since the last sound; 0 while one is made or prepared."""
        with self._changed:
            busy = self._current is not None or self._queue
            return 0.0 if busy else time.monotonic() - self._ended

    def wait(self, timeout: float) -> bool:
        """Wait until everything is said; return False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._queue and self._current is None, timeout
            )

    def close(self) -> None:
        """Fall silent and end the thread."""
        with self._changed:
            self._closed = True
        self.stop()
        self._thread.join(2.0)
        self._maker.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
                entry = heapq.heappop(self._queue)
                if entry.expires < time.monotonic():
                    self._changed.notify_all()
                    continue
                self._current = entry
                self._interrupt.clear()
            whole = False
            try:
                whole = self._speak(entry)
            except SpeechError as error:
                _LOG.error('not spoken: %s', error)
            except Exception:  # the node goes on, silently
                _LOG.exception('not spoken: %r', entry.text)
            with self._changed:
                self._current, self.saying = None, ''
                self._ended = time.monotonic()
                self._changed.notify_all()
            self._on_end(whole)

    def _speak(self, entry: _Entry) -> bool:
        """Speak sentence by sentence: the next one is made while one is heard."""
        speed, parts = self._speed(), sentences(entry.text)
        made = self._maker.submit(self._make, parts[0], entry.language, speed)
        for following in (*parts[1:], None):
            samples, rate = made.result()
            if self._interrupt.is_set():
                return False
            if following is not None:
                made = self._maker.submit(self._make, following, entry.language, speed)
            if not self.saying:
                self.saying = entry.text
                self._on_begin(entry.text, entry.language)
            if not self._output.play(samples, rate, self._interrupt):
                made.cancel()
                return False
        return True

    def _make(self, text: str, language: str, speed: float) -> tuple[np.ndarray, int]:
        samples = self._voice.synthesize(text, language, speed)
        return samples, self._voice.rate


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; those of a word or two stay with the one before."""
    found: list[str] = []
    for sentence in _END.split(text.strip()):
        if found and min(len(found[-1]), len(sentence)) < _SHORT:
            found[-1] += ('' if found[-1][-1] in _FULL_WIDTH else ' ') + sentence
        elif sentence:
            found.append(sentence)
    return found
