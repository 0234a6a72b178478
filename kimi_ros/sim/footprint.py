"""What things cover of the table, seen from above."""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.scene import SceneObject, SceneTable


def is_on_table(where: np.ndarray, table: SceneTable) -> bool:
    """Tell whether a place (x, y), metres, lies within the table's edges."""
    x, y = where
    return bool(table.x_range[0] < x < table.x_range[1] and abs(y) < table.half_width)


def footprint_distance(item: SceneObject, where: np.ndarray) -> np.ndarray:
    """Return the metres from places (..., 2) to the rectangle that a thing covers; 0 inside."""
    local = (where - np.asarray(item.position[:2])) @ item.pose[:2, :2]
    outside = np.maximum(np.abs(local) - np.asarray(item.size[:2]) / 2, 0)
    return np.linalg.norm(outside, axis=-1)
