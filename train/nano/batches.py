"""Batches: frames with their patches' labels, and questions padded into tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kimi_ros.sim import COLORS, KINDS
from kimi_train.lessons import IGNORE, Packed, pack
from kimi_train.nano.questions import KINDS_OF_QUESTION, Dialogue, QuestionWriter, things
from kimi_train.nano.scenes import SceneSet

LOOK_BLOCKS = (3, 4)  # find what is named first; then, from there, what is meant
LOOKING, COUNTING = 0, 1  # heads of these blocks
PLACE_FREQUENCIES = (0.5, 1.0, 2.0, 4.0)


@dataclass
class PatchLabels:
    """What each patch shows, (images, patches, ...): the dense labels that teach the encoder to
    see.

    `kind` and `color` count one past the last name for 'nothing'; `center` is a code of the owner's
    centre, `place` of the patch's own (`place_code`), `size` the logarithm of the owner's width and
    height; `is_center` marks the one patch in which an object has its centre.
    """

    kind: Tensor
    color: Tensor
    center: Tensor
    place: Tensor
    size: Tensor
    is_center: Tensor


@dataclass
class Questions(Packed):
    """Packed questions, see `Dialogue`.

    `kind` tells where a question is decided, and which sort it is (an index of
    `KINDS_OF_QUESTION`, else -1). `looks` are, for each image, block, head and position (n, 3), and
    `wanted` the attention over the prefix wanted there (n, 1 + patches).
    """

    kind: Tensor
    asked: Tensor
    looks: list[Tensor]
    wanted: list[Tensor]


@dataclass
class Batch:
    """Normalised crops (n, 3, S, S), their labels, and questions unless only the encoder learns."""

    crops: Tensor
    labels: PatchLabels
    questions: Questions | None


def place_code(xy: np.ndarray) -> np.ndarray:
    """Return cosines and sines of positions (..., 2) in 0-1, at a few low frequencies: (..., 16).

    Linear maps read a coordinate from such a code, and averaging over an object's patches keeps it.
    """
    angles = 2 * math.pi * xy[..., None] * np.array(PLACE_FREQUENCIES, np.float32)
    code = np.concatenate([np.cos(angles), np.sin(angles)], -1)
    return code.reshape(*xy.shape[:-1], -1).astype(np.float32)


class BatchMaker:
    """Draws scenes, alters them, asks about them. The same seed and step give the same batch."""

    def __init__(self, scenes: SceneSet, writer: QuestionWriter | None, images: int, seed: int):
        self.scenes, self.writer, self.images, self.seed = scenes, writer, images, seed

    def batch(self, step: int, short: int = 0, long: int = 0) -> Batch:
        """Return the batch of a step with so many short and long questions for each image."""
        rng = np.random.default_rng((self.seed, step))
        crops, labels, looks, asked = [], [], [], []
        for index in rng.integers(len(self.scenes), size=self.images):
            frame, owners, rows = self._scene(int(index), rng)
            crops.append(alter_colors(frame, rng))
            labels.append(patch_labels(owners, rows))
            looks.append(look_targets(owners, rows))
            scene = things(rows)
            questions = [self.writer.short(scene, rng) for _ in range(short)]
            asked.append(questions + [self.writer.long(scene, rng) for _ in range(long)])
        stacked = PatchLabels(*(torch.from_numpy(np.stack(a)) for a in zip(*labels, strict=True)))
        packed = pack_questions(asked, looks) if short + long else None
        return Batch(torch.from_numpy(np.stack(crops)), stacked, packed)

    def _scene(self, index: int, rng):
        s = self.scenes
        frame, owners, rows = s.frames[index], s.owners[index], np.array(s.objects[index])
        if rng.random() < 0.5:
            frame, owners = frame[:, ::-1], owners[:, ::-1]
            there = rows[:, 0] >= 0
            rows[there, 2], rows[there, 4] = 1 - rows[there, 4], 1 - rows[there, 2]
        return frame, owners, rows


def alter_colors(frame: np.ndarray, rng) -> np.ndarray:
    """Return the frame normalised to (3, S, S), with small random gain, tint, offset and noise."""
    x = frame.astype(np.float32) / 127.5 - 1
    gain = (1 + rng.normal(0, 0.06)) * (1 + rng.normal(0, 0.02, 3))
    x = x * gain.astype(np.float32) + np.float32(rng.normal(0, 0.04))
    x += rng.standard_normal(x.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.03))
    return np.ascontiguousarray(np.clip(x, -1, 1).transpose(2, 0, 1))


def patch_labels(owners: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the fields of `PatchLabels` for one scene."""
    grid = len(owners)
    flat = owners.reshape(-1).astype(int)
    owner = rows[flat]  # -1 takes the last row; masked below
    nothing = flat < 0
    kind = np.where(nothing, len(KINDS), owner[:, 0]).astype(np.int64)
    color = np.where(nothing, len(COLORS), owner[:, 1]).astype(np.int64)
    centers = (owner[:, 2:4] + owner[:, 4:6]) / 2
    sizes = np.log(np.maximum(owner[:, 4:6] - owner[:, 2:4], 1e-3))
    sizes[nothing] = 0
    steps = (np.arange(grid, dtype=np.float32) + 0.5) / grid
    own = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    is_center = np.zeros(grid * grid, np.float32)
    is_center[center_patches(rows, grid)] = 1
    return kind, color, place_code(centers), place_code(own), sizes.astype(np.float32), is_center


def center_patches(rows: np.ndarray, grid: int) -> np.ndarray:
    """Return the index of the patch that holds each object's centre."""
    there = rows[rows[:, 0] >= 0]
    cell = np.clip((there[:, 2:4] + there[:, 4:6]) / 2 * grid, 0, grid - 1).astype(int)
    return cell[:, 1] * grid + cell[:, 0]


def look_targets(owners: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where to look for each object: spread over its patches, and at its centre alone.

    Each is (objects + 1, 1 + patches), over BOS and the patches; the last row is BOS, where a head
    looks when nothing matches.
    """
    flat = owners.reshape(-1)
    centers = center_patches(rows, len(owners))
    spread = np.zeros((len(centers) + 1, 1 + flat.size), np.float32)
    single = np.zeros_like(spread)
    for i, patch in enumerate(centers):
        mine = np.flatnonzero(flat == i)
        spread[i, 1 + (mine if len(mine) else patch)] = 1 / max(len(mine), 1)
        single[i, 1 + patch] = 1
    spread[-1, 0] = single[-1, 0] = 1
    return spread, single


def pack_questions(images: Sequence[Sequence[Dialogue]], looks) -> Questions:
    """Return the dialogues one after the other, padded to the longest image's."""
    packed = pack(images)
    out = Questions(
        **vars(packed),
        kind=torch.full_like(packed.ids, -1),
        asked=torch.full((*packed.ids.shape, 2), IGNORE),
        looks=[],
        wanted=[],
    )
    for b, group in enumerate(images):
        spread, single = looks[b]
        start, rows = 0, []
        for d in group:
            out.kind[b, start + d.decided] = KINDS_OF_QUESTION.index(d.kind)
            if d.asked:
                out.asked[b, start + d.decided] = torch.tensor(d.asked)
            for block in LOOK_BLOCKS:
                for at, seen in d.looks.items():
                    first = d.hops.get(at, seen) if block == LOOK_BLOCKS[0] else seen
                    wanted = spread[first or [-1]].mean(0)
                    rows.append((block, LOOKING, start + at, wanted))
                for at, seen in d.counts.items():
                    rows.append((block, COUNTING, start + at, single[[*seen, -1]].mean(0)))
            start += len(d.ids)
        rows.sort(key=lambda row: row[0])
        out.looks.append(torch.tensor([row[:3] for row in rows]))
        out.wanted.append(torch.from_numpy(np.stack([row[3] for row in rows])))
    return out
