"""What grounds and walls are made of: small textures, drawn by numpy."""

from __future__ import annotations

import numpy as np

SIDE = 128
"""Pixels of a texture's side."""

_Look = tuple[float, tuple[int, int, int], float, tuple[int, int] | None]

LOOKS: dict[str, _Look] = {
    # Metres that the texture covers, colour 0-255, its grain 0-1, tiles (along, across) or None.
    'paving': (1.2, (168, 163, 154), 0.07, (3, 2)),
    'asphalt': (1.5, (74, 75, 79), 0.16, None),
    'kerb': (1.0, (196, 193, 186), 0.06, (1, 1)),
    'paint': (1.0, (226, 226, 218), 0.04, None),
    'brick': (0.96, (156, 98, 78), 0.10, (4, 12)),
    'plaster': (2.0, (214, 206, 188), 0.04, None),
    'stone': (1.6, (178, 170, 158), 0.06, (2, 4)),
    'linoleum': (1.2, (146, 154, 150), 0.06, (2, 2)),
    'ceiling': (1.2, (226, 226, 222), 0.02, (2, 2)),
    'skirting': (1.0, (92, 78, 66), 0.05, None),
    'window': (1.0, (82, 104, 124), 0.03, None),
    'tread': (1.0, (150, 146, 140), 0.08, None),
    'grass': (1.5, (92, 118, 66), 0.18, None),
}
"""By name; 'brick' and 'paving' have joints between their tiles."""


def texture(name: str) -> np.ndarray:
    """Return a texture that can be laid beside itself, uint8 (SIDE, SIDE, 3)."""
    _, color, grain, tiles = LOOKS[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    fine = rng.uniform(-1, 1, (SIDE, SIDE))
    coarse = rng.uniform(-1, 1, (SIDE // 8, SIDE // 8)).repeat(8, 0).repeat(8, 1)
    level = 1 + grain * (0.7 * fine + 0.5 * coarse)
    if tiles is not None:
        across, along = tiles
        rows, columns = np.mgrid[0:SIDE, 0:SIDE]
        row = rows * along // SIDE
        shifted = (columns + (row % 2) * SIDE // (2 * across)) % SIDE
        column = shifted * across // SIDE
        level *= 1 + 0.6 * grain * rng.uniform(-1, 1, (along, across))[row, column]
        joint = (rows * along % SIDE < 2 * along) | (shifted * across % SIDE < 2 * across)
        level[joint] *= 0.72
    return np.clip(np.array(color) * level[..., None], 0, 255).astype(np.uint8)
