"""Canonical names and shapes of the architecture's tensors, and the older names of releases.

Canonical names are those of current checkpoints without the prefix 'model.'. The older names are
those of releases before 2025, as mapped by moondream's weights.py (vikhyat/moondream, Apache-2.0).
"""

from __future__ import annotations

import re

from kimi_ros.vlm import efficientnet
from kimi_ros.vlm.config import ModelConfig

Shapes = dict[str, tuple[int, ...]]

_OLDER = (
    (r'vision_encoder\.encoder\.model\.visual\.patch_embed\.linear\.', 'vision.patch_emb.'),
    (r'vision_encoder\.encoder\.model\.visual\.pos_embed$', 'vision.pos_emb'),
    (r'vision_encoder\.encoder\.model\.visual\.norm\.', 'vision.post_ln.'),
    (r'vision_encoder\.encoder\.model\.visual\.blocks\.(\d+)\.norm', r'vision.blocks.\1.ln'),
    (r'vision_encoder\.encoder\.model\.visual\.blocks\.', 'vision.blocks.'),
    (r'vision_encoder\.projection\.mlp\.', 'vision.proj_mlp.'),
    (r'text_model\.transformer\.embd\.wte\.weight$', 'text.wte'),
    (r'text_model\.transformer\.h\.(\d+)\.mixer\.Wqkv\.', r'text.blocks.\1.attn.qkv.'),
    (r'text_model\.transformer\.h\.(\d+)\.mixer\.out_proj\.', r'text.blocks.\1.attn.proj.'),
    (r'text_model\.transformer\.h\.', 'text.blocks.'),
    (r'text_model\.lm_head\.ln\.', 'text.post_ln.'),
    (r'text_model\.lm_head\.linear\.', 'text.lm_head.'),
    (r'region_model\.coordinate_features\.weight$', 'region.coord_features'),
    (r'region_model\.size_features\.weight$', 'region.size_features'),
    (r'region_model\.coordinate_', 'region.coord_'),
    (r'region_model\.size_', 'region.size_'),
)
# Older releases store these as weights of linear layers, current ones as matrices (transposed).
_TRANSPOSED = ('region_model.coordinate_features.weight', 'region_model.size_features.weight')


def canonical(stored: str) -> tuple[str, bool]:
    """Canonical name of a stored tensor, and whether its values must be transposed."""
    name = stored.replace('._orig_mod', '').removeprefix('_orig_mod.')
    transposed = name in _TRANSPOSED
    for pattern, replacement in _OLDER:
        renamed, count = re.subn(f'^{pattern}', replacement, name)
        if count:
            return renamed, transposed
    return name.removeprefix('model.'), False


def vision_shapes(config: ModelConfig) -> Shapes:
    """Canonical names and shapes of the image encoder and its projection."""
    vision = config.vision
    dim, ff = vision.enc_dim, vision.enc_ff_dim
    shapes = stem_shapes() if vision.stem else {}
    shapes |= _linear('vision.patch_emb', vision.patch_features, dim)
    shapes['vision.pos_emb'] = (1, vision.patches, dim)
    for i in range(vision.enc_n_layers):
        block = f'vision.blocks.{i}'
        shapes |= _norm(f'{block}.ln1', dim)
        shapes |= _linear(f'{block}.attn.qkv', dim, 3 * dim)
        shapes |= _linear(f'{block}.attn.proj', dim, dim)
        shapes |= _norm(f'{block}.ln2', dim)
        shapes |= _mlp(f'{block}.mlp', dim, ff, dim)
    shapes |= _norm('vision.post_ln', dim)
    shapes |= _mlp('vision.proj_mlp', 2 * dim, vision.proj_inner_dim, vision.proj_out_dim)
    return shapes


def stem_shapes() -> Shapes:
    """Canonical names and shapes of the convolutional stem, its batch norms folded."""
    shapes = _convolution('vision.stem.first', 3, efficientnet.FIRST_CHANNELS, 3)
    for i, block in enumerate(efficientnet.BLOCKS):
        name = f'vision.stem.blocks.{i}'
        if block.expansion > 1:
            shapes |= _convolution(f'{name}.expand', block.inputs, block.inner, 1)
        shapes |= _convolution(f'{name}.depthwise', 1, block.inner, block.kernel)
        shapes |= _convolution(f'{name}.project', block.inner, block.outputs, 1)
    return shapes


def text_shapes(config: ModelConfig) -> Shapes:
    """Canonical names and shapes of the decoder, its embeddings and its head."""
    text = config.text
    qkv = (text.n_heads + 2 * text.n_kv_heads) * text.head_dim
    shapes: Shapes = {'text.wte': (text.vocab_size, text.dim)}
    for i in range(text.n_layers):
        block = f'text.blocks.{i}'
        shapes |= _norm(f'{block}.ln', text.dim)
        shapes |= _linear(f'{block}.attn.qkv', text.dim, qkv)
        shapes |= _linear(f'{block}.attn.proj', text.dim, text.dim)
        shapes |= _mlp(f'{block}.mlp', text.dim, text.ff_dim, text.dim)
    shapes |= _norm('text.post_ln', text.dim)
    shapes |= _linear('text.lm_head', text.dim, text.vocab_size)
    return shapes


def region_shapes(config: ModelConfig) -> Shapes:
    """Canonical names and shapes of the region model: coordinates and sizes."""
    region = config.region
    shapes: Shapes = {
        'region.coord_features': (1, region.coord_feat_dim // 2),
        'region.size_features': (2, region.size_feat_dim // 2),
    }
    for part, features, bins in (
        ('coord', region.coord_feat_dim, region.coord_out_dim),
        ('size', region.size_feat_dim, region.size_out_dim),
    ):
        shapes |= _linear(f'region.{part}_encoder', features, region.dim)
        shapes |= _mlp(f'region.{part}_decoder', region.dim, region.inner_dim, bins)
    return shapes


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f'{name}.weight': (outputs, inputs), f'{name}.bias': (outputs,)}


def _convolution(name: str, inputs: int, outputs: int, kernel: int) -> Shapes:
    return {f'{name}.weight': (outputs, inputs, kernel, kernel), f'{name}.bias': (outputs,)}


def _norm(name: str, dim: int) -> Shapes:
    return {f'{name}.weight': (dim,), f'{name}.bias': (dim,)}


def _mlp(name: str, inputs: int, inner: int, outputs: int) -> Shapes:
    return _linear(f'{name}.fc1', inputs, inner) | _linear(f'{name}.fc2', inner, outputs)
