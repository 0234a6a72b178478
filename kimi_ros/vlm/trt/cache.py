"""Where keys and values lie in device memory: two blocks, one strided copy between them.

All layers' keys and values are slices of one block, the past, that is as long as the context. A
step writes those of its own positions into a second block, the fresh ones, slice after slice; they
belong behind the positions that the past holds already. Since both blocks are regular, a single
three-dimensional copy puts them there: rows of one head, heads of one slice, slices of one block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..config import TextConfig

# TensorRT takes no address that is no multiple of this (IExecutionContext::setTensorAddress).
ALIGNMENT = 256


@dataclass(frozen=True)
class StridedCopy:
    """`slices` of `rows` of `width` bytes; pitches are bytes from row to row.

    `source_rows` and `target_rows` are the rows from slice to slice, the padding among them.
    """

    width: int
    rows: int
    slices: int
    source_pitch: int
    source_rows: int
    target_offset: int
    target_pitch: int
    target_rows: int


@dataclass(frozen=True)
class CacheBlocks:
    """Offsets into both blocks, in bytes.

    :ivar context: positions that the past has room for.
    """

    layers: int
    kv_heads: int
    context: int
    head_dim: int
    dtype: np.dtype

    @classmethod
    def of(cls, text: TextConfig, cache: str) -> CacheBlocks:
        """Blocks of a text model whose keys and values are kept in 'fp32' or 'fp16'."""
        dtype = np.dtype({'fp32': np.float32, 'fp16': np.float16}[cache])
        return cls(text.n_layers, text.n_kv_heads, text.max_context, text.head_dim, dtype)

    @property
    def names(self) -> list[str]:
        """Slices in their order: keys and values of each layer."""
        return [f'{part}_{layer}' for layer in range(self.layers) for part in ('key', 'value')]

    def past_shape(self) -> tuple[int, int, int, int]:
        """Shape of one slice of the past."""
        return 1, self.kv_heads, self.context, self.head_dim

    def fresh_shape(self, count: int) -> tuple[int, int, int, int]:
        """Shape of one slice of the fresh ones, of a step of `count` positions."""
        return 1, self.kv_heads, count, self.head_dim

    def past_bytes(self) -> int:
        """Size of the past."""
        return len(self.names) * self._slice(self.context)

    def fresh_bytes(self, count: int) -> int:
        """Size of the fresh ones of a step of up to `count` positions."""
        return len(self.names) * max(map(self._slice, range(1, count + 1)))

    def past_offset(self, index: int) -> int:
        """Where slice `index` of the past begins."""
        return index * self._slice(self.context)

    def fresh_offset(self, index: int, count: int) -> int:
        """Where slice `index` of a step of `count` positions begins."""
        return index * self._slice(count)

    def write_back(self, start: int, count: int) -> StridedCopy:
        """Copy from the fresh ones to positions start..start+count of the past.

        Raises ValueError where they do not fit.
        """
        if start < 0 or count < 1 or start + count > self.context:
            raise ValueError(f'{count} positions from {start} on do not fit into {self.context}')
        return StridedCopy(
            width=self._row(count),
            rows=self.kv_heads,
            slices=len(self.names),
            source_pitch=self._row(count),
            source_rows=self._rows(count),
            target_offset=self._row(start),
            target_pitch=self._row(self.context),
            target_rows=self._rows(self.context),
        )

    def _row(self, positions: int) -> int:
        return positions * self.head_dim * self.dtype.itemsize

    def _rows(self, positions: int) -> int:
        """Rows of a slice, with as many more as bring the next one to an aligned place."""
        rows = self.kv_heads
        while rows * self._row(positions) % ALIGNMENT:
            rows += 1
        return rows

    def _slice(self, positions: int) -> int:
        return self._rows(positions) * self._row(positions)
