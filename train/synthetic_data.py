"""Training data from rendered scenes, in the form that users bring theirs in.

Every scene becomes an image and some lines of JSONL: questions, reasoning chains that point, plans
under many catalogues, tool calls, code, and dialogues of several turns.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.sim import Renderer, sample_scene, visible_truth
from kimi_ros.sim.seeds import check_training
from kimi_train.nano.scenes import SMALL_SHARE
from kimi_train.synthetic_lines import ALL_SORTS, KNOWN_TO_NANO, lines_about


def write_synthetic_data(
    folder: Path, seeds: range, size: tuple[int, int] = (640, 480), rehearsal: bool = False
) -> Path:
    """Render the seeds' scenes and write what can be asked about them; return the JSONL file.

    :param folder: for `images/` and `table.jsonl`; made where it is not there.
    :param size: width and height of the images, pixels.
    :param rehearsal: write only what nano was taught, in the shares that it needs to keep it; one
        scene in eight is of the small world.
    :raises HeldOutSeedError: for seeds that are reserved for evaluation.
    """
    check_training(seeds)
    images = folder / 'images'
    images.mkdir(parents=True, exist_ok=True)
    out = folder / 'table.jsonl'
    sorts = KNOWN_TO_NANO if rehearsal else ALL_SORTS
    with Renderer(*size) as renderer, out.open('w', encoding='utf-8') as file:
        for seed in seeds:
            world = 'small' if rehearsal and seed % SMALL_SHARE == 0 else 'full'
            scene = sample_scene(seed, world)
            frame = renderer.render(scene, depth=False)
            image = f'images/{seed}.jpg'
            Image.fromarray(frame.rgb).save(folder / image, quality=92)
            objects = [item.normalized(*size) for item in visible_truth(scene, frame)]
            for line in lines_about(objects, image, np.random.default_rng(seed), sorts):
                file.write(json.dumps(line, ensure_ascii=False) + '\n')
    return out
