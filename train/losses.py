"""What is learnt: patches' labels, words, coordinates, sizes, and where the matching heads look."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kimi_ros.sim import COLORS, KINDS
from kimi_train.batches import Batch, PatchLabels, Questions
from kimi_train.model import Looks, Moondream
from kimi_train.questions import KINDS_OF_QUESTION

LOOK_BLOCK = 3
LOOK_HEADS = 2  # head 0 looks at the object in question, head 1 counts the candidates
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


def embed(model: Moondream, q: Questions) -> Tensor:
    """Return (images, length, dim): words by table, numbers by their Fourier features."""
    x = F.embedding(q.ids, model.text.wte)
    coord, size = ~q.coords.isnan(), ~q.sizes[..., 0].isnan()
    x = x.masked_scatter(coord[..., None], model.region.encode_coordinate(q.coords[coord]))
    if size.any():
        x = x.masked_scatter(size[..., None], model.region.encode_size(q.sizes[size]))
    return x


def question_losses(model: Moondream, q: Questions, hidden: Tensor, seen: dict) -> dict:
    """Return the losses of the questions.

    :param hidden: (images, length, dim) hidden states of the questions.
    :param seen: for 'look' and 'count', log-probabilities of attention over the prefix and what is
        wanted.
    """
    losses = {}
    at = q.next_ids >= 0
    logits, wanted = model.text.logits(hidden[at]), q.next_ids[at]
    losses['words'] = F.cross_entropy(logits, wanted)
    right, kinds = (logits.argmax(-1) == wanted).float().detach(), q.kind[at]
    for i, kind in enumerate(KINDS_OF_QUESTION):
        if (kinds == i).any():
            losses[f'{kind}_right'] = right[kinds == i].mean()
    at = ~q.next_coords.isnan()
    logits, wanted = model.region.coord_decoder(hidden[at]), q.next_coords[at]
    bins = logits.shape[-1]
    losses['coords'] = soft_bins(logits, wanted * bins, COORD_SIGMA)
    near = ((logits.argmax(-1) / bins - wanted).abs() < 0.04).float().detach()
    first = q.kind[at] >= 0
    losses['x_near'], losses['y_near'] = near[first].mean(), near[~first].mean()
    at = ~q.next_sizes[..., 0].isnan()
    logits = model.region.size_decoder(hidden[at]).unflatten(-1, (2, -1))
    bins = logits.shape[-1]
    wanted = (q.next_sizes[at].clamp(min=2**-10).log2() + 10) / 10 * (bins - 1)
    losses['sizes'] = soft_bins(logits, wanted, SIZE_SIGMA)
    for name, (logp, target) in seen.items():
        # Against the target's own entropy, so that zero is perfect.
        floor = -(target * target.clamp(min=1e-9).log()).sum(-1)
        losses[name] = (-(target * logp).sum(-1) - floor).mean()
    return losses


def soft_bins(logits: Tensor, wanted: Tensor, sigma: float) -> Tensor:
    """Cross-entropy to a normal distribution around `wanted` (in bins), less its entropy."""
    bins = torch.arange(logits.shape[-1])
    target = torch.softmax(-0.5 * ((bins - wanted[..., None]) / sigma) ** 2, -1)
    floor = -(target * target.clamp(min=1e-9).log()).sum(-1)
    return (-(target * logits.log_softmax(-1)).sum(-1) - floor).mean()


WEIGHTS = {'words': 1.0, 'coords': 0.7, 'sizes': 0.3, 'look': 0.5, 'count': 0.5, 'asked': 0.5}
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
        place = torch.arange(p).expand(len(prefix), p)
        rows = [torch.cat([a[0], b[0]]) + p for a, b in zip(q.looks, q.counts, strict=True)]
        hidden, entering, seen = model.text(
            torch.cat([prefix, embed(model, q)], 1),
            torch.cat([place, q.position + p], 1),
            q.mask(p),
            Looks(LOOK_BLOCK, LOOK_HEADS, rows),
        )
        wanted = {
            'look': (_rows(seen, q.looks, 0, p), torch.cat([w for _, w in q.looks])),
            'count': (_rows(seen, q.counts, 1, p), torch.cat([w for _, w in q.counts])),
        }
        parts = question_losses(model, q, hidden[:, p:], wanted)
        parts['asked'] = heads.asked_loss(entering[:, p:], q.asked)
        total = total + sum(weight * parts[name] for name, weight in WEIGHTS.items())
        out |= parts
    return out | {'total': total}


def _rows(seen: list[Tensor], which: list, head: int, p: int) -> Tensor:
    """Return one head's log-probabilities over the prefix; looks stand first among the rows, counts
    last.
    """
    pick = (lambda n: slice(0, n)) if head == 0 else (lambda n: slice(-n, None))
    return torch.cat([s[head, pick(len(w[0])), :p] for s, w in zip(seen, which, strict=True)])
