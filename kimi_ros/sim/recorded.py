"""Frames that were rendered before, for machines without OpenGL."""

import dataclasses
import json
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.truth import ObjectTruth

FOLDER = Path(__file__).parent / 'recorded'


@dataclasses.dataclass(frozen=True)
class RecordedFrame:
    """A frame, the seed of its scene, and the truth about it.

    Depth is rounded to millimetres; the rest is as rendered, 640x480.
    """

    seed: int
    frame: RenderedFrame
    truth: tuple[ObjectTruth, ...]


def recorded_frames() -> tuple[RecordedFrame, ...]:
    """Load every recorded frame that ships with the package, by seed; needs no OpenGL.

    :raises FileNotFoundError: when they are missing from the installation.
    """
    notes = sorted(FOLDER.glob('*.json'))
    if not notes:
        raise FileNotFoundError(f'no recorded frames in {FOLDER}: install kimi_ros again')
    return tuple(_load(path) for path in notes)


def _load(path: Path) -> RecordedFrame:
    note = json.loads(path.read_text())
    frame = RenderedFrame(
        _image(path, 'rgb').astype(np.uint8),
        (_image(path, 'depth') / 1000).astype(np.float32),
        _image(path, 'objects').astype(np.int16) - 1,
        np.array(note['intrinsics']),
        np.array(note['camera_pose']),
    )
    truth = tuple(
        ObjectTruth(
            **{
                key: tuple(value) if isinstance(value, list) else value
                for key, value in item.items()
            }
        )
        for item in note['truth']
    )
    return RecordedFrame(note['seed'], frame, truth)


def _image(path: Path, what: str) -> np.ndarray:
    with Image.open(path.with_name(f'{path.stem}_{what}.png')) as image:
        return np.array(image)
