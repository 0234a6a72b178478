"""Render the frames that ship with the package: `python -m kimi_ros.sim.record`."""

import dataclasses
import json

import numpy as np
from PIL import Image

from kimi_ros.sim.recorded import FOLDER
from kimi_ros.sim.renderer import Renderer
from kimi_ros.sim.sampling import sample_scene
from kimi_ros.sim.truth import ground_truth

SEEDS = (2_000_032, 2_000_112, 2_000_188, 2_000_211, 2_000_269)
"""Never trained on; two with two of the same name."""


def record(seed: int, renderer: Renderer) -> None:
    """Write one frame: rgb, depth (uint16 millimetres), object index + 1, and the notes."""
    scene = sample_scene(seed)
    frame = renderer.render(scene)
    images = {
        'rgb': frame.rgb,
        'depth': np.round(frame.depth * 1000).astype(np.uint16),
        'objects': (frame.segmentation + 1).astype(np.uint8),
    }
    for what, image in images.items():
        Image.fromarray(image).save(FOLDER / f'{seed}_{what}.png', optimize=True)
    notes = {
        'seed': seed,
        'intrinsics': frame.intrinsics.tolist(),
        'camera_pose': frame.camera_pose.tolist(),
        # What is not known is NaN, which JSON has not: the default stands for it.
        'truth': [
            {name: value for name, value in dataclasses.asdict(item).items() if value == value}
            for item in ground_truth(scene, frame)
        ],
    }
    (FOLDER / f'{seed}.json').write_text(json.dumps(notes, indent=1) + '\n')


if __name__ == '__main__':
    FOLDER.mkdir(exist_ok=True)
    with Renderer() as drawing:
        for number in SEEDS:
            record(number, drawing)
            print(FOLDER / f'{number}_rgb.png')
