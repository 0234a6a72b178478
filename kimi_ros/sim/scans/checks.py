"""Looking scans over before they are used: what is odd about them, and a sheet of them all."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import cv2
import numpy as np

from kimi_ros.sim.scans.draw import draw
from kimi_ros.sim.scans.mesh import Scan, ScanError, load_scan
from kimi_ros.sim.scans.patterns import pattern
from kimi_ros.sim.scans.scene import Room, ScanCamera, ScanLight, ScanObject, ScanScene, Surface
from kimi_ros.sim.scans.table_layout import turned
from kimi_ros.sim.scans.things import Thing, Things

PLAUSIBLE = 0.008, 0.8
"""Metres: the longest side of a household thing."""
_CELL = 192, 144
_COLUMNS = 8


@dataclasses.dataclass(frozen=True)
class Checked:
    """One thing and what is odd about its scan.

    :ivar scan: None where it cannot be loaded.
    :ivar problems: ends of sentences about the thing, for people; may be empty.
    """

    thing: Thing
    scan: Scan | None
    problems: tuple[str, ...]

    @property
    def size(self) -> tuple[float, ...]:
        """Extents in metres; empty where it cannot be loaded."""
        return () if self.scan is None else tuple(float(side) for side in self.scan.size)


def check_things(things: Things, folder: Path) -> list[Checked]:
    """Load every thing's scan from a folder; return what was found, in the file's order."""
    return [_checked(thing, Path(folder)) for thing in things]


def _checked(thing: Thing, folder: Path) -> Checked:
    try:
        scan = load_scan(folder / thing.mesh, thing.up, thing.scale)
    except ScanError as error:
        return Checked(thing, None, (str(error),))
    problems = []
    longest = float(scan.size.max())
    if not PLAUSIBLE[0] <= longest <= PLAUSIBLE[1]:
        problems.append(
            f'{longest:.3g} m long: is "scale" right? (0.001 where the file is in millimetres)'
        )
    if not scan.watertight:
        problems.append('not watertight' if scan.closed else 'open: its inside can be seen')
    if scan.texture.sizes[0] < 256:
        problems.append(f'its texture has only {scan.texture.sizes[0]} pixels a side')
    return Checked(thing, scan, tuple(problems))


def contact_sheet(checked: list[Checked], path: Path) -> None:
    """Write a picture of all things as they stand, with their ids and first names."""
    cells = [_cell(result) for result in checked]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % _COLUMNS)
    rows = [np.hstack(cells[i : i + _COLUMNS]) for i in range(0, len(cells), _COLUMNS)]
    if not cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)):
        raise OSError(f'{path}: cannot be written')


def _cell(result: Checked) -> np.ndarray:
    scan, thing = result.scan, result.thing
    reach = float(np.linalg.norm(scan.size)) / 2
    item = ScanObject(
        scan, scan.texture, turned('z', 0.6 * math.pi), np.array([0, 0, scan.size[2] / 2]), 0.0,
        thing.id, thing.kind, thing.names['en'][0], thing.color,
    )  # fmt: skip
    tilt = math.radians(35)
    pose = np.eye(4)
    pose[:3, 0] = 0, -1, 0
    pose[:3, 2] = math.cos(tilt), 0, -math.sin(tilt)
    pose[:3, 1] = np.cross(pose[:3, 2], pose[:3, 0])
    pose[:3, 3] = item.position - pose[:3, 2] * reach * 4.2
    grey = Surface(pattern(6), 3.0, 0.0, (0.2, 0.2), np.ones(3))
    room = Room((-9, 9, -9, 9, 0.1), -1.0, 9.0, (grey, grey, grey), 0.0)
    lamp = ScanLight(np.array([-0.45, 0.45, 0.77]), np.full(3, 0.8), 0.1)
    scene = ScanScene(
        0, 'table', (item,), ScanCamera(1.9, (0.0, 0.0), pose), (lamp,), np.full(3, 0.5),
        np.full(3, 0.2), room, None, 0.13,
    )  # fmt: skip
    image = draw(scene, *_CELL).frame.rgb
    for text, y in ((thing.id, 10), (f'{thing.color} {thing.names["en"][0]}', _CELL[1] - 5)):
        cv2.putText(image, text, (3, y), 0, 0.34, (0, 0, 0), 2, cv2.LINE_AA)
        cv2.putText(image, text, (3, y), 0, 0.34, (255, 255, 255), 1, cv2.LINE_AA)
    return image
