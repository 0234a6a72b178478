"""An object of the full table, and the truth about it in a frame."""

from __future__ import annotations

import dataclasses
import math

from kimi_ros.sim.frame import Frame
from kimi_ros.sim.full.catalogue import HAZARDS
from kimi_ros.sim.scene import SceneObject, Vector
from kimi_ros.sim.truth import ObjectTruth


@dataclasses.dataclass(frozen=True)
class Thing(SceneObject):
    """One object, standing on the table, on another one or in another one.

    Attributes:
        size_name: 'small', 'medium' or 'large' for its kind.
        material: one of the kind's `MATERIALS`, '' for people.
        support: index of the object that it stands on or lies in, -1 for the table.
        relation: 'on' or 'in' that object; 'on' for the table; 'beside' for people.
        text: what is written on it, '' for nothing.
        shows: (kind, colour) of what a picture shows, or ('', '').
        hot: whether it glows with heat.
        skin: RGB in 0-1, of people; their `rgb` is what they wear.
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
        return 'hot' if self.hot else HAZARDS.get(self.kind, '')

    def truth(self, seen: ObjectTruth, frame: Frame) -> ThingTruth:
        """Return what is true of it, `seen` being what the frame shows."""
        alone = 0 if frame.alone is None else frame.alone[seen.index]
        return ThingTruth(
            **vars(seen), size=self.size, size_name=self.size_name, material=self.material,
            support=self.support, relation=self.relation,
            occluded=max(0.0, 1 - seen.pixels / alone) if alone else math.nan,
            text=self.text, shows=self.shows, hazard=self.hazard,
            distance=math.dist(self.position, frame.camera_pose[:3, 3]))


@dataclasses.dataclass(frozen=True)
class ThingTruth(ObjectTruth):
    """What is true of one visible object of the full table.

    Attributes:
        size: extents along its own axes, metres.
        size_name: 'small', 'medium' or 'large' for its kind.
        material: what it is made of, '' for people.
        support: `index` of the object it stands on or lies in, -1 for the table.
        relation: 'on' or 'in' its support; 'beside' for people.
        occluded: share of the pixels it would have alone in the frame that others hide, 0-1; NaN
            when the frame was rendered without `alone=True`.
        text: what is written on it, '' for nothing.
        shows: (kind, colour) of what a picture shows, or ('', ''): it is a picture of that.
        hazard: 'sharp', 'fragile', 'hot' or ''.
        distance: from the camera to its centre, metres.
    """

    size: Vector
    size_name: str
    material: str
    support: int
    relation: str
    occluded: float
    text: str
    shows: tuple[str, str]
    hazard: str
    distance: float
