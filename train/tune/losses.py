"""The losses of examples: tokens, coordinates and sizes together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
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
_NEAR, _NEAR_SIZE = 0.02, 0.2  # of the image, of the size: what counts as right in validation


def target_counts(examples: Iterable[Example]) -> dict[str, int]:
    """Return how many tokens, coordinates and sizes there are to learn."""
    totals = dict.fromkeys(LOSS_TERMS, 0)
    for example in examples:
        totals['words'] += len(example.target_ids)
        totals['coords'] += len(example.target_coords)
        totals['sizes'] += 2 * len(example.target_sizes)
    return totals


def summed_losses(model: Moondream, q: PackedExamples, images: Tensor | None) -> dict[str, Tensor]:
    """Return the summed losses of examples, without the terms that no example has.

    Sums, so that a step's loss does not depend on how it was cut into batches.

    :param images: embeddings (images, patches, dim); None for examples without an image.
    """
    return {term: losses.sum() for term, _, losses, _ in _predictions(model, q, images)}


def example_results(
    model: Moondream, q: PackedExamples, images: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return the loss of every example, and whether its answer is right, both (examples,).

    An example's loss is the sum of its terms' means. An answer is right where greedy decoding would
    write every token of it, every coordinate is within 2 % of the image, and every size within
    20 %, what comes before being given.
    """
    first = F.pad((q.segment.amax(1) + 1).cumsum(0), (1, 0))
    index = first[:-1, None] + q.segment
    losses = torch.zeros(int(first[-1]), device=q.ids.device)
    right = torch.ones_like(losses, dtype=torch.bool)
    for _, at, found, correct in _predictions(model, q, images):
        of = index[at]
        counts = torch.zeros_like(losses).index_add_(0, of, torch.ones_like(found))
        losses.index_add_(0, of, found / counts[of])
        right[of[~correct]] = False
    return losses, right


def _predictions(
    model: Moondream, q: PackedExamples, images: Tensor | None
) -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
    """Yield each term: its name, where it is predicted, its losses there, and what is right."""
    prefix = model.bos(len(q.ids)) if images is None else model.prepend_bos(images)
    length = prefix.shape[1]
    # The residual stream is fp32 whatever the precision of the layers.
    x = embed(model, q).float()
    hidden, _, _ = model.text(prefix.float(), x, q.image, q.positions(length), q.mask(length))
    at = q.target_ids != IGNORE
    if at.any():
        logits, wanted = model.text.logits(hidden[at]).float(), q.target_ids[at]
        losses = F.cross_entropy(logits, wanted, reduction='none')
        yield 'words', at, losses, logits.argmax(-1) == wanted
    at = ~q.target_coords.isnan()
    if at.any():
        logits, wanted = model.region.coord_decoder(hidden[at]), q.target_coords[at]
        bins = logits.shape[-1]
        losses = soft_label_cross_entropy(logits, wanted * bins, _SIGMA)
        yield 'coords', at, losses, (logits.argmax(-1) / bins - wanted).abs() < _NEAR
    at = ~q.target_sizes[..., 0].isnan()
    if at.any():
        logits = model.region.size_decoder(hidden[at]).unflatten(-1, (2, -1))
        bins = logits.shape[-1]
        wanted = size_bins(q.target_sizes[at], bins)
        losses = soft_label_cross_entropy(logits, wanted, _SIGMA).sum(-1)
        ratio = 2 ** ((logits.argmax(-1) - wanted) / (bins - 1) * 10)
        yield 'sizes', at, losses, ((ratio - 1).abs() < _NEAR_SIZE).all(-1)
