"""The engine interface, which hides the runtime (ONNX Runtime or TensorRT)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .config import ModelConfig
from .errors import ModelFolderError
from .folder import ModelFolder


class Engine(Protocol):
    """One model with one KV cache. Not thread-safe: callers must serialize their calls.

    Arrays are f32. A returned array is valid until the same method is called again (a hidden state
    only until the next prefill) and may be modified.
    """

    config: ModelConfig
    length: int
    """Positions in the KV cache."""
    crop_batch_size: int
    """The best batch size of `encode`; 1 where batching is no faster."""

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """Encode normalised crops (n, 3, S, S) into features (n, patches, enc_dim)."""

    def project(self, global_features: np.ndarray, local_features: np.ndarray) -> np.ndarray:
        """Project two times (patches, enc_dim) into image embeddings (patches, dim)."""

    def prefill_image(self, embeds: np.ndarray) -> None:
        """Reset the KV cache to the image prefix (p, dim), with bidirectional attention."""

    def rewind(self, length: int) -> None:
        """Truncate the KV cache to its first `length` positions."""

    def step(self, embeds: np.ndarray) -> np.ndarray:
        """Append (t, dim) with causal attention; return the last hidden state (dim,)."""

    def logits(self, hidden: np.ndarray) -> np.ndarray:
        """Logits (vocab,) of the next token."""

    def token(self, hidden: np.ndarray) -> int:
        """Greedy next token: the argmax of the logits, without the answer id."""

    def coordinate_logits(self, hidden: np.ndarray) -> np.ndarray:
        """Logits (bins,) of a coordinate."""

    def size_logits(self, hidden: np.ndarray) -> np.ndarray:
        """Logits (2, bins) of width and height."""

    def embed_tokens(self, ids: Sequence[int]) -> np.ndarray:
        """Embeddings (n, dim) of token ids."""

    def embed_coordinates(self, values: Sequence[float]) -> np.ndarray:
        """Embeddings (n, dim) of coordinates, 0-1."""

    def embed_sizes(self, sizes: Sequence[tuple[float, float]]) -> np.ndarray:
        """Embeddings (n, dim) of (width, height) pairs, 0-1."""

    def read_cache(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Return copies of the keys and values (kv_heads, length, head_dim) of a layer."""

    def close(self) -> None:
        """Free all memory; no other method may be called afterwards."""


def open_engine(folder: ModelFolder, device: str, threads: int | None) -> Engine:
    """Open the engine for the runtime of the folder; `threads` applies to ONNX Runtime."""
    if folder.runtime == 'tensorrt':
        from .trt.engine import open_tensorrt

        return open_tensorrt(folder, device)
    if folder.runtime != 'onnxruntime':
        raise ModelFolderError(
            f'{folder.path} was exported for the runtime {folder.runtime!r}, which this version '
            'does not support; export it again with --target onnx'
        )
    from .ort.engine import OnnxEngine

    return OnnxEngine(folder, device, threads)
