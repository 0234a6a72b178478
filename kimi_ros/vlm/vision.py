"""From crops to the image embeddings of the text model."""

from __future__ import annotations

import threading

import numpy as np

from .crops import Crops, adaptive_average_pool, normalise, stitch
from .decoding import raise_if_cancelled
from .engine import Engine


def encode_crops(engine: Engine, crops: Crops, cancel: threading.Event | None) -> np.ndarray:
    """Features f32 (unique crops, patches, enc_dim), the global crop's first.

    As many crops a step as the engine likes best; between two steps a cancel is heard.
    """
    pixels, features = normalise(crops.unique), []
    for first in range(0, len(pixels), engine.crops_at_once):
        raise_if_cancelled(cancel)
        features.append(engine.encode(pixels[first : first + engine.crops_at_once]))
    return np.concatenate(features)


def project_features(engine: Engine, crops: Crops, features: np.ndarray) -> np.ndarray:
    """Join global and local features; f32 (patches, dim), the caller's own.

    The local crops' features are stitched and averaged down to one crop's grid; an image of one
    tile has the global crop's features twice.
    """
    vision = engine.config.vision
    local = features[0]
    if len(features) > 1:
        tiles = features[1:].reshape(-1, vision.grid, vision.grid, vision.enc_dim)
        joined = stitch(tiles, crops.tiling, vision.overlap_margin)
        pooled = adaptive_average_pool(joined, vision.grid)
        local = pooled.reshape(vision.patches, vision.enc_dim)
    return engine.project(features[0], local).copy()
