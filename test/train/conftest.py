import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from kimi_ros.sim import COLORS, KINDS
from kimi_train.nano.corpus import corpus
from kimi_train.nano.questions import Thing
from kimi_train.nano.scenes import MAX_OBJECTS, SceneSet
from kimi_train.nano.sizes import build_tokenizer, config_with, description

torch.set_num_threads(1)  # one order of summing: two runs are compared bit by bit

GRID, CROP = 12, 192


def drawn_scene(rng):
    """A flat stand-in for a rendered scene: coloured rectangles, with owners and rows."""
    frame = np.full((CROP, CROP, 3), 120, np.uint8)
    owners = np.full((GRID, GRID), -1, np.int8)
    rows = np.full((MAX_OBJECTS, 6), -1, np.float32)
    for slot, column in enumerate(rng.permutation(4)[: rng.integers(2, 5)]):
        top = int(rng.integers(0, 8))
        cells = slice(top, top + 3), slice(column * 3, column * 3 + 2)
        kind, color = int(rng.integers(len(KINDS))), int(rng.integers(len(COLORS)))
        owners[cells] = slot
        frame[tuple(slice(c.start * 16, c.stop * 16) for c in cells)] = 20 + 25 * color
        box = np.array([column * 3, top, column * 3 + 2, top + 3]) / GRID
        rows[slot] = [kind, color, *box]
    return frame, owners, rows


@pytest.fixture(scope='session')
def scenes():
    rng = np.random.default_rng(0)
    drawn = [drawn_scene(rng) for _ in range(24)]
    return SceneSet(*(np.stack(arrays) for arrays in zip(*drawn, strict=True)))


@pytest.fixture(scope='session')
def start(tmp_path_factory, scenes):
    """A folder to train from: nano's own tokenizer and config, a quarter of its width."""
    folder = tmp_path_factory.mktemp('start')
    tokenizer = build_tokenizer(corpus(scenes.objects, np.random.default_rng(0)))
    tokenizer.save(str(folder / 'tokenizer.json'))
    config = config_with(tokenizer)
    config['text'] |= {'dim': 64, 'ff_dim': 96, 'n_layers': 5, 'n_heads': 2, 'n_kv_heads': 1}
    config['vision'] |= {'enc_dim': 32, 'enc_n_layers': 2, 'enc_ff_dim': 64, 'enc_n_heads': 2}
    config['vision'] |= {'proj_out_dim': 64, 'proj_inner_dim': 64}
    config['region'] |= {'dim': 64, 'inner_dim': 64}
    (folder / 'config.json').write_text(json.dumps(config))
    (folder / 'tasks.json').write_text(description('small'))
    return folder


@pytest.fixture
def scene():
    return [
        Thing('cup', 'red', (0.1, 0.5, 0.2, 0.7)),
        Thing('cup', 'red', (0.7, 0.5, 0.8, 0.7)),
        Thing('book', 'blue', (0.4, 0.4, 0.6, 0.6)),
    ]


@pytest.fixture(scope='session')
def export():
    """Export a checkpoint as a user would; returns the model folder."""

    def run(checkpoint, out):
        subprocess.run([sys.executable, '-m', 'kimi_export', checkpoint, out], check=True)
        return out

    return run
