"""What is learnt from examples: words, coordinates and sizes together."""

from __future__ import annotations

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor

from kimi_train.examples import (
    IGNORE,
    Example,
    PackedExamples,
    embed,
    size_bins,
    soft_label_cross_entropy,
)
from kimi_train.model import Moondream

LOSS_TERMS = ('words', 'coords', 'sizes')
# In bins. People's points and boxes are not right to a thousandth of the image: the nearest bins
# are nearly as right as the one that was said.
_SIGMA = 1.0


def target_counts(examples: Iterable[Example]) -> dict[str, int]:
    """How many words, coordinates and sizes there are to learn."""
    totals = dict.fromkeys(LOSS_TERMS, 0)
    for example in examples:
        totals['words'] += len(example.target_ids)
        totals['coords'] += len(example.target_coords)
        totals['sizes'] += 2 * len(example.target_sizes)
    return totals


def summed_losses(model: Moondream, q: PackedExamples, images: Tensor | None) -> dict[str, Tensor]:
    """Return the summed losses of examples, without those of which there is nothing to learn.

    Sums, so that a step's loss does not depend on how it was cut into batches.

    :param images: embeddings (images, patches, dim); None for examples without an image.
    """
    prefix = model.bos(len(q.ids)) if images is None else model.prepend_bos(images)
    length = prefix.shape[1]
    # The residual stream is fp32 whatever the precision of the layers.
    x = embed(model, q).float()
    hidden, _, _ = model.text(prefix.float(), x, q.image, q.positions(length), q.mask(length))
    losses = {}
    at = q.target_ids != IGNORE
    if at.any():
        logits = model.text.logits(hidden[at]).float()
        losses['words'] = F.cross_entropy(logits, q.target_ids[at], reduction='sum')
    at = ~q.target_coords.isnan()
    if at.any():
        logits = model.region.coord_decoder(hidden[at])
        losses['coords'] = soft_label_cross_entropy(
            logits, q.target_coords[at] * logits.shape[-1], _SIGMA
        ).sum()
    at = ~q.target_sizes[..., 0].isnan()
    if at.any():
        logits = model.region.size_decoder(hidden[at]).unflatten(-1, (2, -1))
        wanted = size_bins(q.target_sizes[at], logits.shape[-1])
        losses['sizes'] = soft_label_cross_entropy(logits, wanted, _SIGMA).sum()
    return losses
