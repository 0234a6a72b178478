"""The voice of espeak-ng, in English and Chinese."""

from __future__ import annotations

import functools
import io
import shutil
import subprocess
import wave

import numpy as np

from kimi_ros.speech.errors import SpeechError

_TIMEOUT = 20.0  # seconds, for one sentence
_SPEED = 165  # words a minute at speed 1
# Version 1.51, of Debian 12, spells out tones as English numbers with the voice 'cmn'; this one is
# right in every version, and reads Chinese characters, too.
_VOICES = {'en': 'en-us', 'zh': 'cmn-latn-pinyin'}


@functools.lru_cache(1)
def executable() -> str:
    """Return the path of espeak-ng.

    :raises SpeechError: if it is not installed.
    """
    path = shutil.which('espeak-ng')
    if path is None:
        executable.cache_clear()
        raise SpeechError('espeak-ng speaks and is not installed: sudo apt-get install espeak-ng')
    return path


def ipa(text: str, voice: str) -> str:
    """Return the phonemes that one of espeak-ng's voices would speak.

    :raises SpeechError: if espeak-ng is not installed, or fails.
    """
    command = [executable(), '-q', '--ipa', '-v', voice, '--', text]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise SpeechError(f'espeak-ng failed: {error}') from error
    return ' '.join(done.stdout.split())


class EspeakVoice:
    """See Voice."""

    name = 'espeak-ng'
    rate = 22_050

    def __init__(self, voices: dict[str, str] | None = None):
        """Check that it is installed.

        :param voices: espeak-ng's voice by language: 'en-gb+f2'.
        :raises SpeechError: if espeak-ng is not installed.
        """
        self._executable = executable()
        self._voices = {**_VOICES, **{k: v for k, v in (voices or {}).items() if v}}

    @property
    def languages(self) -> tuple[str, ...]:
        """What it speaks."""
        return tuple(self._voices)

    def synthesize(self, text: str, language: str, speed: float = 1.0) -> np.ndarray:
        """Return float32 samples at `rate`.

        :raises SpeechError: if espeak-ng fails.
        """
        voice = self._voices.get(language, self._voices['en'])
        command = [self._executable, '-v', voice, '-s', str(round(_SPEED * speed))]
        command += ['--stdout', '--stdin']
        try:
            done = subprocess.run(
                command, input=text.encode(), capture_output=True, timeout=_TIMEOUT, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SpeechError(f'espeak-ng failed: {error}') from error
        if done.returncode or len(done.stdout) < 44:
            raise SpeechError(f'espeak-ng failed: {done.stderr.decode(errors="replace").strip()}')
        # Written to a pipe, the header holds no length.
        with wave.open(io.BytesIO(done.stdout)) as file:
            self.rate = file.getframerate()
        samples = np.frombuffer(done.stdout[44 : len(done.stdout) // 2 * 2], '<i2')
        return samples.astype(np.float32) / 32_768
