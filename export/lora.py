"""LoRA adapters, merged into a checkpoint's weights when these are read.

An adapter is a safetensors file. For each adapted linear layer it contains `LAYER.A` (rank,
inputs) and `LAYER.B` (outputs, rank); the merged weight is weight + scale * B @ A. Its metadata are
`format` (`FORMAT`), `scale`, `proj` (see `UNMERGED`) and, if the training added any, `tasks` and
`languages`, separated by spaces.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from .checkpoint import TASKS, Checkpoint, supported_tasks
from .errors import AdapterError, CheckpointError
from .names import canonical
from .safetensors_file import StoredTensor, read_header

FORMAT = 'kimi_lora 1'
MERGED, UNMERGED = 'merged', 'beside'
"""Adapters of `text.blocks.N.attn.proj` are merged like all others, or stay unmerged: a parallel
branch from the block's normed input, added to the output of the attention. Published variants need
the latter (vikhyat/moondream, text.py), which cannot be expressed by a merged weight."""

_PROJ = re.compile(r'text\.blocks\.(\d+)\.attn\.proj')
Pair = tuple[StoredTensor, StoredTensor]


@dataclass(frozen=True)
class Adapter:
    """An adapter's matrices A and B, by the canonical name of the layer."""

    path: Path
    scale: float
    proj: str
    pairs: Mapping[str, Pair]
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @property
    def unmerged_blocks(self) -> frozenset[int]:
        """Decoder blocks in which the adapter of `attn.proj` stays unmerged."""
        if self.proj == MERGED:
            return frozenset()
        return frozenset(int(m[1]) for m in map(_PROJ.fullmatch, self.pairs) if m)

    def a(self, layer: str) -> np.ndarray:
        """Matrix A of a layer, f32 (rank, inputs). Raises CheckpointError for NaN."""
        return self.pairs[layer][0].read()

    def b(self, layer: str) -> np.ndarray:
        """Matrix B of a layer times the scale, f32 (outputs, rank)."""
        return self.pairs[layer][1].read() * np.float32(self.scale)


@dataclass(frozen=True)
class AdaptedCheckpoint(Checkpoint):
    """A checkpoint that is read with an adapter merged into it.

    Unmerged adapters are read as additional tensors: `text.blocks.N.attn.proj.A` and `.B`, for
    every N of `unmerged_blocks`.
    """

    adapter: Adapter

    @property
    def unmerged_blocks(self) -> frozenset[int]:
        """Decoder blocks with an unmerged adapter."""
        return self.adapter.unmerged_blocks

    def read(self, name: str) -> np.ndarray:
        """As `Checkpoint.read`, merged: weight + scale * B @ A."""
        layer, _, kind = name.rpartition('.')
        pairs = self.adapter.pairs
        if layer in pairs and kind in ('A', 'B'):
            return self.adapter.a(layer) if kind == 'A' else self.adapter.b(layer)
        values = super().read(name)
        if kind != 'weight' or layer not in pairs or self._is_unmerged(layer):
            return values
        return values + self.adapter.b(layer) @ self.adapter.a(layer)

    def _is_unmerged(self, layer: str) -> bool:
        match = _PROJ.fullmatch(layer)
        return bool(match) and int(match[1]) in self.unmerged_blocks


def adapt(checkpoint: Checkpoint, path: str | Path) -> AdaptedCheckpoint:
    """Return the checkpoint with the adapter applied; no tensor values are read yet.

    Raises AdapterError if the file is not an adapter or does not match the checkpoint's layers and
    shapes.
    """
    adapter = open_adapter(path)
    for layer in adapter.pairs:
        _check_fit(adapter, layer, checkpoint)
    fields = {f.name: getattr(checkpoint, f.name) for f in dataclasses.fields(Checkpoint)}
    unknown = set(adapter.tasks) - set(supported_tasks(checkpoint.config, checkpoint.has_regions))
    if unknown:
        raise AdapterError(
            f'{adapter.path} lists the task {min(unknown)}, for which the checkpoint '
            f'{checkpoint.name} has no template or no weights'
        )
    fields['tasks'] = tuple(t for t in TASKS if t in {*checkpoint.tasks, *adapter.tasks})
    fields['languages'] = tuple(dict.fromkeys((*checkpoint.languages, *adapter.languages)))
    return AdaptedCheckpoint(**fields, adapter=adapter)


def open_adapter(path: str | Path) -> Adapter:
    """Read an adapter's names, shapes and metadata. Raises AdapterError."""
    path = Path(path).expanduser()
    if path.suffix != '.safetensors':
        raise AdapterError(
            f'{path} is not supported: an adapter is a .safetensors file; convert a .pt file with '
            'kimi-train convert'
        )
    if not path.is_file():
        raise AdapterError(f'{path} does not exist')
    try:
        stored = read_header(path)
        with safe_open(str(path), framework='np') as file:
            about = file.metadata() or {}
    except (CheckpointError, SafetensorError) as error:
        raise AdapterError(str(error)) from error
    if about.get('format') != FORMAT:
        raise AdapterError(
            f'{path} is not an adapter (metadata "format": "{FORMAT}" is missing); kimi-train '
            'writes adapters, and kimi-train convert converts published variants'
        )
    return Adapter(
        path,
        _scale(path, about),
        _proj(path, about),
        _pairs(path, stored.values()),
        tuple(about.get('tasks', '').split()),
        tuple(about.get('languages', '').split()),
    )


def _scale(path: Path, about: Mapping[str, str]) -> float:
    try:
        scale = float(about['scale'])
    except (KeyError, ValueError):
        scale = math.nan
    if not math.isfinite(scale):
        raise AdapterError(f'{path}: the metadata has no valid scale: {about.get("scale")!r}')
    return scale


def _proj(path: Path, about: Mapping[str, str]) -> str:
    proj = about.get('proj')
    if proj not in (MERGED, UNMERGED):
        raise AdapterError(f"{path}: the metadata's proj is {proj!r}, not {MERGED} or {UNMERGED}")
    return proj


def _pairs(path: Path, tensors: Iterable[StoredTensor]) -> dict[str, Pair]:
    found: dict[str, dict[str, StoredTensor]] = {}
    for stored in tensors:
        layer, _, kind = canonical(stored.name)[0].rpartition('.')
        if kind not in ('A', 'B') or not layer:
            raise AdapterError(f'{path}: {stored.name} is not matrix A or B of a layer')
        if not stored.is_weight:
            raise AdapterError(f'{path}: {stored.name} is stored as {stored.dtype}')
        halves = found.setdefault(layer, {})
        if kind in halves:
            raise AdapterError(f'{path}: {stored.name} and {halves[kind].name} are the same matrix')
        halves[kind] = stored
    if not found:
        raise AdapterError(f'{path} contains no adapters')
    return {layer: _pair(path, layer, halves) for layer, halves in found.items()}


def _pair(path: Path, layer: str, halves: dict[str, StoredTensor]) -> Pair:
    for kind in ('A', 'B'):
        if kind not in halves:
            raise AdapterError(f'{path}: {layer}.{kind} is missing')
    a, b = halves['A'], halves['B']
    if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[0] != b.shape[1]:
        raise AdapterError(
            f'{path}: {layer}.A has shape {list(a.shape)} and {layer}.B {list(b.shape)}; they must '
            'be [rank, inputs] and [outputs, rank]'
        )
    return a, b


def _check_fit(adapter: Adapter, layer: str, checkpoint: Checkpoint) -> None:
    name = f'{layer}.weight'
    shape = checkpoint.tensors[name][0].shape if name in checkpoint.tensors else ()
    if len(shape) != 2:
        raise AdapterError(
            f'{adapter.path}: {layer} is not a linear layer of the checkpoint {checkpoint.name}: '
            'the adapter belongs to another checkpoint'
        )
    a, b = (stored.shape for stored in adapter.pairs[layer])
    if (b[0], a[1]) != shape:
        raise AdapterError(
            f'{adapter.path}: {layer} has A {list(a)} and B {list(b)}, for a weight of '
            f'{[b[0], a[1]]}; the checkpoint {checkpoint.name} has one of {list(shape)}'
        )
