"""Writing tensors: whole or not at all, and readable as other files are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor


def save_tensors(tensors: Mapping[str, Tensor], path: Path, about: Mapping[str, str]) -> None:
    """Write a safetensors file beside its place and move it there. Raises OSError."""
    beside = path.with_name(f'.{path.stem}.part.safetensors')
    try:
        save_file(dict(tensors), beside, dict(about))
        mask = os.umask(0)
        os.umask(mask)
        beside.chmod(0o666 & ~mask)  # the library makes private files
        os.replace(beside, path)
    except SafetensorError as error:
        raise OSError(f'{path} cannot be written: {error}') from error
    finally:
        beside.unlink(missing_ok=True)
