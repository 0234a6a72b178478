"""Voices: espeak-ng in both languages, kokoro's symbols, what is missing is said."""

import numpy as np
import pytest

from kimi_ros.speech import espeak
from kimi_ros.speech.audio import level
from kimi_ros.speech.errors import SpeechError, SpeechModelError
from kimi_ros.speech.kokoro import phonemes
from kimi_ros.speech.recognizer import load_recognizer
from kimi_ros.speech.voices import load_voice


def test_espeak_speaks_both_languages(speak):
    voice = load_voice()
    english = voice.synthesize('Pick up the red cup.', 'en')
    chinese = voice.synthesize('拿起红色的杯子。', 'zh')
    for sound in (english, chinese):
        assert 0.8 < len(sound) / voice.rate < 3.0 and level(sound).rms > -40
    # Tones spelt out as numbers, as one version's usual voice does, take twice as long.
    assert len(voice.synthesize('拿起红色的杯子。', 'zh', 2.0)) < len(chinese)
    assert len(chinese) / voice.rate < 2.6


def test_text_is_data_for_espeak(speak):
    voice = load_voice()
    assert len(voice.synthesize('--version', 'en')) > 0.5 * voice.rate


def test_missing_espeak_says_what_to_type(monkeypatch):
    espeak.executable.cache_clear()
    monkeypatch.setenv('PATH', '')
    with pytest.raises(SpeechError, match='apt-get install espeak-ng'):
        load_voice()
    espeak.executable.cache_clear()


def test_folder_without_a_voice(tmp_path):
    with pytest.raises(SpeechModelError, match='there is no folder'):
        load_voice(str(tmp_path / 'absent'))
    with pytest.raises(SpeechModelError, match='kokoro'):
        load_voice(str(tmp_path))


@pytest.mark.parametrize(
    'text, symbols', [('杯子', 'pei→ʦɨ'), ('绿色', 'ly↘sɤ↘'), ('书，刀', 'ʂu→,tau→'), ('是', 'ʂɨ↘')]
)
def test_mandarin_is_written_as_kokoro_was_taught(text, symbols):
    pytest.importorskip('pypinyin', reason='the extra "speech" is not installed: make setup')
    assert phonemes(text, 'zh').replace(' ', '') == symbols


def test_piper_reads_a_voice_folder(tmp_path, speak):
    """A made-up voice whose sound is as long as its input: the folder format is piper's."""
    import json

    import onnx
    from onnx import TensorProto, helper

    given = [
        helper.make_tensor_value_info('input', TensorProto.INT64, [1, 'n']),
        helper.make_tensor_value_info('input_lengths', TensorProto.INT64, [1]),
        helper.make_tensor_value_info('scales', TensorProto.FLOAT, [3]),
    ]
    made = helper.make_tensor_value_info('output', TensorProto.FLOAT, [1, 'n'])
    cast = helper.make_node('Cast', ['input'], ['output'], to=TensorProto.FLOAT)
    graph = helper.make_graph([cast], 'voice', given, [made])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)
    onnx.save(model, tmp_path / 'tom.onnx')
    ids = {c: [i] for i, c in enumerate('_^$ ˈkʌp')}
    about = {'audio': {'sample_rate': 16_000}, 'espeak': {'voice': 'en-us'}, 'phoneme_id_map': ids}
    (tmp_path / 'tom.onnx.json').write_text(json.dumps(about))
    voice = load_voice(str(tmp_path))
    sound = voice.synthesize('cup', 'en')
    assert sound.tolist() == [1, 0, 5, 0, 4, 0, 6, 0, 7, 0, 2]
    assert set(voice.languages) == {'en', 'zh'} and voice.rate == 16_000
    assert np.abs(voice.synthesize('停', 'zh')).max() > 0 and voice.rate == 22_050
    with pytest.raises(SpeechError, match='a voice .piper., which speaks'):
        load_recognizer('auto', str(tmp_path))
    (tmp_path / 'tom.onnx').write_bytes(b'version https://git-lfs')
    with pytest.raises(SpeechModelError, match='tom.onnx cannot be loaded'):
        load_voice(str(tmp_path))
    about['espeak'] = {'voice': 'de'}
    for text, fault in (
        (json.dumps(about), 'speaks de'),
        ('{}', 'does not describe'),
        ('[', 'JSON'),
    ):
        (tmp_path / 'tom.onnx.json').write_text(text)
        with pytest.raises(SpeechModelError, match=fault):
            load_voice(str(tmp_path))
