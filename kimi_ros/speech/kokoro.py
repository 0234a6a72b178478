"""Kokoro voices (82 M parameters, ONNX) in English and Chinese, without PyTorch.

A folder holds the model (`*.onnx`, also in `onnx/`) and voices (`*.bin`, also in `voices/`), as
they are published for ONNX: a voice is float32 (510, 256), one row for each number of phonemes.
Voices whose names begin with z are Chinese, with a or b English.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from kimi_ros.speech.errors import SpeechError, SpeechModelError, require
from kimi_ros.speech.espeak import executable, ipa
from kimi_ros.speech.models import kokoro_files
from kimi_ros.speech.onnx_session import cpu_session

RATE = 24_000
"""Hz, of the sound that it makes."""

_STYLE = 256
_LONGEST = 500  # phonemes
_PREFIXES = {'en': 'ab', 'zh': 'z'}

# The model's symbols, from its published configuration; gaps are numbers without a symbol.
_SYMBOLS = {
    1: ';:,.!?', 9: '—…"()“” \u0303ʣʥʦʨᵝꭧAI', 31: 'O', 33: 'Q', 35: 'ST', 39: 'W', 41: 'Yᵊabcdef',
    50: 'hijklmnopqrstuvwxyzɑɐɒæ', 75: 'βɔɕç', 80: 'ɖðʤə', 85: 'ɚɛɜ', 90: 'ɟ', 92: 'ɡ', 99: 'ɥ',
    101: 'ɨɪʝ', 110: 'ɯɰŋɳɲɴø', 118: 'ɸθœ', 123: 'ɹ', 125: 'ɾɻ', 128: 'ʁɽʂʃʈʧ', 135: 'ʊʋ',
    138: 'ʌɣɤ', 142: 'χʎ', 147: 'ʒʔ', 156: 'ˈˌː', 162: 'ʰ', 164: 'ʲ', 169: '↓', 171: '→↗↘',
    177: 'ᵻ',
}  # fmt: skip
_IDS = {c: first + i for first, row in _SYMBOLS.items() for i, c in enumerate(row)}

# Mandarin, as the model was taught: initials and finals in IPA; 0 is where the tone goes.
_INITIALS = {
    'zh': 'ꭧ', 'ch': 'ꭧʰ', 'sh': 'ʂ', 'b': 'p', 'p': 'pʰ', 'm': 'm', 'f': 'f', 'd': 't', 't': 'tʰ',
    'n': 'n', 'l': 'l', 'g': 'k', 'k': 'kʰ', 'h': 'x', 'j': 'ʨ', 'q': 'ʨʰ', 'x': 'ɕ', 'r': 'ɻ',
    'z': 'ʦ', 'c': 'ʦʰ', 's': 's',
}  # fmt: skip
_FINALS = {
    'a': 'a0', 'o': 'wo0', 'e': 'ɤ0', 'ai': 'ai0', 'ei': 'ei0', 'ao': 'au0', 'ou': 'ou0',
    'an': 'a0n', 'en': 'ə0n', 'ang': 'a0ŋ', 'eng': 'ə0ŋ', 'ong': 'ʊ0ŋ', 'er': 'ɚ0', 'i': 'i0',
    'ia': 'ja0', 'ie': 'je0', 'iao': 'jau0', 'iou': 'jou0', 'ian': 'jɛ0n', 'in': 'i0n',
    'iang': 'ja0ŋ', 'ing': 'i0ŋ', 'iong': 'jʊ0ŋ', 'u': 'u0', 'ua': 'wa0', 'uo': 'wo0',
    'uai': 'wai0', 'uei': 'wei0', 'uan': 'wa0n', 'uen': 'wə0n', 'uang': 'wa0ŋ', 'ueng': 'wə0ŋ',
    'v': 'y0', 've': 'ɥe0', 'van': 'ɥɛ0n', 'vn': 'y0n',
}  # fmt: skip
_APICAL = {'zh', 'ch', 'sh', 'r', 'z', 'c', 's'}  # after these, i is another vowel
_TONES = {'1': '→', '2': '↗', '3': '↓', '4': '↘'}
_PAUSES = str.maketrans('，。！？：；、', ',.!?:;,')
# What espeak-ng writes for English, as the model was taught.
_ENGLISH = (
    ('ʲ', 'j'), ('r', 'ɹ'), ('x', 'k'), ('ɬ', 'l'), ('\u0329', ''), ('tʃ', 'ʧ'), ('dʒ', 'ʤ'),
    ('eɪ', 'A'), ('aɪ', 'I'), ('oʊ', 'O'), ('əʊ', 'Q'), ('aʊ', 'W'), ('ɔɪ', 'Y'),
)  # fmt: skip


class KokoroVoice:
    """See Voice."""

    name = 'kokoro'
    rate = RATE

    def __init__(self, folder: Path, voices: dict[str, str] | None = None):
        """Load the model.

        :param voices: name of a voice by language; otherwise the first of each.
        :raises SpeechError: if the folder is incomplete, has no such voice, or what writes the
            phonemes is not installed.
        """
        models, files = kokoro_files(folder)
        if not models or not files:
            raise SpeechModelError(
                f'{folder} is no kokoro folder: it needs the model (.onnx) and voices (.bin)'
            )
        self._session = cpu_session(models[0])
        names = {i.name for i in self._session.get_inputs()}
        self._tokens = 'tokens' if 'tokens' in names else 'input_ids'
        self._styles: dict[str, np.ndarray] = {}
        for language, prefixes in _PREFIXES.items():
            wanted = (voices or {}).get(language) or next(
                (name for name in sorted(files) if name[0] in prefixes), ''
            )
            if wanted and wanted not in files:
                raise SpeechModelError(
                    f'{folder} has no voice {wanted}: {", ".join(sorted(files))}'
                )
            if wanted:
                style = np.fromfile(files[wanted], '<f4')
                if not style.size or style.size % _STYLE:
                    raise SpeechModelError(f'{files[wanted]} is no kokoro voice: copy it again')
                self._styles[language] = style.reshape(-1, _STYLE)
        if 'en' in self._styles:
            executable()  # it writes the phonemes
        if 'zh' in self._styles:
            require('pypinyin', 'says how Chinese is spoken')

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that a voice was found for."""
        return tuple(self._styles)

    def synthesize(self, text: str, language: str, speed: float = 1.0) -> np.ndarray:
        """Return float32 samples at `rate`.

        :raises SpeechError: if no voice speaks the language.
        """
        if language not in self._styles:
            raise SpeechError(f'no kokoro voice speaks {language}')
        ids = [_IDS[c] for c in phonemes(text, language) if c in _IDS][:_LONGEST]
        if not ids:
            return np.zeros(0, np.float32)
        style = self._styles[language]
        feed = {
            self._tokens: np.array([[0, *ids, 0]], np.int64),
            'style': style[min(len(ids), len(style) - 1)][None],
            'speed': np.array([speed], np.float32),
        }
        sound: np.ndarray = self._session.run(None, feed)[0]
        return sound.ravel().astype(np.float32)


def phonemes(text: str, language: str) -> str:
    """Return the model's symbols for a text."""
    if language == 'zh':
        return _chinese(text)
    spoken = ipa(text, 'en-us')
    for theirs, ours in _ENGLISH:
        spoken = spoken.replace(theirs, ours)
    return spoken


def _chinese(text: str) -> str:
    pypinyin = require('pypinyin', 'says how Chinese is spoken')
    style = pypinyin.Style.TONE3
    parts = pypinyin.lazy_pinyin(
        text.translate(_PAUSES), style=style, neutral_tone_with_five=True, v_to_u=False
    )
    spoken = []
    for part in parts:
        known = part[:-1].isalpha() and part[-1:].isdigit()
        spoken.append(_syllable(part) if known else ''.join(c for c in part if c in _IDS))
    return ''.join(spoken)


@functools.lru_cache(2048)
def _syllable(pinyin: str) -> str:
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    plain, tone = pinyin[:-1], _TONES.get(pinyin[-1], '')
    initial, final = to_initials(plain, strict=True), to_finals(plain, strict=True)
    if final == 'i' and initial in _APICAL:
        sound = 'ɨ0'
    else:
        sound = _FINALS.get(final.replace('ü', 'v'), '')
    return _INITIALS.get(initial, '') + sound.replace('0', tone)
