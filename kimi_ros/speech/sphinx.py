"""Commands by pocketsphinx, whose English model is in its package: nothing to download.

Two decoders hear each utterance. One knows only the grammar of commands, and hears one in anything;
the other knows these words, common ones, and the trigrams of English. A command is what both
hear, or the first clearly better than the second.
"""

from __future__ import annotations

import difflib
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.speech.audio import normalized, to_pcm
from kimi_ros.speech.errors import require
from kimi_ros.speech.grammar import command_grammar
from kimi_ros.speech.recognizer import Transcript
from kimi_ros.speech.vocabulary import Vocabulary, words

_LANGUAGE_WEIGHT = 3.0  # of the trigrams: low, so that the sound decides
_NOISE = 1e-4  # added: the decoder's features of exact zeros are useless
# Difference of the decoders' scores. Chosen on 14 commands (0.11 to 0.20) and 25 other sentences
# (-0.09 to 0.10) of speech_commands.yaml in espeak-ng's voices: that file is no held-out set.
_NEVER, _CERTAIN = 0.06, 0.16
_UNLIKE = 0.6  # share of equal words: below, the two did not agree
_LEAST = 0.3  # score below which nothing was heard well
_WORD = re.compile(r"[a-z']+")


class SphinxRecognizer:
    """English commands only; of everything else nothing is heard, with confidence 0."""

    name = 'pocketsphinx'
    languages: tuple[str, ...] = ('en',)

    def __init__(self) -> None:
        """Find the model.

        :raises SpeechError: if pocketsphinx is not installed.
        """
        self._library = require('pocketsphinx', 'recognises speech')
        self._model = Path(self._library.get_model_path('en-us'))
        self._pronunciations = _dictionary(self._model / 'cmudict-en-us.dict')
        self._vocabulary: Vocabulary | None = None
        self._decoders: tuple[Any, Any] | None = None

    def recognize(
        self, samples: np.ndarray, vocabulary: Vocabulary, language: str = ''
    ) -> Transcript:
        """See Recognizer."""
        if self._decoders is None or vocabulary != self._vocabulary:
            self._decoders = self._load(vocabulary)
            self._vocabulary = vocabulary
        noise = np.random.default_rng(0).normal(0, _NOISE, len(samples))
        pcm = to_pcm(normalized(samples) + noise).tobytes()
        text, score = _decode(self._decoders[0], pcm)
        if not text or score < _LEAST:
            return Transcript('', 'en', 0.0)
        other, other_score = _decode(self._decoders[1], pcm)
        same = difflib.SequenceMatcher(None, text.split(), other.split()).ratio()
        better = (score - other_score - _NEVER) / (_CERTAIN - _NEVER)
        agree = (same - _UNLIKE) / (1 - _UNLIKE)
        confidence = float(np.clip(max(better, agree), 0.0, 1.0))
        return Transcript(text if confidence else '', 'en', confidence)

    def _load(self, vocabulary: Vocabulary) -> tuple[Any, Any]:
        grammar = command_grammar(vocabulary, self._pronunciations)
        spoken = set(_WORD.findall(re.sub(r'<[^>]*>|#JSGF.*|grammar \w+;|public', '', grammar)))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / 'commands.gram').write_text(grammar, encoding='utf-8')
            self._write_dictionary(folder / 'commands.dict', spoken)
            self._write_dictionary(folder / 'all.dict', spoken | set(words()['other']))
            common = {'hmm': str(self._model / 'en-us'), 'loglevel': 'FATAL', 'maxhmmpf': 3000}
            decoder = self._library.Decoder
            return (
                decoder(
                    dict=str(folder / 'commands.dict'),
                    jsgf=str(folder / 'commands.gram'),
                    **common,
                ),
                decoder(
                    dict=str(folder / 'all.dict'),
                    lm=str(self._model / 'en-us.lm.bin'),
                    lw=_LANGUAGE_WEIGHT,
                    **common,
                ),
            )

    def _write_dictionary(self, path: Path, spoken: set[str]) -> None:
        lines = [
            f'{word}{f"({i})" if i > 1 else ""} {sound}'
            for word in sorted(spoken)
            for i, sound in enumerate(self._pronunciations.get(word, ()), 1)
        ]
        path.write_text('\n'.join(lines) + '\n', encoding='utf-8')


def _decode(decoder: Any, pcm: bytes) -> tuple[str, float]:
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return (found.hypstr, float(found.best_score)) if found else ('', 0.0)


def _dictionary(path: Path) -> dict[str, list[str]]:
    """Return the pronunciations of every word."""
    found: dict[str, list[str]] = {}
    with path.open(encoding='utf-8') as lines:
        for line in lines:
            word, _, sound = line.strip().partition(' ')
            found.setdefault(word.split('(')[0], []).append(sound.strip())
    return found
