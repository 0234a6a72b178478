"""Batches: frames with their patches' labels, and questions packed into tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from kimi_ros.sim import COLORS, KINDS, ObjectTruth
from kimi_ros.sim.full.catalogue import SIZES
from kimi_train.lessons import IGNORE, Packed, Tensors, pack
from kimi_train.nano.questions import ASKED, KINDS_OF_QUESTION, Dialogue, QuestionWriter
from kimi_train.nano.scenes import SceneSet

LOOK_BLOCKS = (3, 4)  # find what is named first; then, from there, what is meant
LOOKING, COUNTING = 0, 1  # heads of these blocks
ROW = 160  # tokens
PLACE_FREQUENCIES = (0.5, 1.0, 2.0, 4.0)
BACKGROUND = 0.25  # weight of a patch that shows nothing, beside 1 of a thing's only one


@dataclass
class PatchLabels(Tensors):
    """What each patch shows, (images, patches, ...): the dense labels that teach the encoder to
    see.

    `kind` and `color` count one past the last name for 'nothing'; IGNORE stands where a thing has
    no colour or no named size; `center` is a code of the centre of the owner's box and of the point
    to touch it at, `place` of the patch's own place (`place_code`), `size` the logarithm of the
    owner's width and height; `is_point` marks the one patch in which an object has its point, and
    `offset` goes from the patch's middle to its owner's point, in patches.
    `weight` is the reciprocal root of how many patches an owner has: people ask for small things
    as often as for large ones.
    """

    kind: Tensor
    color: Tensor
    size_name: Tensor
    center: Tensor
    place: Tensor
    size: Tensor
    is_point: Tensor
    offset: Tensor
    weight: Tensor


@dataclass
class Questions(Packed):
    """Packed questions, see `Dialogue`.

    `kind` tells where a question is decided, and which sort it is (an index of
    `KINDS_OF_QUESTION`, else -1). `weight` is the reciprocal root of how many words an answer has:
    a number would be lost among the words of plans. `looks` are block, row, head and place (n, 4),
    sorted by block, and `wanted` the attention over the prefix wanted there (n, 1 + patches).
    `owners` says whose each place of an image's prefix is (images, 1 + patches): 0 BOS, 1
    nothing's, then the things.
    """

    kind: Tensor
    weight: Tensor
    asked: Tensor
    looks: Tensor
    wanted: Tensor
    owners: Tensor


@dataclass
class Batch(Tensors):
    """Frames (n, S, S, 3) uint8, their labels, and questions unless only the encoder learns."""

    frames: Tensor
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
        frames, labels, looks, asked = [], [], [], []
        for index in rng.integers(len(self.scenes), size=self.images):
            frame, owners, scene = self._scene(int(index), rng)
            frames.append(frame)
            labels.append(patch_labels(owners, scene))
            looks.append(look_targets(owners, scene))
            questions = [self.writer.short(scene, rng) for _ in range(short)]
            asked.append(questions + [self.writer.long(scene, rng) for _ in range(long)])
        stacked = PatchLabels(*(torch.from_numpy(np.stack(a)) for a in zip(*labels, strict=True)))
        packed = pack_questions(asked, looks) if short + long else None
        return Batch(torch.from_numpy(np.stack(frames)), stacked, packed)

    def _scene(self, index: int, rng):
        s = self.scenes
        frame, owners, scene = s.frames[index], s.owners[index], s.things(index)
        if rng.random() < 0.5:
            frame, owners = frame[:, ::-1], owners[:, ::-1]
            scene = [mirrored(thing) for thing in scene]
        return frame, owners, scene


def mirrored(thing: ObjectTruth) -> ObjectTruth:
    """Return the truth about a thing in the mirrored picture; its text is no longer to be read."""
    x0, y0, x1, y1 = thing.box
    x, y, z = thing.position
    box, point = (1 - x1, y0, 1 - x0, y1), (1 - thing.point[0], thing.point[1])
    return replace(thing, box=box, point=point, position=(x, -y, z), text='')


def patch_labels(owners: np.ndarray, scene: Sequence[ObjectTruth]) -> tuple[np.ndarray, ...]:
    """Return the fields of `PatchLabels` for one scene."""
    grid, sizes = len(owners), list(SIZES)
    nothing = len(KINDS), len(COLORS), IGNORE
    names = [
        (
            KINDS.index(t.kind),
            COLORS.index(t.color) if t.color else IGNORE,
            sizes.index(t.size_name) if t.size_name else IGNORE,
        )
        for t in scene
    ]
    flat = owners.reshape(-1).astype(int)  # -1 takes the last row
    kind, color, size_name = np.array([*names, nothing], np.int64)[flat].T
    boxes = np.array([*(t.box for t in scene), (0, 0, 0, 0)], np.float32)[flat]
    points = np.array([*(t.point for t in scene), (0, 0)], np.float32)[flat]
    extents = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3))
    extents[flat < 0] = 0
    steps = (np.arange(grid, dtype=np.float32) + 0.5) / grid
    own = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    is_point = np.zeros(grid * grid, np.float32)
    is_point[point_patches(scene, grid)] = 1
    centers = place_code(np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, points], -1))
    patches = np.bincount(flat[flat >= 0], minlength=len(scene))
    weight = np.append(np.maximum(patches, 1) ** -0.5, BACKGROUND).astype(np.float32)[flat]
    return (kind.copy(), color.copy(), size_name.copy(), centers, place_code(own), extents,
            is_point, (points - own) * grid, weight)


def point_patches(scene: Sequence[ObjectTruth], grid: int) -> np.ndarray:
    """Return the index of the patch that holds each object's point."""
    points = np.array([t.point for t in scene], np.float32).reshape(-1, 2)
    cell = np.clip(points * grid, 0, grid - 1).astype(int)
    return cell[:, 1] * grid + cell[:, 0]


@dataclass(frozen=True)
class LookTargets:
    """Where to look for each object of a scene, over BOS and the patches.

    :ivar spread: float32 (objects + 1, 1 + patches), all its patches alike; the last row is BOS,
        where a head looks when nothing matches.
    :ivar single: float32, likewise, the patch of its point alone.
    :ivar owners: int64 (1 + patches,), whose each place is: 0 BOS, 1 nothing's, then the objects.
    """

    spread: np.ndarray
    single: np.ndarray
    owners: np.ndarray


def look_targets(owners: np.ndarray, scene: Sequence[ObjectTruth]) -> LookTargets:
    """Return where to look in a scene whose patches (g, g) belong to these objects, -1 to none."""
    flat = owners.reshape(-1).astype(np.int64)
    own = point_patches(scene, len(owners))
    spread = np.zeros((len(own) + 1, 1 + flat.size), np.float32)
    single = np.zeros_like(spread)
    for i, patch in enumerate(own):
        mine = np.flatnonzero(flat == i)
        spread[i, 1 + (mine if len(mine) else patch)] = 1 / max(len(mine), 1)
        single[i, 1 + patch] = 1
    spread[-1, 0] = single[-1, 0] = 1
    return LookTargets(spread, single, np.append(0, flat + 2))


def pack_questions(
    images: Sequence[Sequence[Dialogue]], looks: Sequence[LookTargets]
) -> Questions:
    """Return the dialogues about all images in rows of about the same length.

    Attention costs the square of a row's length, and padding costs too: dialogues go, the longest
    first, into the first row of their image that has room.

    :param looks: of each image, where to look.
    """
    most = max(ROW, *(len(d.ids) for group in images for d in group))
    rows: list[list[Dialogue]] = []
    about: list[int] = []
    for index, group in enumerate(images):
        own: list[list[Dialogue]] = []
        for dialogue in sorted(group, key=lambda d: -len(d.ids)):
            fits = (row for row in own if sum(len(d.ids) for d in row) + len(dialogue.ids) <= most)
            row = next(fits, None)
            if row is None:
                own.append([dialogue])
            else:
                row.append(dialogue)
        rows += own
        about += [index] * len(own)
    packed = pack(rows, about)
    kind = torch.full_like(packed.ids, -1)
    weight = torch.zeros(packed.ids.shape)
    named = torch.full((*packed.ids.shape, len(ASKED)), IGNORE)
    looked: list[tuple] = []
    for r, (row, image) in enumerate(zip(rows, about, strict=True)):
        start = 0
        for d in row:
            kind[r, start + d.decided] = KINDS_OF_QUESTION.index(d.kind)
            weight[r, start : start + len(d.ids)] = len(d.next_ids) ** -0.5
            if d.asked:
                named[r, start + d.decided] = torch.tensor(d.asked)
            looked += _wanted_looks(d, r, start, looks[image])
            start += len(d.ids)
    looked.sort(key=lambda entry: entry[0])
    at, wanted = (np.array(part) for part in zip(*looked, strict=True))
    owners = np.stack([targets.owners for targets in looks])
    return Questions(**vars(packed), kind=kind, weight=weight, asked=named,
                     looks=torch.from_numpy(at), wanted=torch.from_numpy(wanted),
                     owners=torch.from_numpy(owners))


def _wanted_looks(d: Dialogue, row: int, start: int, targets: LookTargets) -> list[tuple]:
    """Return ((block, row, head, place), attention over the prefix) for all that it looks at."""
    out = []
    for block in LOOK_BLOCKS:
        for at, seen in d.looks.items():
            first = d.hops.get(at, seen) if block == LOOK_BLOCKS[0] else seen
            alone = at in d.touches and block != LOOK_BLOCKS[0]
            where = targets.single if alone else targets.spread
            out.append(((block, row, LOOKING, start + at), where[first or [-1]].mean(0)))
        for at, seen in d.counts.items():
            out.append(((block, row, COUNTING, start + at), targets.spread[[*seen, -1]].mean(0)))
    return out
