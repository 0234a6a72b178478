"""From a seed to a scene of scanned things: on a table, or pasted on a backdrop."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np

from kimi_ros.sim.scans import made_up
from kimi_ros.sim.scans.alterations import NEW_COLORS, coarser, hue_share, recolored
from kimi_ros.sim.scans.backdrops import Backdrops
from kimi_ros.sim.scans.mesh import Scan, load_scan
from kimi_ros.sim.scans.patterns import draw_pattern
from kimi_ros.sim.scans.scene import ScanObject, ScanScene
from kimi_ros.sim.scans.surroundings import draw_camera, draw_lights, draw_room, target_of
from kimi_ros.sim.scans.table_layout import TableLayout, turned
from kimi_ros.sim.scans.texture import Pyramid, pyramid
from kimi_ros.sim.scans.things import Thing, Things

TABLE_SHARE = 0.65
MOST_THINGS, MOST_DISTRACTORS = 7, 4
ASPECT = 4 / 3
_COLORFUL = 0.3
_COPIES, _SAME_KIND = 0.15, 0.3


class SceneSampler:
    """Draws scenes with the things of a file; all their scans are held in memory.

    :param things: from `load_things`.
    :param folder: of their meshes.
    :param backdrops: folder of photographs, see `Backdrops`; None for collages.
    :raises ScanError: when a mesh is missing or cannot be used.
    """

    def __init__(self, things: Things, folder: Path, backdrops: Path | None = None):
        self.things = things
        self.scans: dict[str, Scan] = {
            t.id: load_scan(Path(folder) / t.mesh, t.up, t.scale) for t in things
        }
        self._backdrops = Backdrops(backdrops)
        self._colorful = {
            t.id: bool(t.color) and hue_share(self.scans[t.id].texture) > _COLORFUL for t in things
        }
        self._colors: dict[tuple[str, str], Pyramid] = {}
        self._of_print = [t for t in things if t.identity == 'print']

    def sample(self, seed: int) -> ScanScene:
        """Return the scene of a seed, a non-negative integer."""
        rng = np.random.default_rng([seed, 24])
        items = self._items(rng)
        return (
            self._on_table(seed, items, rng)
            if rng.random() < TABLE_SHARE
            else self._pasted(seed, items, rng)
        )

    def _on_table(self, seed: int, items: list[ScanObject], rng) -> ScanScene:
        camera = draw_camera(rng, (16, 76), (0.42, 1.15))
        target = target_of(camera)
        room = draw_room(rng, target, self._backdrops)
        lights, sky, ground = draw_lights(rng)
        supports = {t.id: t.supports for t in self.things}
        layout = TableLayout(camera, room, supports, rng)
        for item in sorted(items, key=lambda i: -float(np.prod(i.scan.size))):
            layout.place(item)
        return ScanScene(
            seed, 'table', tuple(layout.objects), camera, lights, sky, ground, room, None,
            rng.uniform(0.10, 0.32),
        )  # fmt: skip

    def _pasted(self, seed: int, items: list[ScanObject], rng) -> ScanScene:
        camera = draw_camera(rng, (0, 3), (0.5, 0.51))
        lights, sky, ground = draw_lights(rng)
        placed: list[tuple[ScanObject, np.ndarray]] = []
        for item in items:
            for _ in range(8):
                found = _in_the_air(item, camera, rng)
                if all(_apart(found[1], circle) for _, circle in placed):
                    placed.append(found)
                    break
        return ScanScene(
            seed, 'backdrop', tuple(item for item, _ in placed), camera, lights, sky, ground, None,
            self._backdrops.draw(rng, ASPECT), rng.uniform(0.10, 0.32),
        )  # fmt: skip

    def _items(self, rng) -> list[ScanObject]:
        """Return what is to be placed, in no place yet."""
        count = int(rng.integers(2, MOST_THINGS + 1))
        chosen: list[Thing] = []
        if rng.random() < _COPIES:
            chosen += [self._some(self.things.all, rng)] * int(rng.integers(2, min(count, 4) + 1))
        elif rng.random() < _SAME_KIND:
            kind = self._some(self.things.all, rng).kind
            alike = [t for t in self.things if t.kind == kind]
            rng.shuffle(alike)
            chosen += alike[: int(rng.integers(1, 4))]
        while len(chosen) < count:
            chosen.append(self._some(self.things.all, rng))
        items = [self._thing(thing, rng) for thing in chosen[:count]]
        for _ in range(int(rng.choice(MOST_DISTRACTORS + 1, p=[0.3, 0.3, 0.2, 0.12, 0.08]))):
            altered = self._of_print and rng.random() < 0.5
            items.append(self._altered(rng) if altered else self._made_up(rng))
        return items

    def _thing(self, thing: Thing, rng) -> ScanObject:
        scan = self.scans[thing.id]
        item = ScanObject(
            scan, scan.texture, np.eye(3), np.zeros(3), _gloss(rng), thing.id, thing.kind,
            thing.names['en'][0], thing.color, hazard=thing.hazard,
        )  # fmt: skip
        if thing.identity == 'shape' and self._colorful[thing.id] and rng.random() < 0.4:
            color = self._some([c for c in NEW_COLORS if c != thing.color], rng)
            item = dataclasses.replace(item, texture=self._recolored(thing, color), color=color)
        return item

    def _altered(self, rng) -> ScanObject:
        """Return the shape of a thing with another colour or print."""
        thing = self._some(self._of_print, rng)
        item = dataclasses.replace(self._thing(thing, rng), distractor=True, color='')
        if self._colorful[thing.id] and rng.random() < 0.5:
            color = self._some([c for c in NEW_COLORS if c != thing.color], rng)
            return dataclasses.replace(item, texture=self._recolored(thing, color), color=color)
        return dataclasses.replace(item, texture=self._print(rng))

    def _made_up(self, rng) -> ScanObject:
        number = int(rng.integers(made_up.COUNT))
        return ScanObject(
            made_up.made_up(number), self._print(rng), np.eye(3), np.zeros(3), _gloss(rng), '',
            made_up.kind_of(number), '', '', distractor=True,
        )  # fmt: skip

    def _recolored(self, thing: Thing, color: str) -> Pyramid:
        if (thing.id, color) not in self._colors:
            self._colors[thing.id, color] = recolored(self.scans[thing.id].texture, color)
        return self._colors[thing.id, color]

    def _print(self, rng):
        """Return a pattern, or what a photograph shows."""
        if rng.random() < 0.5:
            return coarser(draw_pattern(rng), 256)
        return coarser(pyramid(self._backdrops.draw_square(rng)), 256)

    def _some(self, options, rng):
        return options[int(rng.integers(len(options)))]


def _gloss(rng) -> float:
    return rng.uniform(0.02, 0.35) if rng.random() < 0.5 else 0.0


def _in_the_air(item: ScanObject, camera, rng) -> tuple[ScanObject, np.ndarray]:
    """Return the thing in a free pose somewhere in sight, and its circle: x, y, radius in heights.

    Two in three are seen as if they stood before a camera that looks down on them.
    """
    if rng.random() < 0.65:
        tilt, roll = math.radians(rng.uniform(-5, 70)), math.radians(rng.normal(0, 15))
        # Towards the camera, which is at smaller x: its top comes nearer.
        pitched = turned('y', -tilt) @ turned('z', rng.uniform(0, 2 * math.pi))
        rotation = turned('x', roll) @ pitched
    else:
        rotation = _any_rotation(rng)
    reach = float(np.linalg.norm(item.scan.size)) / 2
    radius = math.exp(rng.uniform(*np.log((0.055, 0.30))))
    depth = float(np.clip(camera.focal * reach / radius, 0.22, 2.5)) + reach / 2
    x, y = rng.uniform(-0.46, 0.46) * ASPECT, rng.uniform(-0.46, 0.46)
    ray = np.array([x / camera.focal, y / camera.focal, 1.0]) * depth
    position = camera.pose[:3, :3] @ ray + camera.pose[:3, 3]
    circle = np.array([x, y, camera.focal * reach / depth])
    return dataclasses.replace(item, rotation=rotation, position=position), circle


def _apart(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two circles overlap little enough for both to be seen."""
    return math.hypot(*(one - other)[:2]) > 0.6 * max(one[2], other[2])


def _any_rotation(rng) -> np.ndarray:
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))
