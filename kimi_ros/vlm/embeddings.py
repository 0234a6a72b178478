"""Embeddings of token ids, coordinates and sizes, from a folder's tables.safetensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from .config import ModelConfig
from .coordinates import CoordinateEncoder
from .errors import ModelFolderError, VlmError

_TOKEN_EMBEDDINGS = 'token_embeddings'
# In the order of CoordinateEncoder's parameters.
REGION_TENSORS = (
    'coord_features',
    'coord_encoder.weight',
    'coord_encoder.bias',
    'size_features',
    'size_encoder.weight',
    'size_encoder.bias',
)


class EmbeddingFile:
    """The embeddings of a model folder; token embeddings stay on disk and are read by the row.

    :ivar extra: further tensors that were requested, by name.
    """

    def __init__(
        self, path: Path, config: ModelConfig, has_regions: bool, extra: Sequence[str] = ()
    ) -> None:
        """Raises ModelFolderError, naming the tensor that is missing or of the wrong shape."""
        names = (*(REGION_TENSORS if has_regions else ()), *extra)
        try:
            stream: Any = safe_open(path, 'numpy')  # its methods have no annotations
            missing = {_TOKEN_EMBEDDINGS, *names} - set(stream.keys())
            if missing:
                raise ModelFolderError(f'{path} lacks the tensor {min(missing)}')
            self._embeddings = stream.get_slice(_TOKEN_EMBEDDINGS)
            tensors = {name: stream.get_tensor(name) for name in names}
        except (SafetensorError, OSError) as error:
            raise ModelFolderError(f'{path} cannot be read: {error}') from error
        found = self._embeddings.get_shape()
        expected = [config.text.vocab_size, config.text.dim]
        if found != expected:
            raise ModelFolderError(
                f'{path}: {_TOKEN_EMBEDDINGS} has shape {found}, the config in model.json expects '
                f'{expected}; export the checkpoint again'
            )
        self._dim = config.text.dim
        self._encoder: CoordinateEncoder | None = None
        if has_regions:
            parts = [tensors[name] for name in REGION_TENSORS]
            self._encoder = CoordinateEncoder(*parts, bins=config.region.coord_out_dim)
        self.extra = {name: tensors[name] for name in extra}

    def tokens(self, ids: Sequence[int]) -> np.ndarray:
        """(n,) ids to f32 (n, dim)."""
        rows = np.empty((len(ids), self._dim), np.float32)
        for row, token in zip(rows, ids, strict=True):
            row[:] = self._embeddings[int(token)]
        return rows

    @property
    def coordinate_encoder(self) -> CoordinateEncoder:
        """The coordinate encoder. Raises VlmError if the model has no region heads."""
        if self._encoder is None:
            raise VlmError('this model has no region heads: it cannot read or write coordinates')
        return self._encoder
