"""What is learnt from lessons: words, coordinates and sizes together."""

from __future__ import annotations

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor

from kimi_train.lessons import IGNORE, Lesson, Packed, embed, size_bins, soft_bins
from kimi_train.model import Moondream

PARTS = ('words', 'coords', 'sizes')
# In bins. People's points and boxes are not right to a thousandth of the image: the nearest bins
# are nearly as right as the one that was said.
_SIGMA = 1.0


def counts(lessons: Iterable[Lesson]) -> dict[str, int]:
    """How many words, coordinates and sizes there are to learn."""
    totals = dict.fromkeys(PARTS, 0)
    for lesson in lessons:
        totals['words'] += len(lesson.next_ids)
        totals['coords'] += len(lesson.next_coords)
        totals['sizes'] += 2 * len(lesson.next_sizes)
    return totals


def sums(model: Moondream, q: Packed, images: Tensor | None) -> dict[str, Tensor]:
    """Return the summed losses of lessons, without those of which there is nothing to learn.

    Sums, so that a step's loss does not depend on how it was cut into batches.

    :param images: embeddings (images, patches, dim); None for lessons without an image.
    """
    prefix = model.bos(len(q.ids)) if images is None else model.after_bos(images)
    length = prefix.shape[1]
    # The residual stream is fp32 whatever the precision of the layers.
    x = embed(model, q).float()
    hidden, _, _ = model.text(prefix.float(), x, q.image, q.positions(length), q.mask(length))
    losses = {}
    at = q.next_ids != IGNORE
    if at.any():
        logits = model.text.logits(hidden[at]).float()
        losses['words'] = F.cross_entropy(logits, q.next_ids[at], reduction='sum')
    at = ~q.next_coords.isnan()
    if at.any():
        logits = model.region.coord_decoder(hidden[at])
        losses['coords'] = soft_bins(logits, q.next_coords[at] * logits.shape[-1], _SIGMA).sum()
    at = ~q.next_sizes[..., 0].isnan()
    if at.any():
        logits = model.region.size_decoder(hidden[at]).unflatten(-1, (2, -1))
        wanted = size_bins(q.next_sizes[at], logits.shape[-1])
        losses['sizes'] = soft_bins(logits, wanted, _SIGMA).sum()
    return losses
