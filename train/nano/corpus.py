"""The sentences a tokenizer is made from: every kind of question and answer about many scenes."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

from kimi_ros.vlm.config import ModelConfig
from kimi_train.nano.architecture import config_with
from kimi_train.nano.questions import QuestionWriter
from kimi_train.nano.scenes import SceneSet

SHORT, LONG = 12, 12  # questions about each scene


class _Listener:
    """Stands where a tokenizer will, and keeps the texts that it is given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, text: str) -> SimpleNamespace:
        """Keep a text; what it becomes does not matter."""
        self.texts.append(text)
        return SimpleNamespace(ids=[1])


def corpus(scenes: SceneSet, rng: np.random.Generator, most: int = 2500) -> Iterator[str]:
    """Yield what is asked and answered about the first scenes."""
    listener = _Listener()
    config = ModelConfig.from_dict(config_with(listener))
    yield from listener.texts  # the templates' words
    listener.texts.clear()
    writer = QuestionWriter(config, listener)
    for index in range(min(most, len(scenes))):
        scene = scenes.objects(index)
        for _ in range(SHORT):
            writer.short(scene, rng)
        for _ in range(LONG):
            writer.long(scene, rng)
        yield from listener.texts
        listener.texts.clear()
