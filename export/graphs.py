"""The ONNX graphs of a model folder, built from the checkpoint's tensors.

The arithmetic is that of moondream's vision.py, text.py and region.py (vikhyat/moondream,
Apache-2.0); inputs and outputs are f32.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from kimi_ros.vlm import efficientnet
from kimi_ros.vlm.config import ModelConfig

from .layers import Layers

Build = Callable[[Layers, ModelConfig], None]


def vision(layers: Layers, config: ModelConfig) -> None:
    """Crops (n, 3, S, S) to features (n, patches, enc_dim)."""
    sizes = config.vision
    side, graph = sizes.crop_size, layers.graph
    crops = graph.input('crops', ['n', sizes.in_channels, side, side])
    if sizes.stem:
        x = _stem(layers, layers.to_activations(crops), sizes.grid)
    else:
        x = layers.patches(crops, sizes.in_channels, sizes.grid, sizes.enc_patch_size)
        x = layers.to_activations(x)
    x = layers.to_fp32(layers.linear(x, 'vision.patch_emb'))
    x = graph.add('Add', x, layers.tensor('vision.pos_emb'))
    for i in range(sizes.enc_n_layers):
        block = f'vision.blocks.{i}'
        qkv = layers.linear(layers.norm(x, f'{block}.ln1'), f'{block}.attn.qkv')
        q, k, v = graph.add_multi('Split', 3, qkv, axis=-1, num_outputs=3)
        mixed = layers.lowering.attend(layers, q, k, v, sizes.enc_n_heads)
        x = layers.residual_add(x, layers.linear(mixed, f'{block}.attn.proj'))
        x = layers.residual_add(x, layers.mlp(layers.norm(x, f'{block}.ln2'), f'{block}.mlp'))
    x = layers.to_fp32(layers.norm(x, 'vision.post_ln'))
    graph.output(x, 'features', ['n', sizes.patches, sizes.enc_dim])


def _stem(layers: Layers, crops: str, grid: int) -> str:
    """Crops to what each patch reads of the convolutional trunk, (n, patches, features)."""
    graph, read = layers.graph, []
    x = layers.convolution(crops, 'vision.stem.first', stride=2)
    for i, block in enumerate(efficientnet.BLOCKS):
        name, entering = f'vision.stem.blocks.{i}', x
        if block.expansion > 1:
            x = layers.convolution(x, f'{name}.expand')
        x = layers.convolution(x, f'{name}.depthwise', block.stride, depthwise=True)
        x = layers.convolution(x, f'{name}.project', activation=False)
        if block.residual:
            x = graph.add('Add', x, entering)
        for scale in efficientnet.SCALES:
            if scale.block == i:
                read.append(_patches_of(layers, x, scale, grid))
    return graph.add('Concat', *read, axis=-1)


def _patches_of(layers: Layers, x: str, scale: efficientnet.Scale, grid: int) -> str:
    """Features (n, channels, rows, columns) of a scale to (n, patches, features of a patch)."""
    finer = efficientnet.PATCH_SIZE // scale.pixels
    if not finer:  # each position serves several patches
        times = scale.pixels // efficientnet.PATCH_SIZE
        scales = layers.graph.constant([1, 1, times, times], np.float32)
        x = layers.graph.add(
            'Resize',
            x,
            '',
            scales,
            mode='nearest',
            nearest_mode='floor',
            coordinate_transformation_mode='asymmetric',
        )
    return layers.patches(x, scale.channels, grid, max(finer, 1))


def projection(layers: Layers, config: ModelConfig) -> None:
    """Features of the global crop and of the stitched local crops to embeddings (patches, dim)."""
    graph = layers.graph
    shape = [config.vision.patches, config.vision.enc_dim]
    views = [graph.input(f'{view}_features', shape) for view in ('global', 'local')]
    x = layers.to_activations(graph.add('Concat', *views, axis=-1))
    x = layers.to_fp32(layers.mlp(x, 'vision.proj_mlp'))
    graph.output(x, 'image_embeds', [config.vision.patches, config.text.dim])


def decoder(layers: Layers, config: ModelConfig) -> None:
    """Embeddings (1, t, dim) after the cached positions to the last hidden state (1, dim).

    The lowering declares the other inputs and outputs, such as the KV cache.
    """
    text, graph = config.text, layers.graph
    x = graph.input('embeds', [1, 't', text.dim])
    layers.lowering.begin_decoder(layers, x)
    for i in range(text.n_layers):
        block = f'text.blocks.{i}'
        normed = layers.norm(x, f'{block}.ln')
        mixed = layers.lowering.step(layers, layers.linear(normed, f'{block}.attn.qkv'), i)
        if i + 1 == text.n_layers:  # only the last position is used
            x, normed, mixed = (layers.last_position(value) for value in (x, normed, mixed))
        attended = layers.linear(mixed, f'{block}.attn.proj')
        x = layers.residual_add(x, attended, layers.mlp(normed, f'{block}.mlp'))
        if i in layers.unmerged_blocks:
            x = layers.residual_add(x, layers.unmerged_lora(normed, f'{block}.attn.proj'))
    graph.output(layers.reshape(x, 1, text.dim), 'hidden', [1, text.dim])


def head(layers: Layers, config: ModelConfig) -> None:
    """Hidden state (1, dim) to logits (1, vocab) and the greedy token (1,).

    The greedy token is never the answer id, which only ends reasoning.
    """
    graph, text = layers.graph, config.text
    x = graph.input('hidden', [1, text.dim])
    logits = layers.to_fp32(layers.linear(layers.norm(x, 'text.post_ln'), 'text.lm_head'))
    graph.output(logits, 'logits', [1, text.vocab_size])
    suppressed = graph.weight('head.suppressed', lambda: _suppressed_bias(config))
    token = graph.add('ArgMax', graph.add('Add', logits, suppressed), axis=1, keepdims=0)
    graph.output(token, 'token', [1], TensorProto.INT64)


def coordinate(layers: Layers, config: ModelConfig) -> None:
    """Hidden state (1, dim) to logits (1, bins) of one coordinate."""
    x = layers.to_activations(layers.graph.input('hidden', [1, config.text.dim]))
    x = layers.to_fp32(layers.mlp(x, 'region.coord_decoder'))
    layers.graph.output(x, 'logits', [1, config.region.coord_out_dim])


def size(layers: Layers, config: ModelConfig) -> None:
    """Hidden state (1, dim) to logits (1, 2, bins) of width and height."""
    x = layers.to_activations(layers.graph.input('hidden', [1, config.text.dim]))
    x = layers.reshape(layers.to_fp32(layers.mlp(x, 'region.size_decoder')), 1, 2, -1)
    layers.graph.output(x, 'logits', [1, 2, config.region.size_bins])


def graphs_for(has_regions: bool) -> dict[str, Build]:
    """The graphs of a checkpoint, by name, in the order in which they run."""
    parts = [vision, projection, decoder, head]
    if has_regions:
        parts += [coordinate, size]
    return {part.__name__: part for part in parts}


def _suppressed_bias(config: ModelConfig) -> np.ndarray:
    """Bias on the logits: minus infinity at the answer id."""
    values = np.zeros(config.text.vocab_size, np.float32)
    if config.tokenizer.answer_id is not None:
        values[config.tokenizer.answer_id] = -np.inf
    return values
