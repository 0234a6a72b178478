"""tables.safetensors: what turns token ids, coordinates and sizes into embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from kimi_ros.vlm.layout import Layout
from kimi_ros.vlm.tables import REGION_TABLES

from .checkpoint import Checkpoint
from .errors import FolderError
from .lowering_ort import CacheScales


def write_tables(
    checkpoint: Checkpoint, layout: Layout, path: Path, scales: CacheScales | None = None
) -> None:
    """Write the embeddings, f32 or half precision, and what else is looked up, f32.

    :param scales: of an 8-bit cache.

    Raises FolderError where the disk does not take them.
    """
    embeddings = checkpoint.read('text.wte')
    if layout.decoder != 'fp32':
        embeddings = embeddings.astype(np.float16)
    tables = {'token_embeddings': embeddings}
    if checkpoint.has_regions:
        tables |= {name: checkpoint.read(f'region.{name}') for name in REGION_TABLES}
    if scales:
        tables |= {'key_scales': scales.keys, 'value_scales': scales.values}
    try:
        save_file(tables, str(path))
    except SafetensorError as error:
        raise FolderError(f'{path.name} cannot be written: {error}') from error
