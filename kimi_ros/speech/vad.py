"""Voice activity: silero's network in ONNX Runtime. PyTorch is not needed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from kimi_ros.speech.audio import SAMPLE_RATE, level
from kimi_ros.speech.errors import SpeechModelError
from kimi_ros.speech.onnx_session import cpu_session

BLOCK = 512
"""Samples of one decision: 32 ms."""

_QUIET = -65.0  # dBFS, below which the network is not asked, which makes an idle node cheap
_CONTEXT = 64  # samples of the block before, that the network also sees
# Package, and the file in it. faster-whisper carries the same network with its state in two parts.
_FILES = (
    ('silero_vad', 'data/silero_vad_16k_op15.onnx'),
    ('silero_vad', 'data/silero_vad.onnx'),
    ('faster_whisper', 'assets/silero_vad_v6.onnx'),
)


def find_vad_model() -> Path:
    """Return the network's file, from the package silero-vad or faster-whisper.

    :raises SpeechModelError: if neither is installed.
    """
    for package, name in _FILES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            if (path := Path(folder, name)).is_file():
                return path
    raise SpeechModelError(
        'voice activity detection needs a model that comes with a package: '
        'pip install --no-deps silero-vad'
    )


class SileroVad:
    """The probability of speech in each block; keeps the network's state from block to block."""

    def __init__(self) -> None:
        """Load the network.

        :raises SpeechModelError: if no package here holds it, or it cannot be loaded.
        """
        self._session = cpu_session(find_vad_model())
        self._inputs = {i.name for i in self._session.get_inputs()}
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far."""
        self._context = np.zeros(_CONTEXT, np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)

    def probability(self, block: np.ndarray) -> float:
        """Return the probability, 0 to 1, that a block of 512 samples holds speech."""
        if level(block).rms < _QUIET:
            self._context = block[-_CONTEXT:]
            return 0.0
        sound = np.concatenate([self._context, block]).astype(np.float32)[None]
        self._context = block[-_CONTEXT:]
        if 'h' in self._inputs:
            feed = {'input': sound, 'h': self._state[:1], 'c': self._state[1:]}
            output, h, c = self._session.run(None, feed)
            self._state = np.concatenate([h, c])
        else:
            feed = {'input': sound, 'state': self._state, 'sr': np.array(SAMPLE_RATE, np.int64)}
            output, self._state = self._session.run(None, feed)
        return float(output.ravel()[0])
