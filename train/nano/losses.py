"""The losses: patches' labels, words, coordinates, sizes, and supervised attention."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from kimi_ros.sim import CATEGORIES, COLORS
from kimi_ros.sim.full.object_classes import SIZES
from kimi_train.examples import embed, size_bins, soft_label_cross_entropy
from kimi_train.model import AttentionProbe, Moondream
from kimi_train.nano.batches import (
    ATTENTION_BLOCKS,
    COUNTING_HEAD,
    POINTING_HEAD,
    Batch,
    PatchLabels,
    Questions,
)
from kimi_train.nano.question_example import NAME_OPTIONS, QUESTION_TYPES

FOURIER_FEATURES = 16
COORD_SIGMA = 3.0  # bins; targets are spread so that a near miss teaches more than a far one
SIZE_SIGMA = 10.0


class TrainingHeads(nn.Module):
    """Linear read-outs, for training only, dropped at export: of patches, what they show; of a
    question, before it looks at the image, what it names.
    """

    def __init__(self, enc_dim: int, dim: int, categories: int = len(CATEGORIES)):
        super().__init__()
        self.categories = categories
        names = (categories + 1, len(COLORS) + 1, len(SIZES))
        # A thing's middle and its point are two places, a patch's own is one.
        self.widths = (*names, 2 * FOURIER_FEATURES, FOURIER_FEATURES, 2, 1, 2)
        self.read = nn.Linear(enc_dim, sum(self.widths))
        self.asked = nn.Linear(dim, sum(NAME_OPTIONS))
        # Zeros: random read-outs would disturb weights that are already trained.
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def patch_losses(self, features: Tensor, labels: PatchLabels) -> dict[str, Tensor]:
        """Return the losses and, as metrics, the accuracy of categories, colours and sizes."""
        parts = self.read(features).split(self.widths, -1)
        category, color, size_name, center, place, size, is_point, offset = parts
        thing, weight = (labels.category >= 0) & (labels.category < self.categories), labels.weight
        # Finer than the code of a place, where it can be seen.
        near = thing & (labels.offset.abs().amax(-1) < 1)
        named = labels.size_name >= 0
        return {
            'category': _named_loss(category, labels.category, weight),
            'color': _named_loss(color, labels.color, weight),
            'size_name': 0.5 * _named_loss(size_name, labels.size_name, weight),
            'center': 8 * _squared(center, labels.center, thing, weight),
            'place': 2 * F.mse_loss(place, labels.place),
            'size': 0.5 * _squared(size, labels.size, thing, weight),
            'is_point': 2
            * F.binary_cross_entropy_with_logits(is_point.squeeze(-1), labels.is_point),
            'offset': 2 * _squared(offset, labels.offset, near, weight),
            'category_right': _right(category, labels.category, thing),
            'color_right': _right(color, labels.color, thing & (labels.color >= 0)),
            'size_right': _right(size_name, labels.size_name, named),
        }

    def asked_loss(self, entering: Tensor, asked: Tensor) -> Tensor:
        """Return the loss of what is named, from hidden states before the first probed block."""
        at = asked[..., 0] >= 0
        x = self.asked(F.layer_norm(entering[at], entering.shape[-1:]))
        parts = zip(x.split(NAME_OPTIONS, -1), asked[at].unbind(-1), strict=True)
        return sum(F.cross_entropy(part, wanted) for part, wanted in parts)


def _named_loss(logits: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Return the mean cross-entropy of patches that have a name, 0 where none has."""
    named = wanted >= 0
    return _mean(F.cross_entropy(logits[named], wanted[named], reduction='none'), weight[named])


def _squared(found: Tensor, wanted: Tensor, where: Tensor, weight: Tensor) -> Tensor:
    """Return the mean squared error of the patches that are asked for, 0 of none."""
    return _mean((found - wanted).square().mean(-1)[where], weight[where])


def _mean(losses: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean, 0 of nothing."""
    return (losses * weight).sum() / weight.sum().clamp(min=1e-6)


def _right(logits: Tensor, wanted: Tensor, where: Tensor) -> Tensor:
    return (logits.argmax(-1) == wanted)[where].float().mean().detach()


def question_losses(model: Moondream, q: Questions, hidden: Tensor) -> dict:
    """Return the losses of the questions.

    :param hidden: (rows, length, dim) hidden states of the questions.
    """
    losses = {}
    at = q.target_ids >= 0
    logits, wanted = model.text.logits(hidden[at]), q.target_ids[at]
    losses['words'] = _mean(F.cross_entropy(logits, wanted, reduction='none'), q.weight[at])
    right, kinds = (logits.argmax(-1) == wanted).float().detach(), q.question_type[at]
    for i, category in enumerate(QUESTION_TYPES):
        if (kinds == i).any():
            losses[f'{category}_right'] = right[kinds == i].mean()
    return losses | number_losses(model, q, hidden)


def number_losses(model: Moondream, q: Questions, hidden: Tensor) -> dict:
    """Return the losses of coordinates and sizes; none where a batch has none."""
    losses = {}
    at = ~q.target_coords.isnan()
    if at.any():
        logits, wanted = model.region.coord_decoder(hidden[at]), q.target_coords[at]
        bins = logits.shape[-1]
        losses['coords'] = soft_label_cross_entropy(logits, wanted * bins, COORD_SIGMA).mean()
        near = ((logits.argmax(-1) / bins - wanted).abs() < 0.04).float().detach()
        losses['x_near'] = near[q.question_type[at] >= 0].mean()
    at = ~q.target_sizes[..., 0].isnan()
    if at.any():
        logits = model.region.size_decoder(hidden[at]).unflatten(-1, (2, -1))
        wanted = size_bins(q.target_sizes[at], logits.shape[-1])
        losses['sizes'] = soft_label_cross_entropy(logits, wanted, SIZE_SIGMA).mean()
    return losses


WEIGHTS = {'words': 2.0, 'coords': 1.0, 'sizes': 0.3, 'asked': 0.3}
WEIGHTS |= {'point0': 0.9, 'point1': 1.2, 'count0': 1.0, 'count1': 2.0}
PATCHES = ('category', 'color', 'size_name', 'center', 'place', 'size', 'is_point', 'offset')


def batch_losses(
    model: Moondream, heads: TrainingHeads, batch: Batch, crops: Tensor, patches: float
) -> dict:
    """Return all losses of a batch; 'total' is the weighted sum that is learnt from.

    :param crops: (n, 3, S, S), the batch's frames as the encoder takes them.
    :param patches: weight of the patches' labels beside the questions; at 0 they are not read.
    """
    return feature_losses(model, heads, batch, model.vision.encode(crops), patches)


def feature_losses(
    model: Moondream, heads: TrainingHeads, batch: Batch, features: Tensor, patches: float
) -> dict:
    """Return all losses of a batch whose images have these features (n, patches, enc_dim)."""
    out, total = {}, 0.0
    if patches:
        out = heads.patch_losses(features, batch.labels)
        total = patches * sum(out[name] for name in PATCHES)
    if batch.questions:
        q, prefix = batch.questions, model.prefix(features)
        p = prefix.shape[1]
        hidden, entering, seen = model.text(
            prefix, embed(model, q), q.image, q.positions(p), q.mask(p), AttentionProbe(q.attention)
        )
        parts = question_losses(model, q, hidden)
        parts |= attention_losses(q, seen[:, :p])
        parts['asked'] = heads.asked_loss(entering, q.named_attributes)
        total = total + sum(weight * parts[n] for n, weight in WEIGHTS.items() if n in parts)
        out |= parts
    return out | {'total': total}


def attention_losses(q: Questions, seen: Tensor) -> dict:
    """Return the divergence of the pointing and the counting heads' attention from its targets.

    A pointing head is supervised per patch, a counting head per object, each object as much as BOS:
    a number is read off what is left for BOS, wherever on the objects the head attends. The more
    objects, the finer that must be: attention to n of them has the weight (n + 1)^2.

    :param seen: (n, prefix) log-probabilities, in the order of `q.attention`.
    """
    block, row, head, _ = q.attention.unbind(-1)
    counts = head == COUNTING_HEAD
    instance_map = q.instance_map[q.image[row[counts]]]
    far = seen.new_empty(len(seen))
    far[~counts] = _kl_divergence(seen[~counts], q.target_attention[~counts])
    objects = _sum_by_instance(instance_map, seen[counts].exp()).clamp(min=1e-12).log()
    far[counts] = _kl_divergence(
        objects, _sum_by_instance(instance_map, q.target_attention[counts])
    )
    weight = far.new_ones(far.shape)
    weight[counts] = q.target_attention[counts, 0] ** -2
    out = {}
    for hop, of in enumerate(ATTENTION_BLOCKS):
        for which, name in ((POINTING_HEAD, 'point'), (COUNTING_HEAD, 'count')):
            at = (block == of) & (head == which)
            out[f'{name}{hop}'] = _mean(far[at], weight[at])
    return out


def _kl_divergence(seen: Tensor, wanted: Tensor) -> Tensor:
    """Return the divergence of rows of log-probabilities from what is wanted: zero is perfect."""
    return (wanted * (wanted.clamp(min=1e-9).log() - seen)).sum(-1)


def _sum_by_instance(instance_map: Tensor, shares: Tensor) -> Tensor:
    """Return the sums of shares (n, places) over the positions of each object, (n, objects)."""
    sums = shares.new_zeros(len(shares), int(instance_map.max()) + 1)
    return sums.scatter_add(1, instance_map, shares)
