"""The engine on TensorRT.

Everything here and in runs is bookkeeping over an Executor, which owns the device; so it
is tested with real arithmetic where there is no GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from ..errors import DeviceNotAvailable, VlmError
from ..folder import ModelFolder
from ..region import coordinate_of_bin
from ..tables import Tables
from .cache import CacheBlocks
from .plan import has_regions, most_crops, pieces, plan_of
from .runs import DecoderRuns, Executor, Place, Reader, VisionRuns

_Part = TypeVar('_Part')


class TensorRtEngine:
    """Runs a folder's graphs on an executor; see `engine.Engine` for the calls."""

    def __init__(self, folder: ModelFolder, executor: Executor) -> None:
        """Take all device memory that is ever needed; `executor` is closed with the engine."""
        self.config = folder.config
        self.length = 0
        self.crops_at_once = most_crops(folder.config)
        self._executor = executor
        self._graphs = plan_of(folder)
        self._tables = Tables(folder.file('tables.safetensors'), folder.config, has_regions(folder))
        self._vision = VisionRuns(executor, folder.config)
        blocks = CacheBlocks.of(folder.config.text, folder.layout.cache)
        self._decoder = DecoderRuns(executor, blocks, folder.config)
        self._head = self._reader('head')
        self._coordinate = self._size = None
        if has_regions(folder):
            # The best bin's embedding is written where the next step reads it.
            following = self._decoder.next_embedding
            self._coordinate = self._reader('coordinate', {'embedding': following})
            self._size = self._reader('size')

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """(n, 3, S, S) to (n, patches, enc_dim)."""
        return self._vision.encode(crops)

    def project(self, global_features: np.ndarray, local_features: np.ndarray) -> np.ndarray:
        """Two times (patches, enc_dim) to (patches, dim)."""
        return self._vision.project(global_features, local_features)

    def prefill_image(self, embeds: np.ndarray) -> None:
        """Fill the cache with (p, dim), every position seeing every other."""
        if len(embeds) != self.config.prefix_length:
            raise VlmError(
                f'an image takes {self.config.prefix_length} positions, not {len(embeds)}'
            )
        self.length = 0
        self._decoder.prefill(embeds)
        self._executor.wait()
        self.length = len(embeds)

    def rewind(self, length: int) -> None:
        """Nothing is erased: what lies beyond `length` is not seen, and written over."""
        if not 0 <= length <= self.length:
            raise VlmError(f'cannot rewind from {self.length} to {length}')
        self.length = length

    def step(self, embeds: np.ndarray) -> np.ndarray:
        """Append (t, dim), a long one in pieces; hidden state (dim,) of the last."""
        room = self.config.text.max_context - self.length
        if not 1 <= len(embeds) <= room:
            raise VlmError(f'there is room for {room} more positions, not for {len(embeds)}')
        for first, end in pieces(self.config, len(embeds)):
            self._decoder.step(embeds[first:end], self.length + first)
        hidden = self._decoder.hidden.get()[0]
        self.length += len(embeds)
        return hidden

    def logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (vocab,)."""
        return self._head.run(hidden, ['logits'])[0][0]

    def token(self, hidden: np.ndarray) -> int:
        """(dim,) to the id of the best token of a text; its logits stay on the device."""
        return int(self._head.run(hidden, ['token'])[0][0])

    def coordinate_logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (bins,)."""
        self._decoder.expect(None)
        logits, best = self._region(self._coordinate).run(hidden, ['logits', 'bin'])
        value = coordinate_of_bin(int(best[0]), self.config.region.coord_out_dim)
        self._decoder.expect(self.embed_coordinates([value]))
        return logits[0]

    def size_logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (2, bins)."""
        return self._region(self._size).run(hidden, ['logits'])[0][0]

    def embed_tokens(self, ids: Sequence[int]) -> np.ndarray:
        """(n,) ids to (n, dim)."""
        return self._tables.tokens(ids)

    def embed_coordinates(self, values: Sequence[float]) -> np.ndarray:
        """(n,) to (n, dim)."""
        return self._tables.regions.coordinates(values)

    def embed_sizes(self, sizes: Sequence[tuple[float, float]]) -> np.ndarray:
        """(n, 2) to (n, dim)."""
        return self._tables.regions.sizes(sizes)

    def read_cache(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Copies of a layer's keys and values (kv_heads, length, head_dim)."""
        keys, values = (self._decoder.read(2 * layer + part, self.length) for part in range(2))
        return keys, values

    def close(self) -> None:
        """Free the device's memory."""
        executor = self.__dict__.get('_executor')
        self.__dict__ = {'config': self.config, 'length': 0}
        if executor is not None:
            executor.close()

    def _reader(self, name: str, given: dict[str, Place] | None = None) -> Reader:
        return Reader(self._executor, name, self._graphs[name], self._decoder.hidden, given)

    def _region(self, part: _Part | None) -> _Part:
        if part is None:
            raise VlmError('this model has no region heads: it takes and gives no coordinates')
        return part


def open_tensorrt(folder: ModelFolder, device: str) -> TensorRtEngine:
    """Open a folder on this machine's first GPU.

    Raises DeviceNotAvailable where TensorRT or a GPU is missing, ModelFolderError where the engines
    are not this machine's, EngineError where its memory is too small.
    """
    if device == 'cpu':
        raise DeviceNotAvailable(
            f'{folder.path} holds TensorRT engines, which need a GPU; for the CPU export the '
            'checkpoint with --target onnx'
        )
    from .executor import open_executor

    executor = open_executor(folder)
    try:
        return TensorRtEngine(folder, executor)
    except BaseException:
        executor.close()
        raise
