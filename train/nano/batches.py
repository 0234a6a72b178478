"""Batches: frames with their patches' labels, and questions packed into tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from kimi_ros.sim import CATEGORIES, COLORS, ObjectTruth
from kimi_ros.sim.full.object_classes import SIZES
from kimi_train.examples import IGNORE, PackedExamples, TensorDataclass, pack
from kimi_train.nano.question_example import NAME_OPTIONS, QUESTION_TYPES, QuestionExample
from kimi_train.nano.questions import QuestionWriter, Scene
from kimi_train.nano.scenes import SceneSet

ATTENTION_BLOCKS = (3, 4)  # find what is named first; then, from there, what is meant
POINTING_HEAD, COUNTING_HEAD = 0, 1  # heads of these blocks
ROW_LENGTH = 160  # tokens
FOURIER_FREQUENCIES = (0.5, 1.0, 2.0, 4.0)
BACKGROUND = 0.25  # weight of a patch that shows nothing, beside 1 of a thing's only one


@dataclass
class PatchLabels(TensorDataclass):
    """Dense labels for the encoder: what each patch shows, (images, patches, ...).

    `category` and `color` count one past the last name for background; IGNORE stands where an
    object has no colour or no named size; `center` encodes the centre of the object's box and its
    grasp point, `place` the patch's own position (`fourier_encoding`), `size` the logarithm of the
    object's width and height; `is_point` marks the one patch that holds an object's point, and
    `offset` goes from the patch's centre to its object's point, in patches. `weight` is the
    reciprocal root of how many patches an object has: people ask for small objects as often as for
    large ones.
    """

    category: Tensor
    color: Tensor
    size_name: Tensor
    center: Tensor
    place: Tensor
    size: Tensor
    is_point: Tensor
    offset: Tensor
    weight: Tensor


@dataclass
class Questions(PackedExamples):
    """Packed questions, see `QuestionExample`.

    `question_type` holds, where a question is decided, its index in `QUESTION_TYPES`, and -1
    elsewhere. `weight` is the reciprocal root of the answer's length: a number would be lost among
    the tokens of plans. `attention` holds the supervised positions as block, row, head and
    position (n, 4), sorted by block, and `target_attention` the attention over the prefix that
    they should have (n, 1 + patches). `instance_map` says to which object each prefix position
    belongs (images, 1 + patches): 0 BOS, 1 background, then the objects.
    """

    question_type: Tensor
    weight: Tensor
    named_attributes: Tensor
    attention: Tensor
    target_attention: Tensor
    instance_map: Tensor


@dataclass
class Batch(TensorDataclass):
    """Frames (n, S, S, 3) uint8, their labels, and questions unless only the encoder learns."""

    frames: Tensor
    labels: PatchLabels
    questions: Questions | None


def fourier_encoding(xy: np.ndarray) -> np.ndarray:
    """Return cosines and sines of positions (..., 2) in 0-1, at a few low frequencies: (..., 16).

    Linear maps read a coordinate from such a code, and averaging over an object's patches keeps it.
    """
    angles = 2 * math.pi * xy[..., None] * np.array(FOURIER_FREQUENCIES, np.float32)
    code = np.concatenate([np.cos(angles), np.sin(angles)], -1)
    return code.reshape(*xy.shape[:-1], -1).astype(np.float32)


class BatchBuilder:
    """Draws scenes, augments them, asks about them. The same seed and step give the same batch."""

    def __init__(self, scenes: SceneSet, writer: QuestionWriter | None, batch_size: int, seed: int):
        self.scenes, self.writer = scenes, writer
        self.batch_size, self.seed = batch_size, seed

    def batch(self, step: int, short: int = 0, long: int = 0) -> Batch:
        """Return the batch of a step with so many short and long questions for each image."""
        rng = np.random.default_rng((self.seed, step))
        frames, labels, targets, questions = [], [], [], []
        for index in rng.integers(len(self.scenes), size=self.batch_size):
            frame, instance_map, scene = self._scene(int(index), rng)
            frames.append(frame)
            labels.append(patch_labels(instance_map, scene))
            targets.append(attention_targets(instance_map, scene))
            questions.append(self.ask(scene, rng, short, long))
        stacked = PatchLabels(*(torch.from_numpy(np.stack(a)) for a in zip(*labels, strict=True)))
        packed = pack_questions(questions, targets) if short + long else None
        return Batch(torch.from_numpy(np.stack(frames)), stacked, packed)

    def draw(self, rng) -> tuple[np.ndarray, np.ndarray, list[ObjectTruth]]:
        """Return any scene, perhaps mirrored: its frame, the object of each patch, its objects."""
        return self._scene(int(rng.integers(len(self.scenes))), rng)

    def ask(self, scene: Scene, rng, short: int, long: int) -> list[QuestionExample]:
        """Return so many questions about a scene."""
        asked = [self.writer.short(scene, rng) for _ in range(short)]
        return asked + [self.writer.long(scene, rng) for _ in range(long)]

    def _scene(self, index: int, rng):
        s = self.scenes
        frame, instance_map, scene = s.frames[index], s.instance_map[index], s.objects(index)
        if rng.random() < 0.5:
            frame, instance_map = frame[:, ::-1], instance_map[:, ::-1]
            scene = [mirrored(thing) for thing in scene]
        return frame, instance_map, scene


def mirrored(thing: ObjectTruth) -> ObjectTruth:
    """Return the truth about an object in the mirrored image, where its text is not readable."""
    x0, y0, x1, y1 = thing.box
    x, y, z = thing.position
    box, point = (1 - x1, y0, 1 - x0, y1), (1 - thing.point[0], thing.point[1])
    return replace(thing, box=box, point=point, position=(x, -y, z), text='')


def patch_labels(
    instance_map: np.ndarray, scene: Sequence[ObjectTruth], background: int = len(CATEGORIES)
) -> tuple[np.ndarray, ...]:
    """Return the fields of `PatchLabels` for one scene.

    :param background: the category of a patch that shows nothing.
    """
    grid, sizes = len(instance_map), list(SIZES)
    nothing = background, len(COLORS), IGNORE
    names = [
        (
            CATEGORIES.index(t.category),
            COLORS.index(t.color) if t.color else IGNORE,
            sizes.index(t.size_name) if t.size_name else IGNORE,
        )
        for t in scene
    ]
    flat = instance_map.reshape(-1).astype(int)  # -1 takes the last row
    category, color, size_name = np.array([*names, nothing], np.int64)[flat].T
    boxes = np.array([*(t.box for t in scene), (0, 0, 0, 0)], np.float32)[flat]
    points = np.array([*(t.point for t in scene), (0, 0)], np.float32)[flat]
    extents = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3))
    extents[flat < 0] = 0
    steps = (np.arange(grid, dtype=np.float32) + 0.5) / grid
    own = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    is_point = np.zeros(grid * grid, np.float32)
    is_point[point_patches(scene, grid)] = 1
    centers = fourier_encoding(np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, points], -1))
    patches = np.bincount(flat[flat >= 0], minlength=len(scene))
    weight = np.append(np.maximum(patches, 1) ** -0.5, BACKGROUND).astype(np.float32)[flat]
    return (
        category.copy(),
        color.copy(),
        size_name.copy(),
        centers,
        fourier_encoding(own),
        extents,
        is_point,
        (points - own) * grid,
        weight,
    )


def point_patches(scene: Sequence[ObjectTruth], grid: int) -> np.ndarray:
    """Return the index of the patch that holds each object's point."""
    points = np.array([t.point for t in scene], np.float32).reshape(-1, 2)
    cell = np.clip(points * grid, 0, grid - 1).astype(int)
    return cell[:, 1] * grid + cell[:, 0]


@dataclass(frozen=True)
class AttentionTargets:
    """Where heads should attend for each object of a scene, over BOS and the patches.

    :ivar spread: float32 (objects + 1, 1 + patches), equal over its patches; the last row is BOS,
        where a head attends when nothing matches.
    :ivar single: float32, likewise, only the patch of its point.
    :ivar instance_map: int64 (1 + patches,), the object of each position: 0 BOS, 1 background,
        then the objects.
    """

    spread: np.ndarray
    single: np.ndarray
    instance_map: np.ndarray


def attention_targets(instance_map: np.ndarray, scene: Sequence[ObjectTruth]) -> AttentionTargets:
    """Return where to attend in a scene whose patches (g, g) show these objects, -1 for none."""
    flat = instance_map.reshape(-1).astype(np.int64)
    own = point_patches(scene, len(instance_map))
    spread = np.zeros((len(own) + 1, 1 + flat.size), np.float32)
    single = np.zeros_like(spread)
    for i, patch in enumerate(own):
        mine = np.flatnonzero(flat == i)
        spread[i, 1 + (mine if len(mine) else patch)] = 1 / max(len(mine), 1)
        single[i, 1 + patch] = 1
    spread[-1, 0] = single[-1, 0] = 1
    return AttentionTargets(spread, single, np.append(0, flat + 2))


def pack_questions(
    images: Sequence[Sequence[QuestionExample]], targets: Sequence[AttentionTargets]
) -> Questions:
    """Return the questions about all images in rows of about the same length.

    Attention costs the square of a row's length, and padding costs too: questions go, the longest
    first, into the first row of their image that has room.

    :param targets: of each image, where heads should attend.
    """
    most = max(ROW_LENGTH, *(len(d.ids) for group in images for d in group))
    rows: list[list[QuestionExample]] = []
    about: list[int] = []
    for index, group in enumerate(images):
        own: list[list[QuestionExample]] = []
        for question in sorted(group, key=lambda d: -len(d.ids)):
            fits = (row for row in own if sum(len(d.ids) for d in row) + len(question.ids) <= most)
            row = next(fits, None)
            if row is None:
                own.append([question])
            else:
                row.append(question)
        rows += own
        about += [index] * len(own)
    packed = pack(rows, about)
    question_type = torch.full_like(packed.ids, -1)
    weight = torch.zeros(packed.ids.shape)
    named = torch.full((*packed.ids.shape, len(NAME_OPTIONS)), IGNORE)
    supervised: list[tuple] = []
    for r, (row, image) in enumerate(zip(rows, about, strict=True)):
        start = 0
        for d in row:
            question_type[r, start + d.decided] = QUESTION_TYPES.index(d.question_type)
            weight[r, start : start + len(d.ids)] = len(d.target_ids) ** -0.5
            if d.named_attributes:
                named[r, start + d.decided] = torch.tensor(d.named_attributes)
            supervised += _attention_supervision(d, r, start, targets[image])
            start += len(d.ids)
    supervised.sort(key=lambda entry: entry[0])
    at, wanted = (np.array(part) for part in zip(*supervised, strict=True))
    instance_map = np.stack([of_image.instance_map for of_image in targets])
    return Questions(
        **vars(packed),
        question_type=question_type,
        weight=weight,
        named_attributes=named,
        attention=torch.from_numpy(at),
        target_attention=torch.from_numpy(wanted),
        instance_map=torch.from_numpy(instance_map),
    )


def _attention_supervision(
    d: QuestionExample, row: int, start: int, targets: AttentionTargets
) -> list[tuple]:
    """Return ((block, row, head, position), target attention) for each supervised position."""
    out = []
    for block in ATTENTION_BLOCKS:
        for at, seen in d.attention.items():
            first = d.first_hop.get(at, seen) if block == ATTENTION_BLOCKS[0] else seen
            alone = at in d.point_patch and block != ATTENTION_BLOCKS[0]
            where = targets.single if alone else targets.spread
            out.append(((block, row, POINTING_HEAD, start + at), where[first or [-1]].mean(0)))
        for at, seen in d.counted.items():
            out.append(
                ((block, row, COUNTING_HEAD, start + at), targets.spread[[*seen, -1]].mean(0))
            )
    return out
