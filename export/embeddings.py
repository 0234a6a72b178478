"""Writer of tables.safetensors: embeddings of token ids, coordinates and sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from kimi_ros.vlm.embeddings import REGION_TENSORS
from kimi_ros.vlm.quantization import QuantizationConfig

from .checkpoint import Checkpoint
from .errors import FolderError
from .lowering_ort import CacheScales


def write_embeddings(
    checkpoint: Checkpoint,
    quantization: QuantizationConfig,
    path: Path,
    scales: CacheScales | None = None,
) -> None:
    """Write the token embeddings, f32 or f16, the coordinate encoder and cache scales, f32.

    :param scales: of an int8 KV cache.

    Raises FolderError if writing fails.
    """
    embeddings = checkpoint.read('text.wte')
    if quantization.decoder != 'fp32':
        embeddings = embeddings.astype(np.float16)
    tensors = {'token_embeddings': embeddings}
    if checkpoint.has_regions:
        tensors |= {name: checkpoint.read(f'region.{name}') for name in REGION_TENSORS}
    if scales:
        tensors |= {'key_scales': scales.keys, 'value_scales': scales.values}
    try:
        save_file(tensors, str(path))
    except SafetensorError as error:
        raise FolderError(f'{path.name} cannot be written: {error}') from error
