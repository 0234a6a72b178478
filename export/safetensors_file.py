"""Reader of single tensors from safetensors files, including bf16.

The library's numpy reader knows no bf16, and a 2B checkpoint must not be in memory at once, so the
format (8 bytes of header length, a JSON header, raw little-endian data) is read here.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import CheckpointError

# Stored dtypes that an unquantised checkpoint may have, as numpy reads them.
_DTYPES = {'F32': '<f4', 'F16': '<f2', 'BF16': '<u2', 'F64': '<f8'}
_LONGEST_HEADER = 100_000_000  # the limit of the format itself


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies: `size` bytes, `offset` into `path`; `dtype` is the format's own word."""

    path: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int

    @property
    def is_weight(self) -> bool:
        """Whether the dtype is one that can be read."""
        return self.dtype in _DTYPES

    def read(self) -> np.ndarray:
        """The values as f32, C order. Raises CheckpointError where one is not finite."""
        count = math.prod(self.shape)
        kind = np.dtype(_DTYPES[self.dtype])
        try:
            stored = np.fromfile(self.path, kind, count, offset=self.offset)
        except OSError as error:
            raise CheckpointError(f'{self.path} cannot be read: {error}') from error
        if len(stored) < count:
            raise CheckpointError(f'{self.path} was cut short while it was read, in {self.name}')
        if self.dtype == 'BF16':
            # bf16 is the upper half of an f32.
            values = (stored.astype(np.uint32) << np.uint32(16)).view(np.float32)
        else:
            values = stored.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            bad = int(np.count_nonzero(~np.isfinite(values)))
            raise CheckpointError(
                f'{self.name} in {self.path} holds NaN or infinity ({bad} of {count} values); '
                'the training that wrote it has diverged or the file is damaged'
            )
        return values.reshape(self.shape)


def read_header(path: Path) -> dict[str, StoredTensor]:
    """List the tensors of a safetensors file without reading their values.

    Raises CheckpointError where the file is cut short or is no safetensors file, or where the
    tensors do not cover its data without a gap, as the format demands.
    """
    try:
        size = path.stat().st_size
        with path.open('rb') as stream:
            start = stream.read(8)
            if len(start) < 8:
                raise CheckpointError(f'{path} is cut short: it has {size} bytes')
            (length,) = struct.unpack('<Q', start)
            if length > _LONGEST_HEADER:
                raise CheckpointError(f'{path} is not a safetensors file')
            if 8 + length > size:
                raise CheckpointError(
                    f'{path} is cut short: its header alone needs {8 + length} bytes, it has {size}'
                )
            header = stream.read(length)
    except OSError as error:
        raise CheckpointError(f'{path} cannot be read: {error}') from error
    entries = _parse(path, header)
    tensors = {
        name: _tensor(path, name, entry, 8 + length)
        for name, entry in entries.items()
        if name != '__metadata__'
    }
    _check_cover(path, tensors, 8 + length, size)
    return tensors


def _check_cover(path: Path, tensors: dict[str, StoredTensor], start: int, size: int) -> None:
    end, last = start, 'the header'
    for tensor in sorted(tensors.values(), key=lambda t: (t.offset, t.size)):
        if tensor.offset != end:
            raise CheckpointError(
                f'{path} is damaged: {tensor.name} begins at byte {tensor.offset}, {last} before '
                f'it ends at {end}'
            )
        end, last = end + tensor.size, tensor.name
    if end > size:
        raise CheckpointError(
            f'{path} is cut short: its tensors end at byte {end}, the file has {size}'
        )
    if end < size:
        raise CheckpointError(
            f'{path} is damaged: {size - end} bytes follow its last tensor, {last}'
        )


def _parse(path: Path, header: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f'{path} is not a safetensors file: {error}') from error
    if not isinstance(entries, dict):
        raise CheckpointError(f'{path} is not a safetensors file: its header is no JSON object')
    return entries


def _tensor(path: Path, name: str, entry: Any, start: int) -> StoredTensor:
    try:
        dtype = str(entry['dtype'])
        shape = tuple(int(side) for side in entry['shape'])
        begin, end = (int(offset) for offset in entry['data_offsets'])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f'{path}: the header entry of {name} is malformed') from error
    if min(shape, default=0) < 0 or not 0 <= begin <= end:
        raise CheckpointError(f'{path}: the header entry of {name} is malformed')
    tensor = StoredTensor(path, name, dtype, shape, start + begin, end - begin)
    # A checkpoint may carry integer buffers; they are never read.
    if tensor.is_weight:
        needed = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
        if tensor.size != needed:
            raise CheckpointError(
                f'{path}: {name} should take {needed} bytes as {dtype} {list(shape)}, its header '
                f'gives it {tensor.size}'
            )
    return tensor
