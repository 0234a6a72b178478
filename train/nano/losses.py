"""What is learnt: patches' labels, words, coordinates, sizes, and where the matching heads look."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kimi_ros.sim import COLORS, KINDS
from kimi_train.lessons import embed, size_bins, soft_bins
from kimi_train.model import Looks, Moondream
from kimi_train.nano.batches import COUNTING, LOOK_BLOCKS, LOOKING, Batch, PatchLabels, Questions
from kimi_train.nano.questions import KINDS_OF_QUESTION

PLACE_CODE = 16
COORD_SIGMA = 6.0  # bins; targets are spread so that a near miss teaches more than a far one
SIZE_SIGMA = 10.0


class TrainingHeads(nn.Module):
    """Linear read-outs, for training only, dropped at export: of patches, what they show; of a
    question, before it looks at the image, what it names.
    """

    def __init__(self, enc_dim: int, dim: int):
        super().__init__()
        self.widths = (len(KINDS) + 1, len(COLORS) + 1, PLACE_CODE, PLACE_CODE, 2, 1)
        self.read = nn.Linear(enc_dim, sum(self.widths))
        self.asked = nn.Linear(dim, len(KINDS) + len(COLORS) + 2)

    def patch_losses(self, features: Tensor, labels: PatchLabels) -> dict[str, Tensor]:
        """Return the losses and, for people to follow, the shares of right kinds and colours."""
        kind, color, center, place, size, is_center = self.read(features).split(self.widths, -1)
        thing = labels.kind < len(KINDS)
        k = kind.flatten(0, 1), labels.kind.flatten()
        c = color.flatten(0, 1), labels.color.flatten()
        return {
            'kind': F.cross_entropy(*k),
            'color': F.cross_entropy(*c),
            'center': 4 * F.mse_loss(center[thing], labels.center[thing]),
            'place': 2 * F.mse_loss(place, labels.place),
            'size': 0.5 * F.mse_loss(size[thing], labels.size[thing]),
            'is_center': 2
            * F.binary_cross_entropy_with_logits(is_center.squeeze(-1), labels.is_center),
            'kind_right': (kind.argmax(-1) == labels.kind)[thing].float().mean().detach(),
            'color_right': (color.argmax(-1) == labels.color)[thing].float().mean().detach(),
        }

    def asked_loss(self, entering: Tensor, asked: Tensor) -> Tensor:
        """Return the loss of kind and colour named, from hidden states entering the look block."""
        at = asked[..., 0] >= 0
        x = self.asked(F.layer_norm(entering[at], entering.shape[-1:]))
        kind, color = x.split((len(KINDS) + 1, len(COLORS) + 1), -1)
        wanted = asked[at]
        return F.cross_entropy(kind, wanted[:, 0]) + F.cross_entropy(color, wanted[:, 1])


def question_losses(model: Moondream, q: Questions, hidden: Tensor) -> dict:
    """Return the losses of the questions.

    :param hidden: (images, length, dim) hidden states of the questions.
    """
    losses = {}
    at = q.next_ids >= 0
    logits, wanted = model.text.logits(hidden[at]), q.next_ids[at]
    losses['words'] = F.cross_entropy(logits, wanted)
    right, kinds = (logits.argmax(-1) == wanted).float().detach(), q.kind[at]
    for i, kind in enumerate(KINDS_OF_QUESTION):
        if (kinds == i).any():
            losses[f'{kind}_right'] = right[kinds == i].mean()
    return losses | number_losses(model, q, hidden)


def number_losses(model: Moondream, q: Questions, hidden: Tensor) -> dict:
    """Return the losses of coordinates and sizes; none where a batch has none."""
    losses = {}
    at = ~q.next_coords.isnan()
    if at.any():
        logits, wanted = model.region.coord_decoder(hidden[at]), q.next_coords[at]
        bins = logits.shape[-1]
        losses['coords'] = soft_bins(logits, wanted * bins, COORD_SIGMA).mean()
        near = ((logits.argmax(-1) / bins - wanted).abs() < 0.04).float().detach()
        losses['x_near'] = near[q.kind[at] >= 0].mean()
    at = ~q.next_sizes[..., 0].isnan()
    if at.any():
        logits = model.region.size_decoder(hidden[at]).unflatten(-1, (2, -1))
        wanted = size_bins(q.next_sizes[at], logits.shape[-1])
        losses['sizes'] = soft_bins(logits, wanted, SIZE_SIGMA).mean()
    return losses


WEIGHTS = {'words': 1.0, 'coords': 0.7, 'sizes': 0.3, 'asked': 0.3}
WEIGHTS |= {'look0': 0.3, 'look1': 0.4, 'count0': 0.2, 'count1': 0.3}
PATCHES = ('kind', 'color', 'center', 'place', 'size', 'is_center')


def batch_losses(model: Moondream, heads: TrainingHeads, batch: Batch, patches: float) -> dict:
    """Return all losses of a batch; 'total' is the weighted sum that is learnt from.

    :param patches: weight of the patches' labels beside the questions.
    """
    features = model.vision.encode(batch.crops)
    out = heads.patch_losses(features, batch.labels)
    total = patches * sum(out[name] for name in PATCHES)
    if batch.questions:
        q, prefix = batch.questions, model.prefix(features)
        p = prefix.shape[1]
        shift = torch.tensor([0, 0, p])
        hidden, entering, seen = model.text(
            torch.cat([prefix, embed(model, q)], 1),
            q.positions(p),
            q.mask(p),
            Looks([at + shift for at in q.looks]),
        )
        parts = question_losses(model, q, hidden[:, p:])
        parts |= look_losses(q, torch.cat([s[:, :p] for s in seen]))
        parts['asked'] = heads.asked_loss(entering[:, p:], q.asked)
        total = total + sum(weight * parts[n] for n, weight in WEIGHTS.items() if n in parts)
        out |= parts
    return out | {'total': total}


def look_losses(q: Questions, seen: Tensor) -> dict:
    """Return how far the attention of the looking and the counting heads is from what is wanted.

    :param seen: (n, prefix) log-probabilities, in the order of the questions' looks.
    """
    at, wanted = torch.cat(q.looks), torch.cat(q.wanted)
    # Against what is wanted's own entropy, so that zero is perfect.
    floor = -(wanted * wanted.clamp(min=1e-9).log()).sum(-1)
    far = -(wanted * seen).sum(-1) - floor
    names = {LOOKING: 'look', COUNTING: 'count'}
    return {
        f'{name}{hop}': far[(at[:, 0] == block) & (at[:, 1] == head)].mean()
        for hop, block in enumerate(LOOK_BLOCKS)
        for head, name in names.items()
    }
