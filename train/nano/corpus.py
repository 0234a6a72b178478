"""The text that nano's tokenizer is trained on: questions and answers about many scenes."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

from kimi_ros.vlm.config import ModelConfig
from kimi_train.nano.architecture import config_with
from kimi_train.nano.questions import QuestionWriter
from kimi_train.nano.scenes import SceneSet

SHORT, LONG = 12, 12  # questions about each scene


class _RecordingTokenizer:
    """A stand-in for the tokenizer that records the texts it is given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, text: str) -> SimpleNamespace:
        """Keep a text; what it becomes does not matter."""
        self.texts.append(text)
        return SimpleNamespace(ids=[1])


def corpus(scenes: SceneSet, rng: np.random.Generator, most: int = 2500) -> Iterator[str]:
    """Yield what is asked and answered about the first scenes."""
    recorder = _RecordingTokenizer()
    config = ModelConfig.from_dict(config_with(recorder))
    yield from recorder.texts  # the templates' words
    recorder.texts.clear()
    writer = QuestionWriter(config, recorder)
    for index in range(min(most, len(scenes))):
        scene = scenes.objects(index)
        for _ in range(SHORT):
            writer.short(scene, rng)
        for _ in range(LONG):
            writer.long(scene, rng)
        yield from recorder.texts
        recorder.texts.clear()
