"""The engine on TensorRT.

All device access goes through an Executor, so that this module and `runners` are tested with real
arithmetic on machines without a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from ..coordinates import bin_to_coordinate
from ..embeddings import EmbeddingFile
from ..errors import DeviceNotAvailable, VlmError
from ..folder import ModelFolder
from .bindings import folder_engine_specs, has_regions, max_crops_per_image, prefill_chunks
from .kv_cache import KVCacheLayout
from .runners import Binding, DecoderRunner, Executor, HeadRunner, VisionRunner

_Part = TypeVar('_Part')


class TensorRtEngine:
    """Runs a folder's engines on an executor; see `engine.Engine` for the methods."""

    def __init__(self, folder: ModelFolder, executor: Executor) -> None:
        """Allocate all device memory; `executor` is closed with the engine."""
        self.config = folder.config
        self.length = 0
        self.crop_batch_size = max_crops_per_image(folder.config)
        self._executor = executor
        self._graphs = folder_engine_specs(folder)
        self._embeddings = EmbeddingFile(
            folder.file('tables.safetensors'), folder.config, has_regions(folder)
        )
        self._vision = VisionRunner(executor, folder.config)
        blocks = KVCacheLayout.of(folder.config.text, folder.quantization.cache)
        self._decoder = DecoderRunner(executor, blocks, folder.config)
        self._head = self._head_runner('head')
        self._coordinate = self._size = None
        if has_regions(folder):
            # The embedding of the best bin is written to the input of the next step.
            next_embedding = self._decoder.next_embedding
            self._coordinate = self._head_runner('coordinate', {'embedding': next_embedding})
            self._size = self._head_runner('size')

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """(n, 3, S, S) to (n, patches, enc_dim)."""
        return self._vision.encode(crops)

    def project(self, global_features: np.ndarray, local_features: np.ndarray) -> np.ndarray:
        """Two times (patches, enc_dim) to (patches, dim)."""
        return self._vision.project(global_features, local_features)

    def prefill_image(self, embeds: np.ndarray) -> None:
        """Reset the cache to the image prefix (p, dim), with bidirectional attention."""
        if len(embeds) != self.config.prefix_length:
            raise VlmError(
                f'an image takes {self.config.prefix_length} positions, not {len(embeds)}'
            )
        self.length = 0
        self._decoder.prefill(embeds)
        self._executor.synchronize()
        self.length = len(embeds)

    def rewind(self, length: int) -> None:
        """Truncate the cache: positions after `length` are masked and later overwritten."""
        if not 0 <= length <= self.length:
            raise VlmError(f'cannot rewind from {self.length} to {length}')
        self.length = length

    def step(self, embeds: np.ndarray) -> np.ndarray:
        """Append (t, dim), in chunks; hidden state (dim,) of the last position."""
        remaining = self.config.text.max_context - self.length
        if not 1 <= len(embeds) <= remaining:
            raise VlmError(
                f'{len(embeds)} positions do not fit: {remaining} are left in the context'
            )
        for first, end in prefill_chunks(self.config, len(embeds)):
            self._decoder.step(embeds[first:end], self.length + first)
        hidden: np.ndarray = self._decoder.hidden.get()[0]
        self.length += len(embeds)
        return hidden

    def logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (vocab,)."""
        logits: np.ndarray = self._head.run(hidden, ['logits'])[0][0]
        return logits

    def token(self, hidden: np.ndarray) -> int:
        """(dim,) to the greedy token id; the logits stay on the device."""
        return int(self._head.run(hidden, ['token'])[0][0])

    def coordinate_logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (bins,)."""
        self._decoder.mark_embedding_written(None)
        logits, best = self._region(self._coordinate).run(hidden, ['logits', 'bin'])
        value = bin_to_coordinate(int(best[0]), self.config.region.coord_out_dim)
        self._decoder.mark_embedding_written(self.embed_coordinates([value]))
        first: np.ndarray = logits[0]
        return first

    def size_logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (2, bins)."""
        sizes: np.ndarray = self._region(self._size).run(hidden, ['logits'])[0][0]
        return sizes

    def embed_tokens(self, ids: Sequence[int]) -> np.ndarray:
        """(n,) ids to (n, dim)."""
        return self._embeddings.tokens(ids)

    def embed_coordinates(self, values: Sequence[float]) -> np.ndarray:
        """(n,) to (n, dim)."""
        return self._embeddings.coordinate_encoder.coordinates(values)

    def embed_sizes(self, sizes: Sequence[tuple[float, float]]) -> np.ndarray:
        """(n, 2) to (n, dim)."""
        return self._embeddings.coordinate_encoder.sizes(sizes)

    def read_cache(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Copies of a layer's keys and values (kv_heads, length, head_dim)."""
        keys, values = (self._decoder.read(2 * layer + part, self.length) for part in range(2))
        return keys, values

    def close(self) -> None:
        """Free the device memory."""
        executor = self.__dict__.get('_executor')
        self.__dict__ = {'config': self.config, 'length': 0}
        if executor is not None:
            executor.close()

    def _head_runner(self, name: str, outputs: dict[str, Binding] | None = None) -> HeadRunner:
        return HeadRunner(self._executor, name, self._graphs[name], self._decoder.hidden, outputs)

    def _region(self, part: _Part | None) -> _Part:
        if part is None:
            raise VlmError('this model has no region heads: it cannot read or write coordinates')
        return part


def open_tensorrt(folder: ModelFolder, device: str) -> TensorRtEngine:
    """Open a folder on this machine's first GPU.

    Raises DeviceNotAvailable if TensorRT or a GPU is missing, ModelFolderError if the engines were
    built for another machine, EngineError if the GPU's memory is too small.
    """
    if device == 'cpu':
        raise DeviceNotAvailable(
            f'{folder.path} contains TensorRT engines, which need a GPU; for the CPU export the '
            'checkpoint with --target onnx'
        )
    from .executor import open_executor

    executor = open_executor(folder)
    try:
        return TensorRtEngine(folder, executor)
    except BaseException:
        executor.close()
        raise
