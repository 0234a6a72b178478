"""What the TensorRT engines of a model take and give, and for which lengths they are built.

The exporter builds by this and the runtime runs by it; model.json carries it, so that neither has
to trust that the other is of the same version.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..config import ModelConfig
from ..folder import ModelFolder
from ..layout import Layout
from .cache import CacheBlocks

# Positions of a prompt that are run at once; a longer one is run in pieces.
CHUNK = 128
# What a camera's 640x480 to 1920x1080 become: one crop of all and eight of parts.
_USUAL_CROPS = 9

ONE, SEVERAL = 'one', 'several'
PREFIX, PIECE, TOKEN = 'prefix', 'piece', 'token'
FIXED = 'fixed'


@dataclass(frozen=True)
class Profile:
    """Lengths that a graph runs with, the one that kernels are chosen for among them.

    Graphs whose shapes never change have the one profile FIXED.
    """

    name: str
    least: int = 1
    usual: int = 1
    most: int = 1

    def __contains__(self, length: int) -> bool:
        return self.least <= length <= self.most

    def to_list(self) -> list[int]:
        """As model.json has it."""
        return [self.least, self.usual, self.most]


@dataclass(frozen=True)
class Tensor:
    """An input or output of a graph; a str in its shape is the length that may change."""

    shape: tuple[int | str, ...]
    dtype: np.dtype
    is_input: bool

    def at(self, length: int) -> tuple[int, ...]:
        """The shape for one length."""
        return tuple(length if isinstance(side, str) else side for side in self.shape)


@dataclass(frozen=True)
class Graph:
    """One engine: its tensors by name and its profiles in TensorRT's order."""

    tensors: dict[str, Tensor]
    profiles: tuple[Profile, ...]

    def profile(self, name: str) -> int:
        """Index of a profile."""
        return [each.name for each in self.profiles].index(name)


def most_crops(config: ModelConfig) -> int:
    """Crops that an image becomes at most: the parts, and the whole beside them."""
    return 1 if config.vision.max_crops == 1 else config.vision.max_crops + 1


def longest_step(config: ModelConfig) -> int:
    """Positions that one run of the decoder takes at most."""
    return max(config.prefix_length, _chunk(config))


def pieces(config: ModelConfig, count: int) -> list[tuple[int, int]]:
    """Bounds, the second excluded, of the runs that a step of `count` positions takes."""
    size = _chunk(config)
    return [(first, min(first + size, count)) for first in range(0, count, size)]


def plan(config: ModelConfig, layout: Layout, has_regions: bool) -> dict[str, Graph]:
    """The engines of a model, by name."""
    text, vision, region = config.text, config.vision, config.region
    blocks = CacheBlocks.of(text, layout.cache)
    side, features = vision.crop_size, (vision.patches, vision.enc_dim)
    hidden, logits = _input(1, text.dim), _output(1, text.vocab_size)
    decoder = {
        'embeds': _input(1, 't', text.dim),
        'start': _input(1, dtype=np.int32),
        'image': _input(1, dtype=np.bool_),
        'hidden': _output(1, text.dim),
    }
    for name in blocks.names:
        decoder[f'past_{name}'] = Tensor(blocks.past_shape(), blocks.dtype, True)
        shape = (1, blocks.kv_heads, 't', blocks.head_dim)
        decoder[f'new_{name}'] = Tensor(shape, blocks.dtype, False)
    fixed = (Profile(FIXED),)
    graphs = {
        'vision': Graph(
            {'crops': _input('n', 3, side, side), 'features': _output('n', *features)},
            _vision_profiles(config),
        ),
        'projection': Graph(
            {
                'global_features': _input(*features),
                'local_features': _input(*features),
                'image_embeds': _output(vision.patches, text.dim),
            },
            fixed,
        ),
        'decoder': Graph(decoder, _decoder_profiles(config)),
        'head': Graph(
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
        graphs['coordinate'] = Graph(coordinate, fixed)
        size = {'hidden': hidden, 'logits': _output(1, 2, region.size_bins)}
        graphs['size'] = Graph(size, fixed)
    return graphs


def has_regions(folder: ModelFolder) -> bool:
    """Whether the folder has engines that point and draw boxes."""
    return 'coordinate.engine' in folder.files


def plan_of(folder: ModelFolder) -> dict[str, Graph]:
    """The engines of a folder, by name."""
    return plan(folder.config, folder.layout, has_regions(folder))


def profiles(graphs: dict[str, Graph]) -> dict[str, dict[str, list[int]]]:
    """The profiles of all engines, as model.json has them."""
    return {
        name: {profile.name: profile.to_list() for profile in graph.profiles}
        for name, graph in graphs.items()
    }


def _vision_profiles(config: ModelConfig) -> tuple[Profile, ...]:
    most = most_crops(config)
    if most == 1:
        return (Profile(ONE),)
    return Profile(ONE), Profile(SEVERAL, 2, min(_USUAL_CROPS, most), most)


def _decoder_profiles(config: ModelConfig) -> tuple[Profile, ...]:
    prefix, chunk = config.prefix_length, _chunk(config)
    return (
        Profile(PREFIX, prefix, prefix, prefix),
        Profile(PIECE, 2, min(16, chunk), chunk),
        Profile(TOKEN),
    )


def _chunk(config: ModelConfig) -> int:
    return min(CHUNK, config.text.max_context)


def _input(*shape: int | str, dtype: type = np.float32) -> Tensor:
    return Tensor(shape, np.dtype(dtype), True)


def _output(*shape: int | str, dtype: type = np.float32) -> Tensor:
    return Tensor(shape, np.dtype(dtype), False)
