"""Memory layout of the KV cache: two buffers and one strided copy between them.

The keys and values of all layers are slices of one buffer, the past, whose length is the context. A
step writes those of its own positions to a second buffer, the new ones, slice after slice. Both
buffers are regular, so a single three-dimensional copy appends the new ones to the past: rows of
one head, heads of one slice, slices of one buffer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..config import TextConfig

# Tensor addresses must be multiples of this (IExecutionContext::setTensorAddress).
ALIGNMENT = 256


@dataclass(frozen=True)
class StridedCopy:
    """`slices` of `rows` of `width` bytes; pitches are bytes from row to row.

    `source_rows` and `target_rows` are the rows from slice to slice, including padding.
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
class KVCacheLayout:
    """Shapes and byte offsets of the slices of both buffers.

    :ivar context: positions of the past buffer.
    """

    layers: int
    kv_heads: int
    context: int
    head_dim: int
    dtype: np.dtype

    @classmethod
    def of(cls, text: TextConfig, cache: str) -> KVCacheLayout:
        """Layout for a text model whose cache is 'fp32' or 'fp16'."""
        dtype = np.dtype({'fp32': np.float32, 'fp16': np.float16}[cache])
        return cls(text.n_layers, text.n_kv_heads, text.max_context, text.head_dim, dtype)

    @property
    def names(self) -> list[str]:
        """Names of the slices in order: keys and values of each layer."""
        return [f'{part}_{layer}' for layer in range(self.layers) for part in ('key', 'value')]

    def past_shape(self) -> tuple[int, int, int, int]:
        """Shape of one slice of the past."""
        return 1, self.kv_heads, self.context, self.head_dim

    def new_shape(self, count: int) -> tuple[int, int, int, int]:
        """Shape of one slice of the new buffer for a step of `count` positions."""
        return 1, self.kv_heads, count, self.head_dim

    def past_bytes(self) -> int:
        """Size of the past buffer."""
        return len(self.names) * self._slice(self.context)

    def new_bytes(self, count: int) -> int:
        """Size of the new buffer for steps of up to `count` positions."""
        return len(self.names) * max(map(self._slice, range(1, count + 1)))

    def past_offset(self, index: int) -> int:
        """Offset of slice `index` of the past."""
        return index * self._slice(self.context)

    def new_offset(self, index: int, count: int) -> int:
        """Offset of slice `index` of the new buffer for a step of `count` positions."""
        return index * self._slice(count)

    def write_back(self, start: int, count: int) -> StridedCopy:
        """The copy of the new slices to positions start..start+count of the past.

        Raises ValueError if they do not fit.
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
        """Rows of a slice, padded so that the next slice is aligned."""
        rows = self.kv_heads
        while rows * self._row(positions) % ALIGNMENT:
            rows += 1
        return rows

    def _slice(self, positions: int) -> int:
        return self._rows(positions) * self._row(positions)
