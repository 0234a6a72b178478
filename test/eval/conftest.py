"""A model that says what it is told, and recorded scenes: no weights, no OpenGL."""

import json
from pathlib import Path

import pytest

from kimi_ros.agent import Frame
from kimi_ros.eval.worlds import World
from kimi_ros.sim import recorded_frames
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.fake import FakeEngine
from kimi_ros.vlm.tokenizer import TextTokenizer

TASKS = ('query', 'caption', 'point', 'detect', 'plan')
NANO = Path(__file__).parents[2] / 'models' / 'nano'


@pytest.fixture
def recorded_worlds(monkeypatch):
    """Let every scene of `kimi eval` be one of the recorded ones."""
    frames = recorded_frames()

    def world(self, seed):
        taken = frames[seed % len(frames)]
        view = taken.frame
        frame = Frame(
            view.rgb,
            depth=view.depth,
            intrinsics=view.intrinsics,
            camera_pose=view.camera_pose,
        )
        return World(seed, frame, view.segmentation, taken.truth)

    monkeypatch.setattr('kimi_ros.eval.worlds.Tables.world', world)


@pytest.fixture
def model_saying(monkeypatch, recorded_worlds):
    """Make `nano` a model that answers everything with the same words, or ids and `Say`s."""
    config = ModelConfig.from_dict(json.loads((NANO / 'config.json').read_text()))
    tokenizer = TextTokenizer.from_file(NANO / 'tokenizer.json')

    def make(script):
        ids = tokenizer.encode(script) if isinstance(script, str) else script
        engine = FakeEngine(config, ids)

        def load(model, *_, **__):
            return VisionLanguageModel(engine, tokenizer, name='fake', tasks=TASKS)

        monkeypatch.setattr(VisionLanguageModel, 'load', load)
        return engine

    return make
