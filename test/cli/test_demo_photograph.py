"""The end of the demo: a real photograph for models that know such things, else a hint."""

import contextlib
from types import SimpleNamespace

import pytest
from PIL import Image
from rich.console import Console
from tokenizers import Tokenizer

from kimi_ros.agent import GroundedObject, Plan, Status
from kimi_ros.cli.demo import _show_photograph
from kimi_ros.eval.demo_photograph import FOLDER, photograph_tasks
from kimi_ros.eval.user_data import read_user_data
from kimi_ros.resources import share
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.tokenizer import TextTokenizer
from kimi_train.things.vocabulary import with_names


def model(*, taught, languages=('en', 'zh')):
    """A model to which words are tokens if they were taught, else bytes."""

    def encode(text):
        return text.split() or list(text) if taught else text.encode()

    tokenizer = SimpleNamespace(encode=encode)
    return contextlib.nullcontext(SimpleNamespace(tokenizer=tokenizer, languages=languages))


def test_the_photograph_is_small_licensed_and_labelled():
    assert (FOLDER / 'panda_table.jpg').stat().st_size < 500_000
    assert 'MIT License' in (FOLDER / 'LICENSE').read_text()
    for language in ('en', 'zh'):
        lines = read_user_data(FOLDER, 'photos', language)
        assert sum(line.box is not None for line in lines) == 5 and len(lines) == 10
    with Image.open(FOLDER / 'panda_table.jpg') as image:
        assert image.size == (980, 735)


def test_training_on_scanned_things_makes_the_names_known():
    tokenizer = Tokenizer.from_file(str(share('models/nano/tokenizer.json')))
    names = ['mustard bottle', 'hammer', '芥末瓶', '锤子']
    text = TextTokenizer(with_names(tokenizer, names).to_str())
    vlm = SimpleNamespace(tokenizer=text, languages=('en', 'zh'))
    assert [task.language for task in photograph_tasks(vlm)] == ['en', 'zh']


def test_a_model_is_asked_in_its_languages():
    with model(taught=True, languages=('en',)) as vlm:
        assert [task.language for task in photograph_tasks(vlm)] == ['en']


@pytest.mark.parametrize('right', [True, False])
def test_the_photograph_is_asked_about_and_judged(tmp_path, monkeypatch, capsys, right):
    class Agent:
        def __init__(self, *_):
            pass

        def run(self, frame, instruction, language):
            assert frame.rgb.shape == (735, 980, 3)
            at = {'en': (480, 300), 'zh': (455, 450)}[language] if right else (5.0, 5.0)
            seen = GroundedObject('o1', 'it', 0.9, True, at, None)
            return Plan('1', instruction, language, Status.ANSWER, 'here', objects=(seen,))

    monkeypatch.setattr('kimi_ros.agent.Agent', Agent)
    monkeypatch.setattr(VisionLanguageModel, 'load', lambda name: model(taught=True))
    _show_photograph(Console(soft_wrap=True), 'nano', tmp_path)
    said = capsys.readouterr().out
    assert said.count('You:') == 2 and '找到锤子' in said and 'kimi watch 0' in said
    assert said.count('right: on the') == (2 if right else 0)
    assert said.count('WRONG: not one point on the') == (0 if right else 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['photograph_en.jpg', 'photograph_zh.jpg']


def test_a_model_that_was_not_taught_the_things_shows_how_to_try_own_pictures(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(VisionLanguageModel, 'load', lambda name: model(taught=False))
    _show_photograph(Console(soft_wrap=True), 'nano', tmp_path)
    said = capsys.readouterr().out
    assert 'You:' not in said and not list(tmp_path.iterdir())
    assert 'kimi ask PICTURE' in said.strip() and said.count('\n') == 2
