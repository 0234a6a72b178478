"""How well the encoder alone finds things: the curve to watch while it trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from kimi_ros.sim import CATEGORIES
from kimi_train.precision import has_bf16
from kimi_train.things.labels import Classes
from kimi_train.things.views import View

FALSE_ALARMS = 0.03  # at which share of what is not there the threshold of presence is set


def evaluate_encoder(
    learner: nn.ModuleDict, views: Sequence[View], classes: Classes, batch_size: int = 8
) -> dict[str, float]:
    """Return shares of the things of which there is one in a view, by their heat maps.

    `point`: the hottest patch's middle lies in the thing's box. `iou50` and `iou`: of the box read
    off there. `found`: of what is there, at a threshold that `FALSE_ALARMS` of what is not pass.
    """
    model, heads = learner['model'], learner['heads']
    device, grid = model.text.wte.device, model.config.vision.grid
    points, overlaps, there, missing = [], [], [], []
    for start in range(0, len(views), batch_size):
        part = views[start : start + batch_size]
        crops = torch.from_numpy(np.stack([view.rgb for view in part])).to(device)
        crops = crops.permute(0, 3, 1, 2).float() / 127.5 - 1
        half = has_bf16(device)
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            features = model.vision.encode(crops)
            heat = heads.heat_map(features)[:, len(CATEGORIES) :].float().cpu().numpy()
            boxes = heads.boxes(features).float().cpu().numpy()
        for view, of_view, of_patch in zip(part, heat, boxes, strict=True):
            shown = {o.thing for o in view.objects}
            clear = [view.objects[i].thing for i in view.known]
            # The complement of "not there", as log-odds.
            score = np.logaddexp.reduce(of_view[:, :-1], axis=-1) - of_view[:, -1]
            for i, thing in enumerate(classes.things):
                if thing not in shown:
                    missing.append(score[i])
                if clear.count(thing) != 1:
                    continue
                there.append(score[i])
                place = next(
                    view.objects[k].box for k in view.known if view.objects[k].thing == thing
                )
                best = int(of_view[i, :-1].argmax())
                x, y = (best % grid + 0.5) / grid, (best // grid + 0.5) / grid
                points.append(place[0] <= x <= place[2] and place[1] <= y <= place[3])
                overlaps.append(_iou(place, of_patch[best]))
    threshold = np.quantile(missing, 1 - FALSE_ALARMS) if missing else 0.0
    overlaps = np.array(overlaps)
    return {
        'things': len(points),
        'point': float(np.mean(points)),
        'iou50': float(np.mean(overlaps >= 0.5)),
        'iou': float(np.mean(overlaps)),
        'found': float(np.mean(np.array(there) > threshold)),
    }


def _iou(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return both / max(sum(areas) - both, 1e-9)
