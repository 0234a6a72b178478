"""Image encoder: crops to the image embeddings of the text model."""

from __future__ import annotations

import threading

import numpy as np

from .cancellation import raise_if_cancelled
from .crops import Crops, adaptive_average_pool, normalise, stitch
from .engine import Engine


def encode_crops(engine: Engine, crops: Crops, cancel: threading.Event | None) -> np.ndarray:
    """Features f32 (unique crops, patches, enc_dim), the global crop's first.

    Encoded in batches of the engine's `crop_batch_size`; `cancel` is checked between batches.
    """
    pixels, features = normalise(crops.unique), []
    for first in range(0, len(pixels), engine.crop_batch_size):
        raise_if_cancelled(cancel)
        features.append(engine.encode(pixels[first : first + engine.crop_batch_size]))
    return np.concatenate(features)


def project_features(engine: Engine, crops: Crops, features: np.ndarray) -> np.ndarray:
    """Project global and local features to embeddings f32 (patches, dim), a copy.

    The features of the local crops are stitched and average-pooled to the grid of one crop; an
    image of a single tile uses the global crop's features twice.
    """
    vision = engine.config.vision
    local = features[0]
    if len(features) > 1:
        tiles = features[1:].reshape(-1, vision.grid, vision.grid, vision.enc_dim)
        joined = stitch(tiles, crops.tiling, vision.overlap_margin)
        pooled = adaptive_average_pool(joined, vision.grid)
        local = pooled.reshape(vision.patches, vision.enc_dim)
    return engine.project(features[0], local).copy()
