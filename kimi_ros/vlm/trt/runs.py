"""The runs that a model on TensorRT is made of, over an Executor that owns the device.

Memory is taken once. A graph whose shapes never change is bound once, too, with its input lying
where the graph before it has written it, so that nothing but new things travels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..config import ModelConfig
from .cache import ALIGNMENT, CacheBlocks, StridedCopy
from .plan import (
    FIXED,
    ONE,
    PIECE,
    PREFIX,
    SEVERAL,
    TOKEN,
    Graph,
    longest_step,
    most_crops,
)

_F32 = np.dtype(np.float32)


class Memory(Protocol):
    """A block of device memory; only its executor knows more of it."""

    nbytes: int


@dataclass(frozen=True)
class Place:
    """Where a tensor of a graph lies, and its shape this time; the offset is in bytes."""

    memory: Memory
    shape: tuple[int, ...]
    offset: int = 0


class Executor(Protocol):
    """Device memory and graphs, on one queue: what is asked for first is done first.

    Every call may raise EngineError, naming the graph.
    """

    def allocate(self, nbytes: int) -> Memory:
        """Device memory, all zero."""

    def upload(self, values: np.ndarray, memory: Memory) -> None:
        """Copy a contiguous array to the beginning of the memory; the array is free at once."""

    def download(
        self, memory: Memory, shape: tuple[int, ...], dtype: np.dtype, offset: int = 0
    ) -> np.ndarray:
        """What the memory holds when everything asked for is done, an array of the caller's own."""

    def copy(self, source: Memory, target: Memory, extent: StridedCopy) -> None:
        """Copy within the device."""

    def prepare(
        self, graph: str, profile: str, places: Mapping[str, Place], repeated: bool
    ) -> Callable[[], None]:
        """Bind all tensors of a graph; the result runs it, until the profile is prepared anew.

        :param repeated: whether it will be run often, with these very places.
        """

    def wait(self) -> None:
        """Return when everything asked for is done."""

    def close(self) -> None:
        """Free graphs and memory; nothing can be called afterwards."""


class Mirror:
    """Device memory, f32, of which the host remembers what it holds, so as not to send it twice."""

    def __init__(self, executor: Executor, shape: tuple[int, ...]) -> None:
        self._executor = executor
        self.shape = shape
        self.memory = executor.allocate(_F32.itemsize * int(np.prod(shape)))
        self._known: np.ndarray | None = None

    def put(self, values: np.ndarray) -> None:
        """Have the beginning of the memory hold the values; sent unless they are there."""
        values = np.ascontiguousarray(values, np.float32)
        if self._known is not None and np.array_equal(self._known, values):
            return
        self._known = None  # should the upload fail
        self._executor.upload(values, self.memory)
        self._known = values.copy()

    def get(self) -> np.ndarray:
        """What the device has written there, an array of the caller's own."""
        values = self._executor.download(self.memory, self.shape, _F32)
        self._known = values.copy()
        return values

    def expect(self, values: np.ndarray | None) -> None:
        """The device writes these values itself; None where the host does not know which."""
        self._known = values


class VisionRuns:
    """The encoder, for one crop and for several, and the projection."""

    def __init__(self, executor: Executor, config: ModelConfig) -> None:
        vision = config.vision
        self._executor = executor
        self._most = most_crops(config)
        self._crop = (3, vision.crop_size, vision.crop_size)
        self._grid = (vision.patches, vision.enc_dim)
        self._crops = executor.allocate(_size(self._most, *self._crop))
        self._features = executor.allocate(_size(self._most, *self._grid))
        self._one = self._prepare(ONE, 1)
        self._views = [executor.allocate(_size(*self._grid)) for _ in ('global', 'local')]
        self._embeds = Place(
            executor.allocate(_size(vision.patches, config.text.dim)),
            (vision.patches, config.text.dim),
        )
        views = {
            f'{name}_features': Place(memory, self._grid)
            for name, memory in zip(('global', 'local'), self._views, strict=True)
        }
        self._project = executor.prepare(
            'projection', FIXED, views | {'image_embeds': self._embeds}, True
        )

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """(n, 3, S, S) to (n, patches, enc_dim), as many at once as the engine was built for."""
        parts = [crops[first : first + self._most] for first in range(0, len(crops), self._most)]
        return np.concatenate([self._encode(part) for part in parts])

    def project(self, *features: np.ndarray) -> np.ndarray:
        """Two times (patches, enc_dim) to (patches, dim)."""
        for values, memory in zip(features, self._views, strict=True):
            self._executor.upload(np.ascontiguousarray(values, np.float32), memory)
        self._project()
        return self._executor.download(self._embeds.memory, self._embeds.shape, _F32)

    def _encode(self, crops: np.ndarray) -> np.ndarray:
        count = len(crops)
        self._executor.upload(np.ascontiguousarray(crops, np.float32), self._crops)
        run = self._one if count == 1 else self._prepare(SEVERAL, count)
        run()
        return self._executor.download(self._features, (count, *self._grid), _F32)

    def _prepare(self, profile: str, count: int) -> Callable[[], None]:
        places = {
            'crops': Place(self._crops, (count, *self._crop)),
            'features': Place(self._features, (count, *self._grid)),
        }
        return self._executor.prepare('vision', profile, places, repeated=count == 1)


class DecoderRuns:
    """The decoder over its cache: the image prefix, pieces of a prompt, single tokens.

    A run reads the past and leaves the keys and values of its own positions beside it; a copy on
    the device then puts them behind those that the past holds.
    """

    def __init__(self, executor: Executor, blocks: CacheBlocks, config: ModelConfig) -> None:
        self._executor = executor
        self._blocks = blocks
        self._dim = config.text.dim
        longest = longest_step(config)
        self._past = executor.allocate(blocks.past_bytes())
        self._fresh = executor.allocate(blocks.fresh_bytes(longest))
        self._many = executor.allocate(_size(longest, self._dim))
        self._control = executor.allocate(ALIGNMENT + 1)
        self._embedding = Mirror(executor, (1, self._dim))
        self.hidden = Mirror(executor, (1, self._dim))
        self._prefix = self._prepare(PREFIX, config.prefix_length)
        self._token = self._prepare(TOKEN, 1)

    @property
    def next_embedding(self) -> Place:
        """Where a single token's embedding is read from; others may write it there."""
        return Place(self._embedding.memory, self._embedding.shape)

    def expect(self, embedding: np.ndarray | None) -> None:
        """Something else wrote this embedding (1, dim), or an unknown one, there."""
        self._embedding.expect(embedding)

    def prefill(self, embeds: np.ndarray) -> None:
        """Make (p, dim) what the cache begins with; all of it sees all of it."""
        self._send(embeds, 0, image=True)
        self._run(self._prefix, 0, len(embeds))

    def step(self, embeds: np.ndarray, start: int) -> None:
        """Put (t, dim) behind the first `start` positions; `hidden` is the last one's."""
        count = len(embeds)
        if count == 1:
            self._embedding.put(embeds)
            self._send(None, start, image=False)
            self._run(self._token, start, 1)
        else:
            self._send(embeds, start, image=False)
            self._run(self._prepare(PIECE, count), start, count)

    def read(self, index: int, length: int) -> np.ndarray:
        """Slice `index` of the cache, f32 (kv_heads, length, head_dim)."""
        blocks = self._blocks
        offset = blocks.past_offset(index)
        whole = self._executor.download(self._past, blocks.past_shape(), blocks.dtype, offset)
        return whole[0, :, :length].astype(np.float32)

    def _send(self, embeds: np.ndarray | None, start: int, image: bool) -> None:
        if embeds is not None:
            self._executor.upload(np.ascontiguousarray(embeds, np.float32), self._many)
        control = np.zeros(self._control.nbytes, np.uint8)
        control[:4] = np.array([start], np.int32).view(np.uint8)
        control[ALIGNMENT] = image
        self._executor.upload(control, self._control)

    def _run(self, run: Callable[[], None], start: int, count: int) -> None:
        self.hidden.expect(None)
        run()
        self._executor.copy(self._fresh, self._past, self._blocks.write_back(start, count))

    def _prepare(self, profile: str, count: int) -> Callable[[], None]:
        blocks = self._blocks
        embeds = self._embedding.memory if profile == TOKEN else self._many
        places = {
            'embeds': Place(embeds, (1, count, self._dim)),
            'start': Place(self._control, (1,)),
            'image': Place(self._control, (1,), ALIGNMENT),
            'hidden': Place(self.hidden.memory, (1, self._dim)),
        }
        for index, name in enumerate(blocks.names):
            places[f'past_{name}'] = Place(
                self._past, blocks.past_shape(), blocks.past_offset(index)
            )
            places[f'new_{name}'] = Place(
                self._fresh, blocks.fresh_shape(count), blocks.fresh_offset(index, count)
            )
        return self._executor.prepare('decoder', profile, places, repeated=profile == TOKEN)


class Reader:
    """A graph that reads something off a hidden state."""

    def __init__(
        self,
        executor: Executor,
        name: str,
        graph: Graph,
        hidden: Mirror,
        given: Mapping[str, Place] | None = None,
    ) -> None:
        """`given` are places of outputs that others read; the rest get memory of their own."""
        self._executor = executor
        self._hidden = hidden
        self._outputs = {name: each for name, each in graph.tensors.items() if not each.is_input}
        self._places = {
            name: Place(executor.allocate(_size(*each.at(1), dtype=each.dtype)), each.at(1))
            for name, each in self._outputs.items()
            if name not in (given or {})
        }
        places = self._places | {'hidden': Place(hidden.memory, hidden.shape)} | dict(given or {})
        self._run = executor.prepare(name, FIXED, places, repeated=True)

    def run(self, hidden: np.ndarray, wanted: Sequence[str]) -> list[np.ndarray]:
        """Outputs for (dim,), in the order wanted; what is not wanted stays on the device."""
        self._hidden.put(hidden[None])
        self._run()
        return [
            self._executor.download(
                self._places[name].memory, self._places[name].shape, self._outputs[name].dtype
            )
            for name in wanted
        ]


def _size(*shape: int, dtype: np.dtype = _F32) -> int:
    return int(np.prod(shape)) * dtype.itemsize
