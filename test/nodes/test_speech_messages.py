"""Sound and plans between messages and what the package speech knows."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')
pytest.importorskip('soxr', reason='the extra "speech" is not installed: make setup')

from kimi_msgs.msg import Audio  # noqa: E402
from kimi_ros.nodes.speech_messages import (  # noqa: E402
    AudioReader,
    audio_message,
    common_audio_message,
)
from kimi_ros.nodes.speech_parameters import SPEECH_PARAMETERS, validation_error  # noqa: E402
from kimi_ros.resources import share  # noqa: E402
from kimi_ros.speech.errors import SoundError  # noqa: E402

RAMP = np.linspace(-0.5, 0.5, 1600, dtype=np.float32)


def test_sound_survives_a_message():
    assert np.abs(AudioReader().read(audio_message(RAMP, 16_000)) - RAMP).max() < 1e-4


def test_rate_and_channels_may_change_between_messages():
    reader = AudioReader()
    stereo = Audio(sample_rate=16_000, channels=2)
    stereo.data = audio_message(np.repeat(RAMP, 2), 16_000).data
    assert len(reader.read(stereo)) == 1600
    assert len(reader.read(audio_message(RAMP, 16_000))) == 1600
    with pytest.raises(SoundError, match='8000 to 192000'):
        reader.read(audio_message(RAMP, 100))
    odd = Audio(sample_rate=16_000, channels=2)
    odd.data = audio_message(RAMP[:3], 16_000).data
    assert len(reader.read(odd)) == 1


def test_both_packages_of_common_audio_are_read():
    pcm = audio_message(RAMP, 16_000).data
    raw = SimpleNamespace(data=pcm.tobytes())
    assert common_audio_message(raw).data == pcm
    info = SimpleNamespace(rate=48_000, channels=2)
    data = SimpleNamespace(int16_data=list(pcm), float32_data=[])
    audio = SimpleNamespace(info=info, audio_data=data)
    read = common_audio_message(SimpleNamespace(header=Audio().header, audio=audio))
    assert read.data == pcm and (read.sample_rate, read.channels) == (48_000, 2)
    data.int16_data = []
    with pytest.raises(SoundError, match='int16 and float32'):
        common_audio_message(SimpleNamespace(header=Audio().header, audio=audio))


def test_parameter_file_names_every_parameter_with_its_default():
    import yaml

    values = yaml.safe_load(share('config/speech.yaml').read_text(encoding='utf-8'))
    values = values['/**/speech']['ros__parameters']
    assert values == {spec.name: spec.default for spec in SPEECH_PARAMETERS}
    assert not validation_error(values)


@pytest.mark.parametrize(
    'change, words',
    [
        ({'recognizer': 'magic'}, 'recognizer must be one of'),
        ({'source': 'radio'}, "source must be 'microphone'"),
        ({'trigger': 'wake_word', 'wake_words': ['']}, 'needs wake_words'),
        ({'reject': 0.9}, 'reject must not be above accept'),
    ],
)
def test_invalid_parameters_say_why(change, words):
    values = {spec.name: spec.default for spec in SPEECH_PARAMETERS}
    assert words in validation_error(values | change)
