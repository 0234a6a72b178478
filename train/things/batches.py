"""Batches of views of scanned things and of painted tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kimi_train.examples import TensorDataclass
from kimi_train.nano.batches import (
    BatchBuilder,
    PatchLabels,
    Questions,
    attention_targets,
    pack_questions,
)
from kimi_train.things.labels import Classes, ClassLabels
from kimi_train.things.views import Picture, augmented_view


@dataclass
class MixedBatch(TensorDataclass):
    """Images (n, S, S, 3) uint8 with their labels, and questions unless only the encoder learns."""

    frames: Tensor
    labels: PatchLabels
    classes: ClassLabels
    questions: Questions | None


class MixedBatches:
    """Draws pictures and tables, augments them, asks about them; the same for the same step.

    :param pictures: the scanned things' pictures.
    :param tables: the painted tables, and who asks about them.
    :param writer: who asks about scanned things; None where only the encoder learns.
    :param camera: what a cheap camera does, `(rgb, rng) -> rgb`.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        tables: BatchBuilder,
        classes: Classes,
        writer,
        camera: Callable,
        sizes: tuple[int, int],
        seed: int,
    ):
        self.pictures, self.tables, self.classes = pictures, tables, classes
        self.writer, self.camera, self.seed = writer, camera, seed
        self.crop_size, self.patch_size = sizes

    def batch(
        self, step: int, pictures: int, tables: int, short: int = 0, long: int = 0
    ) -> MixedBatch:
        """Return a step's batch of so many images of both worlds, and questions for each."""
        rng = np.random.default_rng((self.seed, step))
        frames, labels, classes, targets, questions = [], [], [], [], []
        for _ in range(pictures):
            view = self._view(rng)
            own, of_class = self.classes.of_view(view)
            frames.append(view.rgb)
            labels.append(own)
            classes.append(of_class)
            if short + long:
                targets.append(attention_targets(view.owners, view.objects))
                questions.append(
                    [self.writer.short(view, rng) for _ in range(short)]
                    + [self.writer.long(view, rng) for _ in range(long)]
                )
        for _ in range(tables):
            frame, owners, scene = self.tables.draw(rng)
            own, of_class = self.classes.of_table(owners, scene)
            frames.append(frame)
            labels.append(own)
            classes.append(of_class)
            if short + long:
                targets.append(attention_targets(owners, scene))
                questions.append(self.tables.ask(scene, rng, short, long))
        return MixedBatch(
            torch.from_numpy(np.stack(frames)),
            PatchLabels(*_stacked(labels)),
            ClassLabels(*_stacked(classes)),
            pack_questions(questions, targets) if questions else None,
        )

    def _view(self, rng):
        index, other = rng.integers(len(self.pictures), size=2)
        return augmented_view(
            self.pictures[int(index)],
            lambda: self.pictures[int(other)],
            rng,
            self.camera,
            self.crop_size,
            self.patch_size,
        )


def _stacked(rows: Sequence[tuple]) -> list[Tensor]:
    return [torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)]
