"""The node `speech`: what it takes while nobody speaks, and how soon it answers."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import numpy as np

from kimi_ros.process import isolated

from .nodes import cpu_seconds, running
from .results import Results
from .worker import Missing, Worker

if TYPE_CHECKING:
    from kimi_ros.nodes.speech_client import SpeechClient

_ROUNDS = 5
_IDLE = 30.0  # seconds
_START = 300.0  # seconds
_ANSWER = 60.0  # seconds
_REAL_TIME = 0.064  # seconds between the client's blocks
_QUIET = 3e-4  # amplitude of a quiet room
_SCENE = 3  # four objects, all different


class Speech:
    """A simulated camera, the nodes kimi and speech, and a client that speaks."""

    def __init__(self, threads: int, model: str, recognizer: str) -> None:
        self._threads, self._model, self._recognizer = threads, model, recognizer
        self._environment = isolated(os.environ)
        os.environ.update(self._environment)
        # Imported late: the ROS wheels start Python anew, with the environment as it is by then.
        try:
            from kimi_ros.nodes.speech_client import SpeechClient
            from kimi_ros.speech.errors import SpeechError
            from kimi_ros.speech.recognizer import load_recognizer

            load_recognizer(recognizer)  # here the reason is clearer than in the node's log
        except (ImportError, SpeechError) as error:
            raise Missing(str(error)) from error
        self._client = SpeechClient

    def measure(self, rounds: int) -> dict[str, list[float]]:
        """Return the idle node's share of a core, and seconds until the answer begins."""
        from kimi_ros.eval.held_out_scenes import FIRST_EVALUATION_SEED

        nodes = {
            'sim_camera': {'seed': FIRST_EVALUATION_SEED + _SCENE},
            'kimi_node': {'model': self._model, 'threads': self._threads},
            'speech_node': {'source': 'topic', 'output': 'none', 'recognizer': self._recognizer},
        }
        with running(nodes, self._environment) as started, self._client() as client:
            client.wait_until_ready(_START, lambda: [process.check() for process in started])
            idle = _share(client, started[-1].pid)
            return {'idle': [idle], 'answer': [_answer(client, i) for i in range(rounds)]}


def _share(client: SpeechClient, pid: int) -> float:
    """Return a process's share of a core while the client sends the sound of a quiet room."""
    before, began = cpu_seconds(pid), time.monotonic()
    while time.monotonic() < began + _IDLE:
        client.send(_quiet(1.0), _REAL_TIME)
    return (cpu_seconds(pid) - before) / (time.monotonic() - began)


def _answer(client: SpeechClient, number: int) -> float:
    """Ask for a thing; return the seconds from the end of speech to the start of the answer."""
    from kimi_ros.speech.audio import Converter
    from kimi_ros.speech.espeak import EspeakVoice

    thing = ('cup', 'book', 'bowl')[number % 3]
    voice = EspeakVoice({'en': 'en-us'})
    sound = Converter(voice.rate).convert(
        voice.synthesize(f'Where is the {thing}?', 'en', 0.9), last=True
    )
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    client.quiet()
    client.send(_quiet(0.5), _REAL_TIME)
    said = len(client.said)
    client.send(sound[: loud[-1] + 1], _REAL_TIME)
    ended = time.monotonic()
    while len(client.said) == said and time.monotonic() < ended + _ANSWER:
        client.send(_quiet(0.064), _REAL_TIME)
    return time.monotonic() - ended if len(client.said) > said else float('nan')


def _quiet(seconds: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, _QUIET, int(16_000 * seconds))
    return noise.astype(np.float32)


def measure(model: str, threads: int) -> Results:
    """The idle node with pocketsphinx, and its answers; those with Whisper where one is found."""
    found = Results()
    for recognizer, name in (('sphinx', 'pocketsphinx'), ('whisper', 'Whisper')):
        key = f'speech.{recognizer}'
        try:
            with Worker('speech', threads, model=model, recognizer=recognizer) as speech:
                taken = speech.call('measure', rounds=_ROUNDS)
        except Missing as reason:
            found.missing[key] = str(reason)
            continue
        found.add(f'{key}.idle', f'idle, {name}: share of a core', 'x', taken['idle'])
        seconds = [s for s in taken['answer'] if s == s]
        if not seconds:
            found.missing[f'{key}.answer'] = f'none of {_ROUNDS} questions had an answer'
            continue
        label = f'end of speech to start of answer, {name}'
        found.add(f'{key}.answer', label, 's', seconds, f'{len(seconds)} of {_ROUNDS}')
    return found
