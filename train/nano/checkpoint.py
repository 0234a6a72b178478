"""Reading and writing models for training: a folder with config.json, tokenizer.json and, once
trained, weights.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from tokenizers import Tokenizer

from kimi_ros.vlm.config import ModelConfig
from kimi_train.model import Moondream
from kimi_train.nano.sizes import config_with, description


def load_start(folder: Path) -> tuple[Moondream, Tokenizer]:
    """Return a model of the folder's config, with fresh weights, and its tokenizer."""
    config = ModelConfig.from_dict(json.loads((folder / 'config.json').read_text()))
    return Moondream(config), Tokenizer.from_file(str(folder / 'tokenizer.json'))


def load_weights(model: Moondream, folder: Path) -> None:
    """Fill the model with the weights that `save_checkpoint` wrote into the folder."""
    state = load_file(folder / 'model.safetensors')
    model.load_state_dict({name.removeprefix('model.'): t.float() for name, t in state.items()})


def save_start(folder: Path, tokenizer: Tokenizer) -> None:
    """Write what a new nano begins with: its tokenizer, its config and its tasks."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / 'tokenizer.json'))
    (folder / 'config.json').write_text(json.dumps(config_with(tokenizer), indent=1) + '\n')
    (folder / 'tasks.json').write_text(description() + '\n')


def save_checkpoint(start: Path, weights: Path, out: Path) -> int:
    """Write the trained weights in half precision; return the file's size in bytes."""
    state = torch.load(weights, map_location='cpu', weights_only=True)['model']
    out.mkdir(parents=True, exist_ok=True)
    half = {f'model.{name}': t.half().contiguous() for name, t in state.items()}
    (out / 'model.safetensors').write_bytes(save(half))
    for name in ('config.json', 'tokenizer.json', 'tasks.json'):
        if (start / name).resolve() != (out / name).resolve():
            shutil.copyfile(start / name, out / name)
    return (out / 'model.safetensors').stat().st_size
