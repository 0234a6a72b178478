"""The graphs of a model folder, built from the checkpoint's tensors.

The arithmetic is that of moondream's vision.py, text.py and region.py (vikhyat/moondream,
Apache-2.0); inputs and outputs are f32.
"""

from __future__ import annotations

from collections.abc import Callable

from onnx import TensorProto

from kimi_ros.vlm.config import ModelConfig

from . import attention
from .layers import Layers

Build = Callable[[Layers, ModelConfig], None]


def vision(layers: Layers, config: ModelConfig) -> None:
    """Crops (n, 3, S, S) to features (n, patches, enc_dim)."""
    sizes = config.vision
    side, grid, patch = sizes.crop_size, sizes.grid, sizes.enc_patch_size
    graph = layers.graph
    crops = graph.input('crops', ['n', sizes.in_channels, side, side])
    x = layers.reshape(crops, 0, sizes.in_channels, grid, patch, grid, patch)
    x = graph.add('Transpose', x, perm=[0, 2, 4, 1, 3, 5])
    x = layers.reshape(x, 0, sizes.patches, sizes.in_channels * patch**2)
    x = layers.linear(x, 'vision.patch_emb')
    x = layers.sum(x, layers.tensor('vision.pos_emb'))
    for i in range(sizes.enc_n_layers):
        block = f'vision.blocks.{i}'
        qkv = layers.linear(layers.norm(x, f'{block}.ln1'), f'{block}.attn.qkv')
        q, k, v = graph.add_many('Split', 3, qkv, axis=-1, num_outputs=3)
        mixed = attention.all_to_all(layers, q, k, v, sizes.enc_n_heads)
        x = layers.sum(x, layers.linear(mixed, f'{block}.attn.proj'))
        x = layers.sum(x, layers.mlp(layers.norm(x, f'{block}.ln2'), f'{block}.mlp'))
    x = layers.norm(x, 'vision.post_ln')
    graph.output(x, 'features', ['n', sizes.patches, sizes.enc_dim])


def projection(layers: Layers, config: ModelConfig) -> None:
    """Features of the whole image and of its stitched crops to (patches, dim) embeddings."""
    graph = layers.graph
    shape = [config.vision.patches, config.vision.enc_dim]
    views = [graph.input(f'{view}_features', shape) for view in ('global', 'local')]
    x = layers.mlp(graph.add('Concat', *views, axis=-1), 'vision.proj_mlp')
    graph.output(x, 'image_embeds', [config.vision.patches, config.text.dim])


def prefill(layers: Layers, config: ModelConfig) -> None:
    """Embeddings of the image prefix (1, p, dim) to the keys and values of every layer."""
    text, length = config.text, config.prefix_length
    graph = layers.graph
    x = graph.input('embeds', [1, length, text.dim])
    shape = [1, text.n_kv_heads, length, text.head_dim]
    for i in range(text.n_layers):
        block = f'text.blocks.{i}'
        normed = layers.norm(x, f'{block}.ln')
        qkv = layers.linear(normed, f'{block}.attn.qkv')
        heads = attention.prefix_heads(layers, qkv, text, length)
        graph.output(heads[1], f'key_{i}', shape)
        graph.output(heads[2], f'value_{i}', shape)
        if i + 1 < text.n_layers:  # nobody reads the last layer's output
            x = _add_block(layers, x, normed, attention.prefix(layers, heads, text), block)


def decoder(layers: Layers, config: ModelConfig) -> None:
    """Embeddings (1, t, dim) that follow what the cache holds to hidden states (1, t, dim)."""
    text, graph = config.text, layers.graph
    x = graph.input('embeds', [1, 't', text.dim])
    cache = attention.Cache(
        last=graph.input('seqlens_k', [1], TensorProto.INT32),
        total=graph.input('total_sequence_length', [], TensorProto.INT32),
    )
    for i in range(text.n_layers):
        block = f'text.blocks.{i}'
        normed = layers.norm(x, f'{block}.ln')
        qkv = layers.linear(normed, f'{block}.attn.qkv')
        mixed = attention.step(layers, qkv, text, cache, i)
        x = _add_block(layers, x, normed, mixed, block)
    graph.output(x, 'hidden', [1, 't', text.dim])


def head(layers: Layers, config: ModelConfig) -> None:
    """Hidden state (1, dim) to logits (1, vocab)."""
    x = layers.graph.input('hidden', [1, config.text.dim])
    x = layers.linear(layers.norm(x, 'text.post_ln'), 'text.lm_head')
    layers.graph.output(x, 'logits', [1, config.text.vocab_size])


def coordinate(layers: Layers, config: ModelConfig) -> None:
    """Hidden state (1, dim) to logits (1, bins) of one coordinate."""
    x = layers.graph.input('hidden', [1, config.text.dim])
    x = layers.mlp(x, 'region.coord_decoder')
    layers.graph.output(x, 'logits', [1, config.region.coord_out_dim])


def size(layers: Layers, config: ModelConfig) -> None:
    """Hidden state (1, dim) to logits (1, 2, bins) of width and height."""
    x = layers.graph.input('hidden', [1, config.text.dim])
    x = layers.reshape(layers.mlp(x, 'region.size_decoder'), 1, 2, -1)
    layers.graph.output(x, 'logits', [1, 2, config.region.size_bins])


def graphs_for(has_regions: bool) -> dict[str, Build]:
    """The graphs that a checkpoint gets, by name, in the order in which they run."""
    parts = [vision, projection, prefill, decoder, head]
    if has_regions:
        parts += [coordinate, size]
    return {part.__name__: part for part in parts}


def _add_block(layers: Layers, x: str, normed: str, mixed: str, block: str) -> str:
    """The parallel block: attention and MLP both read the same norm and are both added."""
    attended = layers.linear(mixed, f'{block}.attn.proj')
    return layers.sum(x, attended, layers.mlp(normed, f'{block}.mlp'))
