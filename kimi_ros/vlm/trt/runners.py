"""Runners of the TensorRT engines, over an Executor that owns the device.

Device memory is allocated once. An engine with static shapes is bound once; where possible its
input is the buffer that the previous engine wrote, so that only new data is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..config import ModelConfig
from .bindings import (
    BATCH,
    CHUNK,
    FIXED,
    ONE,
    PREFIX,
    TOKEN,
    EngineSpec,
    max_crops_per_image,
    max_step_length,
)
from .kv_cache import ALIGNMENT, KVCacheLayout, StridedCopy

_F32 = np.dtype(np.float32)


class DeviceBuffer(Protocol):
    """A buffer in device memory; its address is known to its executor only."""

    nbytes: int


@dataclass(frozen=True)
class Binding:
    """The buffer of an engine's tensor, the offset in it in bytes, and the current shape."""

    memory: DeviceBuffer
    shape: tuple[int, ...]
    offset: int = 0


class Executor(Protocol):
    """Device memory and engines on one stream: calls are executed in order.

    Every call may raise EngineError, naming the engine.
    """

    def allocate(self, nbytes: int) -> DeviceBuffer:
        """Allocate zeroed device memory."""

    def upload(self, values: np.ndarray, memory: DeviceBuffer) -> None:
        """Copy a contiguous array to the start of the buffer; the array may be reused at once."""

    def download(
        self, memory: DeviceBuffer, shape: tuple[int, ...], dtype: np.dtype, offset: int = 0
    ) -> np.ndarray:
        """Wait for the stream and return a copy of the buffer's content."""

    def copy(self, source: DeviceBuffer, target: DeviceBuffer, extent: StridedCopy) -> None:
        """Copy within the device."""

    def prepare(
        self, graph: str, profile: str, bindings: Mapping[str, Binding], repeated: bool
    ) -> Callable[[], None]:
        """Bind all tensors of an engine; return a call that runs it until the next `prepare`.

        :param repeated: whether it runs often with these bindings, so that a CUDA graph pays off.
        """

    def synchronize(self) -> None:
        """Wait until the stream is idle."""

    def close(self) -> None:
        """Free engines and memory; no other method may be called afterwards."""


class ShadowedBuffer:
    """An f32 device buffer with a copy on the host, to skip uploads of unchanged values."""

    def __init__(self, executor: Executor, shape: tuple[int, ...]) -> None:
        self._executor = executor
        self.shape = shape
        self.memory = executor.allocate(_F32.itemsize * int(np.prod(shape)))
        self._known: np.ndarray | None = None

    def put(self, values: np.ndarray) -> None:
        """Upload the values to the start of the buffer, unless it already holds them."""
        values = np.ascontiguousarray(values, np.float32)
        if self._known is not None and np.array_equal(self._known, values):
            return
        self._known = None  # in case the upload fails
        self._executor.upload(values, self.memory)
        self._known = values.copy()

    def get(self) -> np.ndarray:
        """Download the buffer; the array is a copy."""
        values = self._executor.download(self.memory, self.shape, _F32)
        self._known = values.copy()
        return values

    def mark_written(self, values: np.ndarray | None) -> None:
        """Note that the device wrote these values, or None if they are unknown to the host."""
        self._known = values


class VisionRunner:
    """The image encoder, for one crop or a batch, and the projection."""

    def __init__(self, executor: Executor, config: ModelConfig) -> None:
        vision = config.vision
        self._executor = executor
        self._most = max_crops_per_image(config)
        self._crop = (3, vision.crop_size, vision.crop_size)
        self._grid = (vision.patches, vision.enc_dim)
        self._crops = executor.allocate(_size(self._most, *self._crop))
        self._features = executor.allocate(_size(self._most, *self._grid))
        self._one = self._prepare(ONE, 1)
        self._views = [executor.allocate(_size(*self._grid)) for _ in ('global', 'local')]
        self._embeds = Binding(
            executor.allocate(_size(vision.patches, config.text.dim)),
            (vision.patches, config.text.dim),
        )
        views = {
            f'{name}_features': Binding(memory, self._grid)
            for name, memory in zip(('global', 'local'), self._views, strict=True)
        }
        self._project = executor.prepare(
            'projection', FIXED, views | {'image_embeds': self._embeds}, True
        )

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """(n, 3, S, S) to (n, patches, enc_dim), in batches of the engine's maximum."""
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
        run = self._one if count == 1 else self._prepare(BATCH, count)
        run()
        return self._executor.download(self._features, (count, *self._grid), _F32)

    def _prepare(self, profile: str, count: int) -> Callable[[], None]:
        bindings = {
            'crops': Binding(self._crops, (count, *self._crop)),
            'features': Binding(self._features, (count, *self._grid)),
        }
        return self._executor.prepare('vision', profile, bindings, repeated=count == 1)


class DecoderRunner:
    """The decoder and its KV cache: the image prefix, chunks of a prompt, single tokens.

    A run reads the past and writes the keys and values of its own positions to a second buffer; a
    copy on the device then appends them to the past.
    """

    def __init__(self, executor: Executor, blocks: KVCacheLayout, config: ModelConfig) -> None:
        self._executor = executor
        self._blocks = blocks
        self._dim = config.text.dim
        longest = max_step_length(config)
        self._past = executor.allocate(blocks.past_bytes())
        self._new = executor.allocate(blocks.new_bytes(longest))
        self._many = executor.allocate(_size(longest, self._dim))
        self._control = executor.allocate(ALIGNMENT + 1)
        self._embedding = ShadowedBuffer(executor, (1, self._dim))
        self.hidden = ShadowedBuffer(executor, (1, self._dim))
        self._prefix = self._prepare(PREFIX, config.prefix_length)
        self._token = self._prepare(TOKEN, 1)

    @property
    def next_embedding(self) -> Binding:
        """Input of the single-token step; another engine may write the embedding there."""
        return Binding(self._embedding.memory, self._embedding.shape)

    def mark_embedding_written(self, embedding: np.ndarray | None) -> None:
        """Note that the device wrote this embedding (1, dim), or an unknown one (None)."""
        self._embedding.mark_written(embedding)

    def prefill(self, embeds: np.ndarray) -> None:
        """Fill the start of the cache with the image prefix (p, dim), attention bidirectional."""
        self._send(embeds, 0, image=True)
        self._run(self._prefix, 0, len(embeds))

    def step(self, embeds: np.ndarray, start: int) -> None:
        """Append (t, dim) after `start` positions; `hidden` becomes the last hidden state."""
        count = len(embeds)
        if count == 1:
            self._embedding.put(embeds)
            self._send(None, start, image=False)
            self._run(self._token, start, 1)
        else:
            self._send(embeds, start, image=False)
            self._run(self._prepare(CHUNK, count), start, count)

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
        self.hidden.mark_written(None)
        run()
        self._executor.copy(self._new, self._past, self._blocks.write_back(start, count))

    def _prepare(self, profile: str, count: int) -> Callable[[], None]:
        blocks = self._blocks
        embeds = self._embedding.memory if profile == TOKEN else self._many
        bindings = {
            'embeds': Binding(embeds, (1, count, self._dim)),
            'start': Binding(self._control, (1,)),
            'image': Binding(self._control, (1,), ALIGNMENT),
            'hidden': Binding(self.hidden.memory, (1, self._dim)),
        }
        for index, name in enumerate(blocks.names):
            bindings[f'past_{name}'] = Binding(
                self._past, blocks.past_shape(), blocks.past_offset(index)
            )
            bindings[f'new_{name}'] = Binding(
                self._new, blocks.new_shape(count), blocks.new_offset(index, count)
            )
        return self._executor.prepare('decoder', profile, bindings, repeated=profile == TOKEN)


class HeadRunner:
    """A head: an engine from one hidden state to logits and the like."""

    def __init__(
        self,
        executor: Executor,
        name: str,
        graph: EngineSpec,
        hidden: ShadowedBuffer,
        outputs: Mapping[str, Binding] | None = None,
    ) -> None:
        """`outputs` binds outputs that other engines read; the rest get buffers of their own."""
        self._executor = executor
        self._hidden = hidden
        self._outputs = {name: each for name, each in graph.tensors.items() if not each.is_input}
        self._places = {
            name: Binding(executor.allocate(_size(*each.at(1), dtype=each.dtype)), each.at(1))
            for name, each in self._outputs.items()
            if name not in (outputs or {})
        }
        bindings = (
            self._places | {'hidden': Binding(hidden.memory, hidden.shape)} | dict(outputs or {})
        )
        self._run = executor.prepare(name, FIXED, bindings, repeated=True)

    def run(self, hidden: np.ndarray, wanted: Sequence[str]) -> list[np.ndarray]:
        """The wanted outputs for (dim,), in this order; the others stay on the device."""
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
