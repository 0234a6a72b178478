"""The voices of `kimi eval speech`: three for each language, of espeak-ng or of a kokoro folder."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from kimi_ros.speech.espeak import EspeakVoice
from kimi_ros.speech.kokoro import KokoroVoice
from kimi_ros.speech.voices import Voice

_ESPEAK = {
    'en': ('en-us', 'en-gb+f2', 'en-gb-x-rp+m3'),
    'zh': ('cmn-latn-pinyin', 'cmn-latn-pinyin+f2', 'cmn-latn-pinyin+m3'),
}
_KOKORO_ZH = ('zf_xiaobei', 'zm_yunxi', 'zf_xiaoxiao')


def voices(kokoro: Path | None = None) -> Callable[[str, int], Voice]:
    """Return a function from language and number, 0 to 2, to a voice.

    :param kokoro: folder of a kokoro model for the Chinese voices; None for espeak-ng. The
        function raises SpeechError where it is none, or espeak-ng is not installed.
    """

    @functools.lru_cache(8)
    def voice(language: str, number: int) -> Voice:
        if kokoro is not None and language == 'zh':
            return KokoroVoice(kokoro, {language: _KOKORO_ZH[number]})
        return EspeakVoice({language: _ESPEAK[language][number]})

    return voice
