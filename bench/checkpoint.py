"""Checkpoints with random weights at any size, for speed and memory only."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from kimi_export.checkpoint import INDEX
from kimi_export.names import region_shapes, text_shapes, vision_shapes
from kimi_ros.resources import share
from kimi_ros.vlm.config import ModelConfig

_BIAS = 0.02


@dataclass(frozen=True)
class Size:
    """Differences from the published 2B model, which has the defaults of ModelConfig."""

    name: str
    text: dict[str, int] = field(default_factory=dict)
    vision: dict[str, int] = field(default_factory=dict)
    region: dict[str, int] = field(default_factory=dict)

    def raw(self) -> dict:
        """The config.json of this size."""
        base = asdict(ModelConfig())
        base['text'] |= self.text
        base['vision'] |= self.vision
        base['region'] |= self.region
        # The prompts of the tokenizer beside it: the published ones are for another vocabulary.
        nano = json.loads((share('models/nano') / 'config.json').read_text(encoding='utf-8'))
        base['tokenizer'] = nano['tokenizer']
        return base


SIZES = {
    size.name: size
    for size in (
        Size('2b'),
        # The image encoder of the 2B model, with a minimal text model, so that fp32 fits into
        # memory.
        Size('2b-vision', {'n_layers': 1}),
    )
}


def random_checkpoint(folder: Path, size: Size, seed: int = 0) -> Path:
    """Write a fp16 checkpoint with current names, one shard per layer, unless it exists.

    Weights are scaled by their fan-in, so that activations stay near 1 in all layers. The tokenizer
    is nano's, which is smaller than the vocabulary.
    """
    if (folder / INDEX).is_file() and _config(folder) == size.raw():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    half = folder.with_name(f'{folder.name}.part')
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    raw = size.raw()
    (half / 'config.json').write_text(json.dumps(raw))
    shutil.copy(share('models/nano/tokenizer.json'), half)
    config = ModelConfig.from_dict(raw)
    shards: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in (
        vision_shapes(config) | text_shapes(config) | region_shapes(config)
    ).items():
        parts = name.split('.')
        shard = '-'.join(parts[:3]) if parts[1] == 'blocks' else parts[0]
        shards.setdefault(shard, {})[name] = shape
    random, places = np.random.default_rng(seed), {}
    for shard, shapes in shards.items():
        file = f'{shard}.safetensors'
        tensors = {f'model.{name}': _values(random, name, shape) for name, shape in shapes.items()}
        save_file(tensors, half / file)
        places |= dict.fromkeys(tensors, file)
    (half / INDEX).write_text(json.dumps({'weight_map': places}))
    os.replace(half, folder)
    return folder


def _config(folder: Path) -> dict:
    return json.loads((folder / 'config.json').read_text(encoding='utf-8'))


def _values(random: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    values = random.standard_normal(shape, np.float32)
    values *= _BIAS if name.endswith('bias') else shape[-1] ** -0.5
    if '.ln' in name or 'post_ln' in name:
        values = values * (_BIAS / max(np.abs(values).max(), _BIAS)) + name.endswith('weight')
    return values.astype(np.float16)
