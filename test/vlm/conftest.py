"""A model over the fake engine, with the golden checkpoint's config and tokenizer."""

import json

import numpy as np
import pytest

from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.fake import FakeEngine
from kimi_ros.vlm.tokenizer import TextTokenizer


@pytest.fixture(scope='session')
def config(golden_checkpoint):
    return ModelConfig.from_dict(json.loads((golden_checkpoint / 'config.json').read_text()))


@pytest.fixture(scope='session')
def tokenizer(golden_checkpoint):
    return TextTokenizer.from_file(golden_checkpoint / 'tokenizer.json')


@pytest.fixture
def model_saying(config, tokenizer):
    """Make a model that follows a script: a text, or ids and `ScriptedOutput` entries."""

    def make(script=(), *, tasks=('query', 'caption', 'point', 'detect'), delay=0.0, config=config):
        if isinstance(script, str):
            script = tokenizer.encode(script)
        engine = FakeEngine(config, script, delay)
        return VisionLanguageModel(engine, tokenizer, name='fake', tasks=tasks), engine

    return make


@pytest.fixture
def rgb():
    return np.random.default_rng(3).integers(0, 256, (60, 80, 3), np.uint8)
