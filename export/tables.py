"""tables.safetensors: what turns token ids, coordinates and sizes into embeddings."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import save_file

from .checkpoint import Checkpoint
from .errors import FolderError

# In the order in which kimi_ros.vlm.region.RegionEncoder takes them.
REGION_TABLES = (
    'coord_features',
    'coord_encoder.weight',
    'coord_encoder.bias',
    'size_features',
    'size_encoder.weight',
    'size_encoder.bias',
)


def write_tables(checkpoint: Checkpoint, path: Path) -> None:
    """Write the embeddings and, where the checkpoint has them, the region encoders, all f32.

    Raises FolderError where the disk does not take them.
    """
    tables = {'token_embeddings': checkpoint.read('text.wte')}
    if checkpoint.has_regions:
        tables |= {name: checkpoint.read(f'region.{name}') for name in REGION_TABLES}
    try:
        save_file(tables, str(path))
    except SafetensorError as error:
        raise FolderError(f'{path.name} cannot be written: {error}') from error
