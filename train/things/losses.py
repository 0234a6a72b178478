"""What the encoder learns about classes: where each is, whether it is there, and its box."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kimi_train.nano.losses import TrainingHeads
from kimi_train.things.labels import ClassLabels

ABSENT = 0.3  # weight of classes that are not there, beside those that are


class ClassHeads(TrainingHeads):
    """`TrainingHeads` for any number of classes, with a heat map and boxes; dropped at export."""

    def __init__(self, enc_dim: int, dim: int, classes: int):
        super().__init__(enc_dim, dim, classes)
        self.heat = nn.Linear(enc_dim, classes)
        self.absent = nn.Parameter(torch.zeros(classes))
        self.edges = nn.Linear(enc_dim, 4)
        for parameter in (*self.heat.parameters(), *self.edges.parameters()):
            nn.init.zeros_(parameter)

    def heat_map(self, features: Tensor) -> Tensor:
        """Return log-probabilities (n, classes, patches + 1) of where a class is.

        The last place stands for "not there".
        """
        heat = self.heat(features).float().mT
        absent = self.absent.float()[None, :, None].expand(len(heat), -1, 1)
        return torch.cat([heat, absent], -1).log_softmax(-1)

    def boxes(self, features: Tensor) -> Tensor:
        """Return the box (n, patches, 4) in 0-1 of what each patch shows."""
        grid = round(features.shape[1] ** 0.5)
        steps = (torch.arange(grid, device=features.device) + 0.5) / grid
        y, x = (axis.flatten() for axis in torch.meshgrid(steps, steps, indexing='ij'))
        left, top, right, bottom = (self.edges(features).float().exp() / grid).unbind(-1)
        return torch.stack([x - left, y - top, x + right, y + bottom], -1)

    def class_losses(
        self, features: Tensor, labels: ClassLabels, category: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """Return the losses of heat maps and boxes, and their metrics.

        :param category: (n, patches) the class of each patch.
        :param weight: (n, patches) of each patch, for boxes.
        """
        classes = labels.asked.shape[1]
        heat = self.heat_map(features)
        patches = F.one_hot(category.clamp(0, classes), classes + 1)[..., :classes].mT
        patches = patches * (category >= 0)[:, None]
        count = patches.sum(-1, keepdim=True)
        wanted = torch.cat([patches / count.clamp(min=1), (count == 0).float()], -1)
        far = (wanted * (wanted.clamp(min=1e-9).log() - heat)).sum(-1)
        there = (count.squeeze(-1) > 0) & labels.asked
        missing = (count.squeeze(-1) == 0) & labels.asked
        # All that is known to be missing, as heavy as so many of what is there.
        out = {'heat': _mean_of(far, there) + ABSENT * _mean_of(far, missing)}
        shown = (labels.boxes[..., 2] > labels.boxes[..., 0]) & (category >= 0)
        overlap, apart = generalised_iou(self.boxes(features)[shown], labels.boxes[shown])
        share = weight[shown] / weight[shown].sum().clamp(min=1e-6)
        out['edges'] = ((1 - apart) * share).sum()
        with torch.no_grad():
            best = heat[..., :-1].argmax(-1, keepdim=True)
            out['heat_right'] = patches.gather(-1, best).squeeze(-1)[there].float().mean()
            out['iou'] = (overlap * share).sum()
        return out


def _mean_of(values: Tensor, where: Tensor) -> Tensor:
    return (values * where).sum() / where.sum().clamp(min=1)


def generalised_iou(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Return the IoU and the generalised IoU (arXiv:1902.09630) of boxes (n, 4), each (n,)."""
    inner = torch.minimum(one[:, 2:], other[:, 2:]) - torch.maximum(one[:, :2], other[:, :2])
    outer = torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])
    both = inner.clamp(min=0).prod(-1)
    area = (one[:, 2:] - one[:, :2]).prod(-1) + (other[:, 2:] - other[:, :2]).prod(-1) - both
    iou, hull = both / area.clamp(min=1e-9), outer.prod(-1).clamp(min=1e-9)
    return iou, iou - (hull - area) / hull


CLASS_WEIGHTS = {'heat': 1.0, 'edges': 2.0}
