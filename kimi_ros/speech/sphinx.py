"""Commands by pocketsphinx, whose English model is in its package: nothing to download.

Each utterance is decoded by grammars and by the trigrams of English. The grammar of all commands
hears one in anything, and in its beam longer words crowd out shorter ones: a second grammar has
only the things that were seen, and a third only the control words; the best score of the three
counts. It is a command where it scores better than what the trigrams hear, and sounds like it.
"""

from __future__ import annotations

import math
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.speech.audio import SAMPLE_RATE, normalized, to_pcm
from kimi_ros.speech.commands import find_command
from kimi_ros.speech.errors import require
from kimi_ros.speech.grammar import command_grammar, control_grammar
from kimi_ros.speech.recognizer import Transcript
from kimi_ros.speech.vocabulary import Vocabulary, words

_LANGUAGE_WEIGHT = 3.0  # of the trigrams: low, so that the sound decides
_NOISE = 1e-4  # added: the decoder's features of exact zeros are useless
# Confidence of a command: how much better than the trigrams' text it scores, a second, and how much
# it sounds like that. Chosen on the commands (0.3 and more) and the other sentences (0.5 and less)
# of speech_commands.yaml in espeak-ng's voices: that file is no held-out set.
_BETTER, _ALIKE, _OFFSET = 4.1, 2.9, -1.86
_SILENCE = 0.7  # seconds around the speech
_CONTROL_LEAST = 0.6  # score of a control word: those that were said have 0.65 and more
_CONTROL_MARGIN, _CONTROL_SURE = -0.05, 0.05  # more than the trigrams' text has
_SHORT = 2.4  # seconds: a longer utterance is no control word
_DOUBT = 0.5  # confidence where the grammars disagree: it is read back
_TINY = 1e-3
_VOWELS = frozenset('AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW'.split())
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
        self._decoders: dict[str, Any] = {}

    def recognize(
        self, samples: np.ndarray, vocabulary: Vocabulary, language: str = ''
    ) -> Transcript:
        """See Recognizer."""
        if vocabulary != self._vocabulary:
            self._decoders, self._vocabulary = self._load(vocabulary), vocabulary
        noise = np.random.default_rng(0).normal(0, _NOISE, len(samples))
        pcm = to_pcm(normalized(samples) + noise).tobytes()
        short = len(samples) <= _SHORT * SAMPLE_RATE
        grammars = ('commands', 'seen', 'control') if short else ('commands', 'seen')
        heard = {n: _decode(self._decoders[n], pcm) for n in grammars if n in self._decoders}
        best = max(heard, key=lambda name: heard[name][1])
        text, score = heard[best]
        is_control = find_command(text) is not None
        if not text or (is_control and (score < _CONTROL_LEAST or not short)):
            return Transcript('', 'en', 0.0)
        other, other_score = _decode(self._decoders['english'], pcm)
        if is_control:
            certain = _CONTROL_SURE - _CONTROL_MARGIN
            confidence = (score - other_score - _CONTROL_MARGIN) / certain
        else:
            spoken = max(len(samples) / SAMPLE_RATE - _SILENCE, 0.1)
            better = math.log(max(score, _TINY) / max(other_score, _TINY)) / spoken
            confidence = _BETTER * better + _ALIKE * self._likeness(text, other) + _OFFSET
            if best == 'seen' and text != heard['commands'][0]:  # or of a thing not seen
                confidence = min(confidence, _DOUBT)
        confidence = float(np.clip(confidence, 0.0, 1.0))
        return Transcript(text if confidence else '', 'en', confidence)

    def _load(self, vocabulary: Vocabulary) -> dict[str, Any]:
        grammars = {
            'commands': command_grammar(vocabulary, self._pronunciations),
            'seen': command_grammar(vocabulary, self._pronunciations, only_seen=True),
            'control': control_grammar(),
        }
        common = {'hmm': str(self._model / 'en-us'), 'loglevel': 'FATAL', 'maxhmmpf': 3000}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            found: dict[str, Any] = {}
            for kind, grammar in grammars.items():
                if not grammar:
                    continue
                path = folder / f'{kind}.gram'
                path.write_text(grammar, encoding='utf-8')
                dictionary = self._write_dictionary(folder, kind, _words(grammar))
                found[kind] = self._library.Decoder(dict=dictionary, jsgf=str(path), **common)
            every = _words(grammars['commands']) | set(words()['other'])
            found['english'] = self._library.Decoder(
                dict=self._write_dictionary(folder, 'english', every),
                lm=str(self._model / 'en-us.lm.bin'),
                lw=_LANGUAGE_WEIGHT,
                **common,
            )
            return found

    def _write_dictionary(self, folder: Path, name: str, spoken: set[str]) -> str:
        lines = [
            f'{word}{f"({i})" if i > 1 else ""} {sound}'
            for word in sorted(spoken)
            for i, sound in enumerate(self._pronunciations.get(word, ()), 1)
        ]
        path = folder / f'{name}.dict'
        path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
        return str(path)

    def _likeness(self, text: str, other: str) -> float:
        """Return 1 for texts that sound the same, towards 0 for others: their edit distance."""
        ours, theirs = self._phonemes(text), self._phonemes(other)
        row = [float(j) for j in range(len(theirs) + 1)]
        for i, a in enumerate(ours, 1):
            diagonal, row[0] = row[0], float(i)
            for j, b in enumerate(theirs, 1):
                changed = diagonal + _difference(a, b)
                diagonal = row[j]
                row[j] = min(row[j] + 1, row[j - 1] + 1, changed)
        return 1 - row[-1] / max(len(ours), len(theirs), 1)

    def _phonemes(self, text: str) -> list[str]:
        return [p for w in text.split() for p in self._pronunciations.get(w, [w])[0].split()]


def _difference(a: str, b: str) -> float:
    """Return what it costs to take one phoneme for another: less within vowels or consonants."""
    if a == b:
        return 0.0
    return 0.5 if (a in _VOWELS) == (b in _VOWELS) else 1.0


def _words(grammar: str) -> set[str]:
    rules = re.sub(r'<[^>]*>|#JSGF.*|grammar \w+;|public', '', grammar)
    return set(_WORD.findall(rules))


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
