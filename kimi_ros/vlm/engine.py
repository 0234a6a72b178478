"""What runs the network: one interface, whatever the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .config import ModelConfig
from .errors import ModelFolderError
from .folder import ModelFolder


class Engine(Protocol):
    """One model with one cache. Not thread-safe: the caller sees to it that calls do not overlap.

    Arrays are f32. What a method returns stays valid until the same method is called again, a
    hidden state also only until the next prefill, and may be written to.
    """

    config: ModelConfig
    length: int
    """Positions that the cache holds."""
    crops_at_once: int
    """Crops that a call of `encode` is best given; one where more take as many times as long."""

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """Encode normalised crops (n, 3, S, S) into features (n, patches, enc_dim)."""

    def project(self, global_features: np.ndarray, local_features: np.ndarray) -> np.ndarray:
        """Project two times (patches, enc_dim) into image embeddings (patches, dim)."""

    def prefill_image(self, embeds: np.ndarray) -> None:
        """Make (p, dim) the content of the cache; all positions attend to each other."""

    def rewind(self, length: int) -> None:
        """Forget what follows the first `length` positions."""

    def step(self, embeds: np.ndarray) -> np.ndarray:
        """Append (t, dim) causally; return the last position's hidden state (dim,)."""

    def logits(self, hidden: np.ndarray) -> np.ndarray:
        """Logits (vocab,) of the token that follows."""

    def token(self, hidden: np.ndarray) -> int:
        """Id of the most probable token but the answer's special one, which no text holds."""

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
        """Let go of memory; nothing can be called afterwards."""


def open_engine(folder: ModelFolder, device: str, threads: int | None) -> Engine:
    """Open the runtime that the folder was made for; `threads` are onnxruntime's."""
    if folder.runtime == 'tensorrt':
        from .trt.engine import open_tensorrt

        return open_tensorrt(folder, device)
    if folder.runtime != 'onnxruntime':
        raise ModelFolderError(
            f'{folder.path} was made for the runtime {folder.runtime!r}, which this version cannot '
            'run; export it again with --target onnx'
        )
    from .ort.engine import OnnxEngine

    return OnnxEngine(folder, device, threads)
