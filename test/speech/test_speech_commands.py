"""`kimi models`, and what `kimi eval speech` is made of."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('soxr', reason='the extra "speech" is not installed: make setup')

from kimi_ros.cli.main import main  # noqa: E402
from kimi_ros.eval import speech  # noqa: E402
from kimi_ros.speech.audio import level  # noqa: E402


class Tone:
    name, rate, languages = 'tone', 16_000, ('en', 'zh')
    made = 0

    def synthesize(self, text, language, speed=1.0):
        Tone.made += 1
        return np.sin(np.arange(16_000) / 5).astype(np.float32) * 0.3


def test_models_lists_and_checks(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('KIMI_MODELS', str(tmp_path))
    assert main(['models']) == 0
    assert 'no recogniser: speech is recognised by pocketsphinx' in capsys.readouterr().out
    folder = tmp_path / 'whisper-base'
    folder.mkdir()
    (folder / 'model.bin').write_bytes(b'0' * 2_000_000)
    for name in ('config.json', 'tokenizer.json', 'vocabulary.json'):
        (folder / name).write_text(json.dumps({}))
    assert main(['models']) == 0
    out = capsys.readouterr().out
    assert 'whisper-base: speech to text, whisper' in out and 'Where models come from' in out
    assert main(['models', str(folder)]) == 0
    (tmp_path / 'kokoro' / 'voices').mkdir(parents=True)
    for name in ('model.onnx', 'voices/af_heart.bin'):
        (tmp_path / 'kokoro' / name).touch()
    assert main(['models', str(tmp_path / 'kokoro')]) == 0
    assert 'voices, kokoro' in capsys.readouterr().out
    (folder / 'tokenizer.json').unlink()
    assert main(['models']) == 0
    assert 'whisper-base: not usable' in capsys.readouterr().out
    assert main(['models', str(folder)]) == 1
    assert 'tokenizer.json' in capsys.readouterr().err


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_forty_commands_take_turns_through_all_conditions(language):
    cases = speech.command_cases(language)
    assert len(cases) == 40 and len({c.text for c in cases}) == 40
    assert len({(c.voice, c.speed, c.condition) for c in cases}) == 27
    assert len(speech.command_cases(language, 90)) == 90


def test_eighty_other_sounds():
    cases = speech.unrelated_cases(('en', 'zh'))
    assert len(cases) == 80 and not any(c.skill for c in cases)
    kinds = [c.language for c in cases if not c.text]
    assert (kinds.count('music'), kinds.count('noise')) == (15, 20)


def test_noise_is_15_db_below_and_speech_is_made_once(tmp_path):
    maker = speech.SoundMaker(lambda language, number: Tone(), tmp_path)
    case = speech.command_cases('en')[0]
    Tone.made = 0
    quiet = maker.sound(case)
    noisy = maker.sound(replace(case, condition='noise'))
    assert Tone.made == 1 and np.array_equal(quiet, maker.sound(case))
    assert abs(level(quiet).rms - level(noisy - quiet).rms - 15) < 0.5
    echo = maker.sound(replace(case, condition='room'))
    end = slice(int(16_000 * 1.35), int(16_000 * 1.5))  # after the tone
    assert level(echo[end]).rms > level(quiet[end]).rms + 15
    for other in speech.unrelated_cases(()):
        sound = maker.sound(other)
        assert sound.dtype == np.float32 and np.abs(sound).max() <= 1.0 and level(sound).rms > -60


@pytest.mark.parametrize(
    'heard, meant, same',
    [
        ('pick up the red cup', 'Pick up the red cup.', True),
        ('pick up red cup', 'Please pick up the red cup.', True),
        ('pick up the red car', 'Pick up the red cup.', False),
        ('拿起红色的杯子', '拿起红色的杯子。', True),
        ('拿起红色的碗', '拿起红色的杯子。', False),
    ],
)
def test_a_person_confirms_their_own_words_only(heard, meant, same):
    assert speech.same_request(heard, meant) is same


def test_figures():
    case, other = speech.command_cases('en')[0], speech.unrelated_cases(('en',))[0]
    results = [speech.Result(case, i < 3, i == 0, 'x', 1.0) for i in range(4)]
    results += [speech.Result(other, i > 0, False, 'y') for i in range(5)]
    figures = speech.summary(results)
    assert (figures['accuracy'], figures['accuracy_en'], figures['read_back_en']) == (
        0.75,
        0.75,
        0.25,
    )
    assert (figures['false_accepts'], figures['others']) == (1, 5)
    assert len(list(speech.failures(results))) == 2
