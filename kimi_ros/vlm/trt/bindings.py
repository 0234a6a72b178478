"""Inputs, outputs and optimization profiles of a model's TensorRT engines.

The exporter builds from these specifications and the runtime runs by them. model.json records the
profiles, so that an engine of another version is detected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..config import ModelConfig
from ..folder import ModelFolder
from ..quantization import QuantizationConfig
from .kv_cache import KVCacheLayout

# Positions of a prompt per run; longer prompts are prefilled in chunks.
PREFILL_CHUNK = 128
# Images of 640x480 to 1920x1080 become one global and eight local crops.
_TYPICAL_CROPS = 9

ONE, BATCH = 'one', 'several'
PREFIX, CHUNK, TOKEN = 'prefix', 'piece', 'token'  # as stored in model.json
FIXED = 'fixed'


@dataclass(frozen=True)
class OptimizationProfile:
    """Minimum, optimum and maximum of the dynamic dimension of an engine.

    Engines with static shapes have the single profile FIXED.
    """

    name: str
    min_length: int = 1
    opt_length: int = 1
    max_length: int = 1

    def __contains__(self, length: int) -> bool:
        return self.min_length <= length <= self.max_length

    def to_list(self) -> list[int]:
        """The entry in model.json."""
        return [self.min_length, self.opt_length, self.max_length]


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of an engine; a str in its shape is the dynamic dimension."""

    shape: tuple[int | str, ...]
    dtype: np.dtype
    is_input: bool

    def at(self, length: int) -> tuple[int, ...]:
        """The shape for one length of the dynamic dimension."""
        return tuple(length if isinstance(side, str) else side for side in self.shape)


@dataclass(frozen=True)
class EngineSpec:
    """One engine: its tensors by name and its optimization profiles, in TensorRT's order."""

    tensors: dict[str, TensorSpec]
    profiles: tuple[OptimizationProfile, ...]

    def profile(self, name: str) -> int:
        """Index of a profile."""
        return [each.name for each in self.profiles].index(name)


def max_crops_per_image(config: ModelConfig) -> int:
    """Most crops of an image: the local ones and the global one."""
    return 1 if config.vision.max_crops == 1 else config.vision.max_crops + 1


def max_step_length(config: ModelConfig) -> int:
    """Most positions of one decoder run."""
    return max(config.prefix_length, _chunk(config))


def prefill_chunks(config: ModelConfig, count: int) -> list[tuple[int, int]]:
    """(start, end) of the decoder runs for a step of `count` positions."""
    size = _chunk(config)
    return [(first, min(first + size, count)) for first in range(0, count, size)]


def engine_specs(
    config: ModelConfig, quantization: QuantizationConfig, has_regions: bool
) -> dict[str, EngineSpec]:
    """Specifications of a model's engines, by name."""
    text, vision, region = config.text, config.vision, config.region
    blocks = KVCacheLayout.of(text, quantization.cache)
    side, features = vision.crop_size, (vision.patches, vision.enc_dim)
    hidden, logits = _input(1, text.dim), _output(1, text.vocab_size)
    decoder = {
        'embeds': _input(1, 't', text.dim),
        'start': _input(1, dtype=np.int32),
        'image': _input(1, dtype=np.bool_),
        'hidden': _output(1, text.dim),
    }
    for name in blocks.names:
        decoder[f'past_{name}'] = TensorSpec(blocks.past_shape(), blocks.dtype, True)
        shape = (1, blocks.kv_heads, 't', blocks.head_dim)
        decoder[f'new_{name}'] = TensorSpec(shape, blocks.dtype, False)
    fixed = (OptimizationProfile(FIXED),)
    graphs = {
        'vision': EngineSpec(
            {'crops': _input('n', 3, side, side), 'features': _output('n', *features)},
            _vision_profiles(config),
        ),
        'projection': EngineSpec(
            {
                'global_features': _input(*features),
                'local_features': _input(*features),
                'image_embeds': _output(vision.patches, text.dim),
            },
            fixed,
        ),
        'decoder': EngineSpec(decoder, _decoder_profiles(config)),
        'head': EngineSpec(
            {'hidden': hidden, 'logits': logits, 'token': _output(1, dtype=np.int64)}, fixed
        ),
    }
    if has_regions:
        coordinate = {
            'hidden': hidden,
            'logits': _output(1, region.coord_out_dim),
            'bin': _output(1, dtype=np.int64),
            'embedding': _output(1, text.dim),
        }
        graphs['coordinate'] = EngineSpec(coordinate, fixed)
        size = {'hidden': hidden, 'logits': _output(1, 2, region.size_bins)}
        graphs['size'] = EngineSpec(size, fixed)
    return graphs


def has_regions(folder: ModelFolder) -> bool:
    """Whether the folder has engines of the region heads (point, detect)."""
    return 'coordinate.engine' in folder.files


def folder_engine_specs(folder: ModelFolder) -> dict[str, EngineSpec]:
    """Specifications of a folder's engines, by name."""
    return engine_specs(folder.config, folder.quantization, has_regions(folder))


def profile_shapes(graphs: dict[str, EngineSpec]) -> dict[str, dict[str, list[int]]]:
    """The optimization profiles of all engines, as stored in model.json."""
    return {
        name: {profile.name: profile.to_list() for profile in graph.profiles}
        for name, graph in graphs.items()
    }


def _vision_profiles(config: ModelConfig) -> tuple[OptimizationProfile, ...]:
    most = max_crops_per_image(config)
    if most == 1:
        return (OptimizationProfile(ONE),)
    return OptimizationProfile(ONE), OptimizationProfile(BATCH, 2, min(_TYPICAL_CROPS, most), most)


def _decoder_profiles(config: ModelConfig) -> tuple[OptimizationProfile, ...]:
    prefix, chunk = config.prefix_length, _chunk(config)
    return (
        OptimizationProfile(PREFIX, prefix, prefix, prefix),
        OptimizationProfile(CHUNK, 2, min(16, chunk), chunk),
        OptimizationProfile(TOKEN),
    )


def _chunk(config: ModelConfig) -> int:
    return min(PREFILL_CHUNK, config.text.max_context)


def _input(*shape: int | str, dtype: type = np.float32) -> TensorSpec:
    return TensorSpec(shape, np.dtype(dtype), True)


def _output(*shape: int | str, dtype: type = np.float32) -> TensorSpec:
    return TensorSpec(shape, np.dtype(dtype), False)
