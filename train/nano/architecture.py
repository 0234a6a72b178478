"""nano's architecture: its sizes, its tokenizer, its initial weights."""

from __future__ import annotations

import json
import math

import numpy as np
import torch

from kimi_ros.agent.prompts import describe_question
from kimi_ros.sim.referring_expression import CATEGORY_ZH, COLOR_ZH, LANGUAGES
from kimi_train.model import Moondream
from kimi_train.nano.tokenizer import templates, train_tokenizer

CROP, PATCH = 384, 16
VOCABULARY = 1280
SIZES = {
    'text': {
        'dim': 160,
        'ff_dim': 640,
        'n_layers': 6,
        'vocab_size': VOCABULARY,
        'max_context': 1024,
        'n_heads': 5,
        'n_kv_heads': 5,
        'prefix_attn': 1 + (CROP // PATCH) ** 2,
    },
    'vision': {
        'enc_dim': 128,
        'enc_patch_size': PATCH,
        'enc_n_layers': 8,
        'enc_ff_dim': 512,
        'enc_n_heads': 4,
        'proj_out_dim': 160,
        'crop_size': CROP,
        'in_channels': 3,
        'max_crops': 1,
        'overlap_margin': 2,
        'proj_inner_dim': 320,
    },
    'region': {
        'dim': 160,
        'coord_feat_dim': 32,
        'coord_out_dim': 1024,
        'size_feat_dim': 64,
        'size_out_dim': 2048,
        'inner_dim': 128,
    },
}


def config_with(tokenizer) -> dict:
    """Return nano's config.json with the prompt templates in the tokenizer's ids."""
    special = {
        'bos_id': 0,
        'eos_id': 0,
        'answer_id': 3,
        'thinking_id': 4,
        'coord_id': 5,
        'size_id': 6,
        'start_ground_points_id': 7,
        'end_ground_id': 9,
    }
    return SIZES | {'tokenizer': special | {'templates': templates(tokenizer)}}


def build_tokenizer(texts):
    """Train nano's tokenizer on sentences of the table, every name and character counted in."""
    alone = [*CATEGORY_ZH.values(), *COLOR_ZH.values(), *(describe_question(x) for x in LANGUAGES)]
    return train_tokenizer([*texts, *(a for a in alone for _ in range(50))], VOCABULARY)


def initialise(model: Moondream) -> None:
    """Set the initial weights from known structure where there is any.

    Patches are read through cosines over space and light and colour differences, as images are
    coded; coordinates are written and read through waves over 0-1, so that neighbouring bins begin
    alike. All of it is then trained.
    """
    with torch.no_grad():
        model.vision.patch_emb.weight.copy_(_cosine_patches(model))
        model.vision.patch_emb.bias.zero_()
        region = model.region
        n = region.coord_features.shape[-1]
        region.coord_features.copy_(torch.logspace(-1, 4, n, base=2)[None])
        region.size_features.normal_(0, 2)
        for decoder, groups in ((region.coord_decoder, 1), (region.size_decoder, 2)):
            decoder.fc2.weight.copy_(_waves(decoder.fc2.weight.shape, groups))
            decoder.fc2.bias.zero_()
        for block in [*model.vision.blocks, *model.text.blocks]:
            depth = len(model.text.blocks if hasattr(block, 'ln') else model.vision.blocks)
            for layer in (block.attn.proj, block.mlp.fc2):
                layer.weight.mul_(1 / math.sqrt(depth))
                layer.bias.zero_()


def _cosine_patches(model: Moondream) -> torch.Tensor:
    out, size = model.vision.patch_emb.out_features, PATCH
    k = np.arange(size)
    basis = np.cos(math.pi * (k[None] + 0.5) * k[:, None] / size)
    basis /= np.linalg.norm(basis, axis=1, keepdims=True)
    order = sorted(((u, v) for u in range(size) for v in range(size)), key=lambda p: (sum(p), p))
    light = np.array([[1, 1, 1], [1, -1, 0], [0.5, 0.5, -1]]) / np.array([[3], [2], [2]]) ** 0.5
    filters = []
    for n, (u, v) in enumerate(order):
        for c in range(3 if n < out // 5 else 1):
            filters.append(np.einsum('c,i,j->cij', light[c], basis[u], basis[v]).reshape(-1))
    return torch.tensor(np.stack(filters[:out]), dtype=torch.float32) * 0.3


def _waves(shape, groups: int) -> torch.Tensor:
    bins, inner = shape[0] // groups, shape[1]
    quarter = inner // groups // 4
    x = (torch.arange(bins) + 0.5)[:, None] / bins
    angles = 2 * math.pi * x * torch.logspace(-1, 5, quarter, base=2)[None]
    waves = torch.cat([angles.cos(), -angles.cos(), angles.sin(), -angles.sin()], -1) * 0.5
    out = torch.zeros(shape)
    for g in range(groups):
        width = waves.shape[1]
        out[g * bins : (g + 1) * bins, g * width : (g + 1) * width] = waves
    return out


def description(name: str = 'nano') -> str:
    """Return what the exporter writes into model.json about the checkpoint, as JSON text."""
    tasks = ['query', 'caption', 'point', 'detect', 'plan']
    return json.dumps({'name': name, 'tasks': tasks, 'languages': list(LANGUAGES)}, indent=1)
