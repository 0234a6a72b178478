"""Piper voices (VITS, ONNX): espeak-ng writes the phonemes, ONNX Runtime does the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.speech.errors import SpeechModelError
from kimi_ros.speech.espeak import executable, ipa
from kimi_ros.speech.onnx_session import cpu_session

_BEGIN, _END, _PAD = '^', '$', '_'
_CHINESE = ('zh', 'cmn')  # how espeak-ng's names of Mandarin begin


class PiperVoice:
    """See Voice. A folder holds one voice: its `.onnx` and, beside it, its `.onnx.json`."""

    def __init__(self, folder: Path):
        """Load the voice.

        :raises SpeechModelError: if a file is missing or broken, or if the voice does not use
            espeak-ng, or is neither English nor Chinese.
        """
        executable()
        settings = sorted(folder.glob('*.onnx.json'))
        if not settings or not (model := settings[0].with_suffix('')).is_file():
            raise SpeechModelError(f'{folder} needs a voice: NAME.onnx and NAME.onnx.json')
        try:
            self._read(json.loads(settings[0].read_text(encoding='utf-8')), settings[0])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SpeechModelError(
                f'{settings[0]} does not describe a piper voice ({error!r}): copy it again'
            ) from error
        self.name = f'piper ({model.stem})'
        self._session = cpu_session(model)
        self._inputs = {i.name for i in self._session.get_inputs()}

    def _read(self, about: Any, path: Path) -> None:
        if about.get('phoneme_type', 'espeak') != 'espeak':
            raise SpeechModelError(
                f'{path} has the phonemes of {about["phoneme_type"]}: only espeak is read'
            )
        self.rate = int(about['audio']['sample_rate'])
        self._espeak = about['espeak']['voice']
        if not self._espeak.startswith(('en', *_CHINESE)):
            raise SpeechModelError(
                f'{path} speaks {self._espeak}: give an English or a Chinese voice'
            )
        self._ids: dict[str, list[int]] = about['phoneme_id_map']
        scales = about.get('inference', {})
        self._scales = [
            scales.get('noise_scale', 0.667),
            scales.get('length_scale', 1.0),
            scales.get('noise_w', 0.8),
        ]

    @property
    def languages(self) -> tuple[str, ...]:
        """The one language of the voice."""
        return ('zh',) if self._espeak.startswith(_CHINESE) else ('en',)

    def synthesize(self, text: str, language: str, speed: float = 1.0) -> np.ndarray:
        """See Voice."""
        ids = list(self._ids[_BEGIN]) + list(self._ids[_PAD])
        for symbol in ipa(text, self._espeak):
            if symbol in self._ids:
                ids += [*self._ids[symbol], *self._ids[_PAD]]
        ids += self._ids[_END]
        noise, length, width = self._scales
        feed = {
            'input': np.array([ids], np.int64),
            'input_lengths': np.array([len(ids)], np.int64),
            'scales': np.array([noise, length / speed, width], np.float32),
        }
        if 'sid' in self._inputs:
            feed['sid'] = np.array([0], np.int64)
        sound: np.ndarray = self._session.run(None, feed)[0]
        return sound.ravel().astype(np.float32)
