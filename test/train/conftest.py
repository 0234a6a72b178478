import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from kimi_ros.sim import COLORS, ObjectTruth
from kimi_ros.sim.full.object_classes import THINGS
from kimi_ros.vlm.config import ModelConfig
from kimi_train.model import Moondream
from kimi_train.nano.architecture import CROP, PATCH, build_tokenizer, config_with, description
from kimi_train.nano.corpus import corpus
from kimi_train.nano.scenes import SceneSet, as_line

torch.set_num_threads(1)  # one order of summing: two runs are compared bit by bit

GRID = CROP // PATCH


def drawn_scene(rng):
    """A flat stand-in for a rendered scene: coloured rectangles, with owners and the truth."""
    frame = np.full((CROP, CROP, 3), 120, np.uint8)
    instance_map = np.full((GRID, GRID), -1, np.int8)
    objects = []
    for slot, column in enumerate(rng.permutation(5)[: rng.integers(2, 5)]):
        top = int(rng.integers(0, 8))
        cells = slice(top, top + 3), slice(column * 3, column * 3 + 2)
        category, color = THINGS[int(rng.integers(len(THINGS)))], int(rng.integers(len(COLORS)))
        instance_map[cells] = slot
        frame[tuple(slice(c.start * PATCH, c.stop * PATCH) for c in cells)] = 20 + 20 * color
        box = column * 3 / GRID, top / GRID, (column * 3 + 2) / GRID, (top + 3) / GRID
        objects.append(thing(slot, category, COLORS[color], box))
    return frame, instance_map, as_line(objects)


def thing(index, category, color, box):
    """The truth about a thing on the table, as large and as far as its box says."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    size = (box[2] - box[0], box[2] - box[0], box[3] - box[1])
    return ObjectTruth(
        index,
        category,
        color,
        box,
        (x, y),
        100,
        (1 - y, 0.5 - x, 0.0),
        size,
        1.5 - y,
        size_name='medium',
    )


@pytest.fixture(scope='session')
def scenes():
    rng = np.random.default_rng(0)
    frames, instance_map, lines = zip(*(drawn_scene(rng) for _ in range(24)), strict=True)
    return SceneSet(np.stack(frames), np.stack(instance_map), lines)


@pytest.fixture(scope='session')
def start(tmp_path_factory, scenes):
    """A folder to train from: nano's own tokenizer and config, a quarter of its width."""
    folder = tmp_path_factory.mktemp('start')
    tokenizer = build_tokenizer(corpus(scenes, np.random.default_rng(0)))
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
        thing(0, 'cup', 'red', (0.1, 0.5, 0.2, 0.7)),
        thing(1, 'cup', 'red', (0.7, 0.5, 0.8, 0.7)),
        thing(2, 'book', 'blue', (0.4, 0.4, 0.6, 0.6)),
    ]


@pytest.fixture(scope='session')
def export():
    """Export a checkpoint as a user would; returns the model folder."""

    def run(checkpoint, out, *options):
        subprocess.run([sys.executable, '-m', 'kimi_export', checkpoint, out, *options], check=True)
        return out

    return run


@pytest.fixture(scope='session')
def tiny(start, tmp_path_factory):
    """A checkpoint with random weights that trains in a moment: a grid of 3, up to 4 crops."""
    folder = tmp_path_factory.mktemp('tiny')
    config = json.loads((start / 'config.json').read_text())
    config['text'] |= {'n_layers': 2}
    config['vision'] |= {'crop_size': 48, 'max_crops': 4, 'overlap_margin': 1}
    (folder / 'config.json').write_text(json.dumps(config))
    shutil.copy(start / 'tokenizer.json', folder)
    torch.manual_seed(1)
    state = Moondream(ModelConfig.from_dict(config)).state_dict()
    tensors = {f'model.{name}': tensor.contiguous() for name, tensor in state.items()}
    save_file(tensors, folder / 'model.safetensors')
    return folder


@pytest.fixture(scope='session')
def user_data(tmp_path_factory):
    """Ten lines that somebody wrote about three pictures of their own; returns the file."""
    folder = tmp_path_factory.mktemp('user')
    pictures = [('red', (60, 40)), ('blue', (40, 40)), ('gray', (90, 70))]
    for index, (color, size) in enumerate(pictures):
        picture = Image.new('RGB', size, 'white')
        picture.paste(color, (4, 4, 20, 16))
        picture.save(folder / f'{index}.png')
    about = [{'image': '0.png'}, {'image': '1.png'}, {'image': '2.png'}]
    plan = {'status': 'ok', 'say': 'I will.', 'steps': [{'skill': 'pick', 'object': 'red box'}]}
    tools = [{'name': 'lamp', 'parameters': {'type': 'object', 'properties': {'on': {}}}}]
    call = {'name': 'lamp', 'arguments': {'on': True}}
    code = 'import time\ntime.sleep(1)'
    lines = [
        {'task': 'query', **about[0], 'question': 'What is it?', 'answer': 'A red box.'},
        {'task': 'point', **about[0], 'object': 'red box', 'points': [[0.2, 0.25]]},
        {'task': 'detect', **about[0], 'object': 'red box', 'boxes': [[0.07, 0.1, 0.33, 0.4]]},
        {'task': 'plan', **about[0], 'instruction': 'pick up the red box', 'plan': plan},
        {'task': 'presence', **about[1], 'object': 'blue box', 'answer': True},
        {
            'task': 'query',
            **about[1],
            'question': 'How many boxes?',
            'reasoning': ['I see ', {'text': 'a box', 'points': [[0.3, 0.25]]}, '.'],
            'answer': 'One.',
        },
        {
            'task': 'query',
            **about[1],
            'history': [['What is it?', 'A box.']],
            'question': 'What colour is it?',
            'answer': 'Blue.',
        },
        {'task': 'check', **about[2], 'object': '盒子', 'place': [0.1, 0.1], 'answer': True},
        {'task': 'tool', 'question': 'Light, please!', 'tools': tools, 'call': call},
        {'task': 'query', 'question': 'Write code that waits.', 'answer': code},
    ]
    path = folder / 'mine.jsonl'
    path.write_text('\n'.join(json.dumps(line, ensure_ascii=False) for line in lines))
    return path
