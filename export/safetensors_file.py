"""Reading one tensor after another out of safetensors files, bf16 included.

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
    """Where a tensor lies: `offset` bytes into `path`. `dtype` is the format's own word."""

    path: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

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

    Raises CheckpointError where the file is cut short or is no safetensors file.
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
    end = max((t.offset + _bytes(t) for t in tensors.values()), default=0)
    if end > size:
        raise CheckpointError(
            f'{path} is cut short: its tensors end at byte {end}, the file has {size}'
        )
    return tensors


def _parse(path: Path, header: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(header)
    except ValueError as error:
        raise CheckpointError(f'{path} is not a safetensors file: {error}') from error
    if not isinstance(entries, dict):
        raise CheckpointError(f'{path} is not a safetensors file: its header is no JSON object')
    return entries


def _tensor(path: Path, name: str, entry: Any, start: int) -> StoredTensor:
    try:
        dtype = str(entry['dtype'])
        shape = tuple(int(side) for side in entry['shape'])
        begin, end = (int(offset) for offset in entry['data_offsets'])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f'{path}: the header entry of {name} is malformed') from error
    tensor = StoredTensor(path, name, dtype, shape, start + begin)
    if not tensor.is_weight:
        return tensor  # a checkpoint may carry integer buffers; they are never read
    if min(shape, default=0) < 0 or begin < 0 or end - begin != _bytes(tensor):
        raise CheckpointError(
            f'{path}: {name} should take {_bytes(tensor)} bytes as {dtype} {list(shape)}, its '
            f'header gives it {end - begin}'
        )
    return tensor


def _bytes(tensor: StoredTensor) -> int:
    if not tensor.is_weight:
        return 0
    return math.prod(tensor.shape) * np.dtype(_DTYPES[tensor.dtype]).itemsize
