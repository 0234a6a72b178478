"""Reading and writing nano for training: config.json, tokenizer.json and, once trained, weights."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save
from tokenizers import Tokenizer

from kimi_ros.vlm.config import ModelConfig
from kimi_train.averaging import check_share, mean_weights
from kimi_train.model import Moondream
from kimi_train.nano.architecture import config_with, description


def load_start(folder: Path) -> tuple[Moondream, Tokenizer]:
    """Return a model of the folder's config, with fresh weights, and its tokenizer."""
    config = ModelConfig.from_dict(json.loads((folder / 'config.json').read_text()))
    return Moondream(config), Tokenizer.from_file(str(folder / 'tokenizer.json'))


def load_weights(model: Moondream, tokenizer: Tokenizer, folder: Path) -> list[str]:
    """Fill the model with the weights that `save_checkpoint` wrote into the folder.

    The folder's tokenizer may be another: a token that it has too keeps its rows in the table and
    in the head, another begins as the mean of the tokens that its text was before. Its model may
    have fewer blocks: further ones begin by adding nothing. Of an encoder with more blocks the last
    ones are kept.

    :return: the names of tensors of another shape, which stay as they were.
    """
    state = _weights_in(folder)
    old = Tokenizer.from_file(str(folder / 'tokenizer.json'))
    if old.to_str() != tokenizer.to_str():
        rows = (len(model.text.wte), len(state['text.wte']))
        share = _shares(tokenizer, old, rows)
        for name in _BY_TOKEN:
            state[name] = share @ state[name]
    own = model.state_dict()
    state = _last_encoder_blocks(state, model.config.vision.enc_n_layers)
    for name in own.keys() - state.keys():
        state[name] = own[name].clone()
        if name.split('.', 3)[-1] in _ADDED:
            state[name].zero_()
    state[_POSITIONS] = _stretched(state[_POSITIONS], own[_POSITIONS].shape[1])
    left = [name for name, tensor in own.items() if state[name].shape != tensor.shape]
    model.load_state_dict({name: own[name] if name in left else state[name] for name in own})
    return left


def _weights_in(folder: Path) -> dict[str, torch.Tensor]:
    """Return a checkpoint's tensors in fp32, by the names that the model gives them."""
    tensors = load_file(folder / 'model.safetensors')
    return {name.removeprefix('model.'): tensor.float() for name, tensor in tensors.items()}


_BY_TOKEN = ('text.wte', 'text.lm_head.weight', 'text.lm_head.bias')
_POSITIONS = 'vision.pos_emb'
_ADDED = [f'{layer}.{part}' for layer in ('attn.proj', 'mlp.fc2') for part in ('weight', 'bias')]


def _last_encoder_blocks(state: dict[str, torch.Tensor], kept: int) -> dict[str, torch.Tensor]:
    """Return the tensors with so many encoder blocks, the last ones, counted from 0."""
    of_block = {int(name.split('.')[2]) for name in state if name.startswith('vision.blocks.')}
    surplus = max(0, len(of_block) - kept)
    out = {}
    for name, tensor in state.items():
        if name.startswith('vision.blocks.'):
            index, rest = name.removeprefix('vision.blocks.').split('.', 1)
            name = f'vision.blocks.{int(index) - surplus}.{rest}'
        if '.-' not in name:
            out[name] = tensor
    return out


def _stretched(positions: torch.Tensor, patches: int) -> torch.Tensor:
    """Return positions (1, patches, dim) of a square grid, from those of another one."""
    old, new = (math.isqrt(n) for n in (positions.shape[1], patches))
    grid = positions.unflatten(1, (old, old)).permute(0, 3, 1, 2)
    return F.interpolate(grid, size=(new, new), mode='bicubic').flatten(2).mT.contiguous()


def _shares(new: Tokenizer, old: Tokenizer, rows: tuple[int, int]) -> torch.Tensor:
    """Return (new rows, old rows): of which old tokens' rows a new token's is the mean."""
    known = old.get_vocab()
    out = torch.zeros(rows)
    for token, index in new.get_vocab().items():
        if token in known:
            out[index, known[token]] = 1
            continue
        before = old.encode(new.decode([index])).ids or [0]
        for part in before:
            out[index, part] += 1 / len(before)
    return out


def save_start(folder: Path, tokenizer: Tokenizer) -> None:
    """Write what a new nano begins with: its tokenizer, its config and its tasks."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / 'tokenizer.json'))
    (folder / 'config.json').write_text(json.dumps(config_with(tokenizer), indent=1) + '\n')
    (folder / 'tasks.json').write_text(description() + '\n')


def save_checkpoint(
    start: Path,
    weights: Path,
    out: Path,
    mean_with: Path | None = None,
    share: float | None = None,
) -> int:
    """Write the trained weights in half precision; return the file's size in bytes.

    :param mean_with: the folder of the checkpoint that the weights went on from: what is written is
        the `mean_weights` of both.
    :param share: of the trained weights in that mean, 0-1; None for 0.5.
    :raises ValueError: where that checkpoint's tensors are others, the share is not within 0-1, or
        there is a share and no checkpoint.
    """
    if share is not None and not mean_with:
        raise ValueError(f'a share of {share} needs mean_with, the checkpoint to average with')
    share = 0.5 if share is None else share
    check_share(share)
    state = torch.load(weights, map_location='cpu', weights_only=True)['model']
    if mean_with:
        state = mean_weights(_weights_in(mean_with), state, share)
    half = {f'model.{name}': t.half().contiguous() for name, t in state.items()}
    out.mkdir(parents=True, exist_ok=True)
    (out / 'model.safetensors').write_bytes(save(half))
    for name in ('config.json', 'tokenizer.json', 'tasks.json'):
        if (start / name).resolve() != (out / name).resolve():
            shutil.copyfile(start / name, out / name)
    return (out / 'model.safetensors').stat().st_size
