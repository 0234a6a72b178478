"""An object of the full table."""

from __future__ import annotations

import dataclasses

from kimi_ros.sim.full.object_classes import HAZARDS
from kimi_ros.sim.scene import SceneObject, Vector


@dataclasses.dataclass(frozen=True)
class DetailedObject(SceneObject):
    """One object, standing on the table, on another one or in another one.

    :ivar size_name: 'small', 'medium' or 'large' for its category.
    :ivar material: one of the category's `MATERIALS`, '' for people.
    :ivar support: index of the object that it stands on or lies in, -1 for the table.
    :ivar relation: 'on' or 'in' that object; 'on' for the table; 'beside' for people.
    :ivar text: what is written on it, '' for nothing.
    :ivar shows: (category, colour) of what a picture shows, or ('', '').
    :ivar hot: whether it glows with heat.
    :ivar skin: RGB in 0-1, of people; their `rgb` is what they wear.
    """

    size_name: str = 'medium'
    material: str = ''
    support: int = -1
    relation: str = 'on'
    text: str = ''
    shows: tuple[str, str] = ('', '')
    hot: bool = False
    skin: Vector = (0.0, 0.0, 0.0)

    @property
    def bottom(self) -> float:
        """Height of its lowest point, metres."""
        return self.position[2] - self.size[2] / 2

    @property
    def top(self) -> float:
        """Height of its highest point, metres."""
        return self.position[2] + self.size[2] / 2

    @property
    def hazard(self) -> str:
        """What is dangerous about it: 'sharp', 'fragile', 'hot' or ''."""
        return 'hot' if self.hot else HAZARDS.get(self.category, '')
