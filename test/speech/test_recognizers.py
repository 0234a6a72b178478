"""Recognition of real (synthesised) sound, and what folders must hold."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from kimi_ros.eval.speech import SoundMaker, SpokenCase
from kimi_ros.speech.errors import SpeechError, SpeechModelError
from kimi_ros.speech.grammar import command_grammar
from kimi_ros.speech.matching import match
from kimi_ros.speech.models import find_model, inspect_model
from kimi_ros.speech.recognizer import load_recognizer
from kimi_ros.speech.vocabulary import Vocabulary


@pytest.fixture(scope='module')
def sphinx():
    pytest.importorskip('pocketsphinx', reason='the extra "speech" is not installed: make setup')
    return load_recognizer('sphinx')


@pytest.fixture
def espeak_sounds(speak):
    from kimi_ros.speech.espeak import EspeakVoice

    return SoundMaker(lambda language, number: EspeakVoice({language: 'en-us+m5'}))


@pytest.mark.parametrize(
    'text, least', [('pick up the red cup', 0.55), ('stop', 0.2), ('yes', 0.2), ('no', 0.2)]
)
def test_sphinx_hears_commands(sphinx, vocabulary, speak, text, least):
    heard = sphinx.recognize(speak(text), vocabulary)
    assert heard.text == text and heard.language == 'en' and heard.confidence >= least


@pytest.mark.parametrize('condition', ['noise', 'room'])
def test_sphinx_hears_stop_where_longer_commands_crowd_it_out(
    sphinx, vocabulary, espeak_sounds, condition
):
    case = SpokenCase('Stop.', 'en', 'stop', condition=condition)
    assert sphinx.recognize(espeak_sounds.sound(case), vocabulary).text == 'stop'


@pytest.mark.parametrize('text', ['My brother lives in another town.', 'I had soup for lunch.'])
def test_sphinx_rejects_what_is_no_command(sphinx, vocabulary, speak, text):
    assert sphinx.recognize(speak(text), vocabulary).confidence < 0.2


@pytest.mark.parametrize('text', ['guide me to the red cup', 'what is on my left'])
def test_sphinx_hears_requests_for_guidance_where_they_are_expected(
    sphinx, vocabulary, speak, text
):
    heard = sphinx.recognize(speak(text), replace(vocabulary, assists=True))
    assert heard.text == text and heard.confidence > 0.5
    assert sphinx.recognize(speak(text), vocabulary).text != text


def test_sphinx_rejects_noise(sphinx, vocabulary):
    noise = np.random.default_rng(0).normal(0, 0.05, 24_000).astype(np.float32)
    assert sphinx.recognize(noise, vocabulary).confidence < 0.2


def test_sphinx_is_english_and_says_so():
    pytest.importorskip('pocketsphinx', reason='the extra "speech" is not installed: make setup')
    with pytest.raises(SpeechError, match='does not understand zh'):
        load_recognizer('sphinx', language='zh')


def test_things_seen_become_part_of_the_grammar(vocabulary):
    known = {'cup', 'mug', 'pick', 'up', 'stapler', 'red'}
    assert 'stapler' not in command_grammar(vocabulary, known)
    more = vocabulary.with_things(['stapler', '订书机'])
    assert 'stapler' in command_grammar(more, known)
    assert more.with_things(['stapler']) is more
    seen = command_grammar(vocabulary.with_things(['red cup', 'red stapler']), known)
    # It is red, or blue: not blue and red. What was seen is likelier than what was not.
    assert '(red cup | red stapler)' in seen and '/5/ stapler' in seen and '/1/ mug' in seen
    assert '/5/ red cup' not in seen and '/5/ cup' in seen
    assert 'xyzzy' not in command_grammar(vocabulary.with_things(['xyzzy']), known)


@pytest.mark.parametrize('text', ['pick up the red cup', 'where is the green book'])
def test_whisper_hears_english(whisper_folder, vocabulary, speak, text):
    heard = load_recognizer('whisper', str(whisper_folder)).recognize(speak(text), vocabulary)
    assert match(heard.text, vocabulary).text.replace('the ', '') == text.replace('the ', '')
    assert heard.language == 'en' and heard.confidence > 0.3


def test_homophones_become_the_words_that_are_meant(vocabulary):
    pytest.importorskip('pypinyin', reason='the extra "speech" is not installed: make setup')
    found = match('拿起红色的被子。', vocabulary)
    assert found.text == '拿起红色的杯子' and found.known and not found.corrected
    assert found.complete  # so that Whisper prefers it to a hypothesis of other words
    assert not match('拿起红色的节目', vocabulary).complete
    nearly = match('把香焦放到篮色的万里', vocabulary)
    assert nearly.text.startswith('把香蕉放到蓝色的')
    assert match('今天天气很好', vocabulary).text == '今天天气很好'


def test_skills_of_ones_own_are_spoken_in_both_languages():
    pytest.importorskip('pypinyin', reason='the extra "speech" is not installed: make setup')
    arguments = [SimpleNamespace(type='object')]
    names = ('water_plants', 'turn_on_light', 'polish_shoes')
    vocabulary = Vocabulary.of([SimpleNamespace(name=n, arguments=arguments) for n in names])
    for said in ('water the fern', '给植物浇水', 'turn on the lamp', '将台灯打开', 'polish shoes'):
        assert match(said, vocabulary).addressed, said
    assert not match('给爷爷打个电话吧', vocabulary).addressed


def test_folders_are_checked(tmp_path):
    whisper = tmp_path / 'whisper'
    whisper.mkdir()
    with pytest.raises(SpeechModelError, match='no speech model'):
        inspect_model(whisper)
    (whisper / 'model.bin').write_bytes(b'0' * 2_000_000)
    with pytest.raises(SpeechModelError, match='config.json'):
        inspect_model(whisper)
    for name in ('config.json', 'tokenizer.json', 'vocabulary.json'):
        (whisper / name).write_text(json.dumps({}))
    assert inspect_model(whisper).engine == 'whisper'
    (whisper / 'model.bin').write_bytes(b'version https://git-lfs')
    with pytest.raises(SpeechModelError, match='cut short'):
        inspect_model(whisper)


def test_sherpa_folders_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setenv('KIMI_MODELS', str(tmp_path))
    assert find_model() is None
    folder = tmp_path / 'zipformer'
    folder.mkdir()
    (folder / 'encoder-epoch-99.int8.onnx').touch()
    with pytest.raises(SpeechModelError, match='tokens.txt'):
        inspect_model(folder)
    (folder / 'tokens.txt').touch()
    with pytest.raises(SpeechModelError, match='there is encoder'):
        inspect_model(folder)
    for part in ('decoder', 'joiner'):
        (folder / f'{part}-epoch-99.onnx').touch()
    assert inspect_model(folder).kind == 'transducer' and find_model() == folder
    with pytest.raises(SpeechError, match='model for sherpa, not for whisper'):
        load_recognizer('whisper', str(folder))


def test_missing_models_and_engines_are_clear(tmp_path, monkeypatch):
    monkeypatch.setenv('KIMI_MODELS', str(tmp_path))
    with pytest.raises(SpeechError, match='kimi models'):
        load_recognizer('whisper')
    with pytest.raises(SpeechError, match='none of'):
        load_recognizer('magic')
    with pytest.raises(SpeechModelError, match='there is no folder'):
        load_recognizer('auto', str(tmp_path / 'absent'))
