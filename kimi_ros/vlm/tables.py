"""tables.safetensors: what turns token ids, coordinates and sizes into embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from .config import ModelConfig
from .errors import ModelFolderError, VlmError
from .region import RegionEncoder

_EMBEDDINGS = 'token_embeddings'
# In the order in which RegionEncoder takes them.
REGION_TABLES = (
    'coord_features',
    'coord_encoder.weight',
    'coord_encoder.bias',
    'size_features',
    'size_encoder.weight',
    'size_encoder.bias',
)


class Tables:
    """The embeddings of a folder; the largest stay in the file and are read row by row.

    :ivar others: further tables that were asked for, by name.
    """

    def __init__(
        self, path: Path, config: ModelConfig, has_regions: bool, others: Sequence[str] = ()
    ) -> None:
        """Raises ModelFolderError, naming what is missing, damaged or of another size."""
        names = (*(REGION_TABLES if has_regions else ()), *others)
        try:
            stream = safe_open(path, 'numpy')
            missing = {_EMBEDDINGS, *names} - set(stream.keys())
            if missing:
                raise ModelFolderError(f'{path} lacks the table {min(missing)}')
            self._embeddings = stream.get_slice(_EMBEDDINGS)
            tables = {name: stream.get_tensor(name) for name in names}
        except (SafetensorError, OSError) as error:
            raise ModelFolderError(f'{path} cannot be read: {error}') from error
        found = self._embeddings.get_shape()
        asked = [config.text.vocab_size, config.text.dim]
        if found != asked:
            raise ModelFolderError(
                f'{path}: {_EMBEDDINGS} is {found}, the config in model.json asks for {asked}; '
                'export the checkpoint again'
            )
        self._dim = config.text.dim
        self._encoder = None
        if has_regions:
            parts = (tables[name] for name in REGION_TABLES)
            self._encoder = RegionEncoder(*parts, bins=config.region.coord_out_dim)
        self.others = {name: tables[name] for name in others}

    def tokens(self, ids: Sequence[int]) -> np.ndarray:
        """(n,) ids to f32 (n, dim)."""
        rows = np.empty((len(ids), self._dim), np.float32)
        for row, token in zip(rows, ids, strict=True):
            row[:] = self._embeddings[int(token)]
        return rows

    @property
    def regions(self) -> RegionEncoder:
        """Coordinates and sizes to embeddings. Raises VlmError where the model has none."""
        if self._encoder is None:
            raise VlmError('this model has no region heads: it takes and gives no coordinates')
        return self._encoder
