"""Sound as arrays: rates, channels, levels, files."""

import wave

import numpy as np
import pytest

from kimi_ros.speech.audio import Converter, level, normalized, read_wav, to_pcm, write_wav
from kimi_ros.speech.errors import SoundError

pytest.importorskip('soxr', reason='the extra "speech" is not installed: make setup')


def tone(rate, seconds=1.0, frequency=440.0, gain=0.5):
    return (gain * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)).astype(
        np.float32
    )


@pytest.mark.parametrize('rate', [8000, 16000, 44100, 48000])
def test_any_rate_becomes_16_khz_with_the_same_tone(rate):
    converter = Converter(rate)
    blocks = np.array_split(tone(rate), 10)
    pieces = [converter.convert(b, last=i == 9) for i, b in enumerate(blocks)]
    sound = np.concatenate(pieces)
    assert abs(len(sound) - 16_000) <= 2
    peak = np.argmax(np.abs(np.fft.rfft(sound))) * 16_000 / len(sound)
    assert abs(peak - 440) < 2
    assert abs(level(sound[2000:-2000]).peak - 0.5) < 0.02


def test_channels_are_mixed_and_int16_is_scaled():
    stereo = np.stack([np.full(100, 16_384, np.int16), np.zeros(100, np.int16)], axis=1)
    assert np.allclose(Converter(16_000, 2).convert(stereo.ravel()), 0.25)


@pytest.mark.parametrize('rate, channels', [(4000, 1), (500_000, 1), (16_000, 0)])
def test_impossible_formats_are_errors(rate, channels):
    with pytest.raises(SoundError, match='8000 to 192000'):
        Converter(rate, channels)


def test_level_and_clipping():
    assert level(np.zeros(0, np.float32)).rms == level(np.zeros(100, np.float32)).rms == -120
    assert abs(level(tone(16_000)).rms - -9.03) < 0.05
    loud = np.clip(tone(16_000, gain=2.0), -1, 1)
    assert level(loud).clipped > 0.5 > level(tone(16_000)).clipped


def test_quiet_sound_is_amplified_and_never_clipped():
    quiet = tone(16_000, gain=0.02)
    assert abs(level(normalized(quiet)).rms - -22) < 0.1
    spiky = quiet.copy()
    spiky[5000] = 0.9
    assert level(normalized(spiky)).peak <= 1.0
    assert level(normalized(tone(16_000, gain=1e-4))).rms < -60  # noise is not made loud


def test_wav_files_are_read_back(tmp_path):
    write_wav(tmp_path / 'a.wav', tone(44_100), 44_100)
    sound = read_wav(tmp_path / 'a.wav')
    assert abs(len(sound) - 16_000) <= 2 and abs(level(sound).rms - -9.03) < 0.2


def test_files_that_cannot_be_read_say_why(tmp_path):
    (tmp_path / 'no.wav').write_bytes(b'RIFF nothing')
    with pytest.raises(SoundError, match=r'no\.wav'):
        read_wav(tmp_path / 'no.wav')
    with pytest.raises(SoundError, match='absent'):
        read_wav(tmp_path / 'absent.wav')
    with wave.open(str(tmp_path / '8bit.wav'), 'wb') as file:
        file.setnchannels(1), file.setsampwidth(1), file.setframerate(8000)
        file.writeframes(b'\x80' * 100)
    with pytest.raises(SoundError, match='16-bit PCM'):
        read_wav(tmp_path / '8bit.wav')


def test_pcm_saturates():
    assert to_pcm(np.array([2.0, -2.0, 0.0])).tolist() == [32_767, -32_768, 0]
