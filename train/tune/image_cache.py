"""Image embeddings, cached while the image encoder is frozen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kimi_ros.vlm.crops import Crops, normalise
from kimi_train.model import Moondream
from kimi_train.tune.batches import Batch

_MOST_KEPT = 4 * 2**30  # bytes, of the computer's memory


class ImageEncoder:
    """Encodes the images of batches on a device."""

    def __init__(self, model: Moondream, device: torch.device):
        self._model, self._device, self._room = model, device, _MOST_KEPT
        self._frozen = not any(p.requires_grad for p in model.vision.parameters())
        self._kept: dict[Path, Tensor] = {}

    def __contains__(self, image: object) -> bool:
        """Whether the image's embeddings are cached, so that its crops are not needed."""
        return image in self._kept

    def __call__(self, batch: Batch) -> Tensor:
        """Return the embeddings (images, patches, dim) of a batch's images."""
        if not self._frozen:
            return self._encode([view for view in batch.views if view is not None])
        # One at a time: rounding depends on the batch, and a resumed run has cached other images
        # than an uninterrupted one.
        pairs = zip(batch.images, batch.views, strict=True)
        return torch.stack([self._alone(image, view) for image, view in pairs])

    def _alone(self, image: Path, view: Crops | None) -> Tensor:
        if image in self._kept or view is None:
            return self._kept[image].to(self._device)
        with torch.no_grad():
            embeds = self._encode([view])[0]
        size = embeds.numel() * embeds.element_size()
        if size <= self._room:
            self._room -= size
            self._kept[image] = embeds.cpu()
        return embeds

    def _encode(self, views: list[Crops]) -> Tensor:
        crops = torch.from_numpy(normalise(np.concatenate([view.unique for view in views])))
        return self._model.images(crops.to(self._device), [view.tiling for view in views])
