"""How well the encoder alone finds things: the curve to watch while it trains."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from kimi_ros.images import read_image
from kimi_ros.sim import CATEGORIES
from kimi_train.precision import has_bf16
from kimi_train.things.labels import Classes
from kimi_train.things.views import View

FALSE_ALARMS = 0.03  # at which share of what is not there the threshold of presence is set
_BATCH_SIZE = 8
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class LabelledPicture:
    """A picture to evaluate on.

    :ivar rgb: uint8 (S, S, 3).
    :ivar boxes: thing -> its box in 0-1, of things of which there is one.
    :ivar absent: things of which there is none.
    """

    rgb: np.ndarray
    boxes: Mapping[str, Box]
    absent: frozenset[str]


def labelled_view(view: View, classes: Classes) -> LabelledPicture:
    """Return a view of scanned things; of what shows too little neither is known."""
    clear = [view.objects[i] for i in view.known]
    names = [o.thing for o in clear]
    boxes = {o.thing: o.box for o in clear if names.count(o.thing) == 1}
    return LabelledPicture(
        view.rgb, boxes, frozenset(classes.things) - {o.thing for o in view.objects}
    )


def labelled_photos(folder: Path, things, crop_size: int) -> list[LabelledPicture]:
    """Return photographs with boxes, of which things.jsonl is described in docs/evaluation.md.

    Names that mean several things, or none of them, are left out.
    """
    found: dict[str, tuple[dict[str, Box], set[str]]] = {}
    for line in (folder / 'things.jsonl').read_text(encoding='utf-8').splitlines():
        entry = json.loads(line)
        name = (
            entry['object'] if isinstance(entry['object'], str) else entry['object'].get('en', '')
        )
        boxes, absent = found.setdefault(entry['image'], ({}, set()))
        meant = things.meant_by(name, 'en')
        if entry.get('absent'):
            absent |= meant
        elif 'box' in entry and len(meant) == 1:
            boxes[next(iter(meant))] = tuple(entry['box'])
    size = (crop_size, crop_size)
    return [
        LabelledPicture(
            np.asarray(
                Image.fromarray(read_image(folder / image)).resize(size, Image.Resampling.LANCZOS)
            ),
            boxes,
            frozenset(absent),
        )
        for image, (boxes, absent) in found.items()
    ]


def evaluate_encoder(
    learner: nn.ModuleDict, pictures: Sequence[LabelledPicture], classes: Classes
) -> dict[str, float]:
    """Return shares of the things in the pictures, by their heat maps.

    `point`: the hottest patch's middle lies in the thing's box. `iou50` and `iou`: of the box read
    off there. `found`: of what is there, at a threshold that `FALSE_ALARMS` of what is not pass.
    """
    points, overlaps, there, missing = [], [], [], []
    for start in range(0, len(pictures), _BATCH_SIZE):
        part = pictures[start : start + _BATCH_SIZE]
        for picture, heat, boxes in zip(part, *_read(learner, part), strict=True):
            grid = round(heat.shape[-1] ** 0.5)
            # The log-odds of being there.
            score = np.logaddexp.reduce(heat[:, :-1], axis=-1) - heat[:, -1]
            of_thing = dict(zip(classes.things, range(len(score)), strict=True))
            missing += [score[of_thing[thing]] for thing in picture.absent]
            for thing, box in picture.boxes.items():
                i = of_thing[thing]
                there.append(score[i])
                best = int(heat[i, :-1].argmax())
                x, y = (best % grid + 0.5) / grid, (best // grid + 0.5) / grid
                points.append(box[0] <= x <= box[2] and box[1] <= y <= box[3])
                overlaps.append(_iou(box, boxes[best]))
    if not points:
        return {'things': 0}
    threshold = np.quantile(missing, 1 - FALSE_ALARMS) if missing else 0.0
    return {
        'things': len(points),
        'point': float(np.mean(points)),
        'iou50': float(np.mean(np.array(overlaps) >= 0.5)),
        'iou': float(np.mean(overlaps)),
        'found': float(np.mean(np.array(there) > threshold)),
    }


def _read(
    learner: nn.ModuleDict, pictures: Sequence[LabelledPicture]
) -> tuple[np.ndarray, np.ndarray]:
    """Return heat maps (n, things, patches + 1) and boxes (n, patches, 4)."""
    model, heads = learner['model'], learner['heads']
    device = model.text.wte.device
    crops = torch.from_numpy(np.stack([picture.rgb for picture in pictures])).to(device)
    crops = crops.permute(0, 3, 1, 2).float() / 127.5 - 1
    half = has_bf16(device)
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=half):
        features = model.vision.encode(crops)
        heat = heads.heat_map(features)[:, len(CATEGORIES) :]
        return heat.float().cpu().numpy(), heads.boxes(features).float().cpu().numpy()


def _iou(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return both / max(sum(areas) - both, 1e-9)
