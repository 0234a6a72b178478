"""The image that the decoder's cache begins with: encoded once, prefilled once."""

from __future__ import annotations

import threading

import numpy as np

from .cancellation import raise_if_cancelled
from .crops import Crops
from .engine import Engine
from .errors import ImageError
from .results import EncodedImage
from .vision import project_features


class ImagePrefix:
    """The beginning of an engine's KV cache: BOS and an image of this model, or nothing.

    Whoever calls anything but `check` holds the lock of the engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._image: EncodedImage | None = None
        self._identity = object()

    def assemble(self, rgb: np.ndarray, crops: Crops, features: np.ndarray) -> EncodedImage:
        """Project the features of an image's crops, f32 (unique crops, patches, enc_dim)."""
        embeds = project_features(self._engine, crops, features)
        return EncodedImage(embeds, rgb.shape[0], rgb.shape[1], crops.tiling, self._identity)

    def check(self, image: EncodedImage) -> None:
        """Raise ImageError unless this model encoded the image."""
        if not isinstance(image, EncodedImage):
            raise ImageError(
                f'an EncodedImage is needed, not {type(image).__name__}; create one with '
                'encode_image(rgb) and reuse it for every question about that image'
            )
        if image.model is not self._identity:
            raise ImageError('the image was encoded by another model; encode it with this one')

    def prefill(self, image: EncodedImage | None, cancel: threading.Event | None) -> None:
        """Make the KV cache hold exactly this image, or nothing."""
        if image is None:
            self._image = None
            self._engine.rewind(0)
        elif image is self._image:
            self._engine.rewind(self._engine.config.prefix_length)
        else:
            raise_if_cancelled(cancel)
            self._image = None
            bos = self._engine.embed_tokens([self._engine.config.tokenizer.bos_id])
            self._engine.prefill_image(np.concatenate([bos, image.embeds]))
            self._image = image

    def forget(self) -> None:
        """Let go of the image, whose memory is freed with it."""
        self._image = None
