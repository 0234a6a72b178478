"""Ground truth about a drawn scene of scanned things."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from kimi_ros.sim.truth import ObjectTruth, grasp_point

if TYPE_CHECKING:  # reading needs nothing that draws
    from kimi_ros.sim.scans.draw import ScanFrame
    from kimi_ros.sim.scans.scene import ScanScene

SEEN = 0.25
"""Share of its outline that a thing must show for one to ask about it."""


@dataclasses.dataclass(frozen=True)
class ScanTruth(ObjectTruth):
    """One visible object; `category` is the thing's first English name, '' for a made-up shape.

    :ivar thing: its id in the things file; '' for a made-up shape.
    :ivar kind: name of the kind that it is one of.
    :ivar visible: share of its whole outline that is seen, also of what lies beyond the picture.
    :ivar distractor: whether it is not what the thing's names mean: a made-up shape, or the thing's
        shape with another print. It may still be one of its kind.
    """

    thing: str = ''
    kind: str = ''
    visible: float = 1.0
    distractor: bool = False


def scan_truth(scene: ScanScene, drawn: ScanFrame) -> tuple[ScanTruth, ...]:
    """Return the truth about every object that shows at least one pixel, in the scene's order."""
    frame, found = drawn.frame, []
    for index, item in enumerate(scene.objects):
        rows, columns = np.nonzero(frame.segmentation == index)
        if not len(rows):
            continue
        x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        row, column = grasp_point(frame.segmentation[y0:y1, x0:x1] == index)
        alone = frame.unoccluded_pixels[index]
        found.append(
            ScanTruth(
                index=index,
                category=item.name,
                color=item.color,
                box=(float(x0), float(y0), float(x1), float(y1)),
                point=(float(x0 + column) + 0.5, float(y0 + row) + 0.5),
                pixels=len(rows),
                position=tuple(float(v) for v in item.position),
                size=tuple(float(v) for v in item.scan.size),
                distance=float(math.dist(item.position, frame.camera_pose[:3, 3])),
                occluded=float(min(max(1 - len(rows) / max(alone, 1), 0.0), 1.0)),
                support=item.support,
                relation=item.relation,
                hazard=item.hazard,
                thing=item.thing,
                kind=item.kind,
                visible=float(min(drawn.visible[index], 1.0)),
                distractor=item.distractor,
            )
        )
    return tuple(found)


_WRITTEN = (
    'index', 'thing', 'distractor', 'kind', 'category', 'color', 'box', 'point', 'pixels',
    'visible', 'occluded', 'position', 'size', 'distance', 'support', 'relation', 'hazard',
)  # fmt: skip


def to_json(truth: ScanTruth) -> dict[str, Any]:
    """Return what `from_json` reads."""
    return {key: _rounded(getattr(truth, key)) for key in _WRITTEN}


def from_json(data: dict[str, Any]) -> ScanTruth:
    """Return the truth that `to_json` wrote."""
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
    return ScanTruth(**values)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    return [round(v, 4) for v in value] if isinstance(value, tuple) else value
