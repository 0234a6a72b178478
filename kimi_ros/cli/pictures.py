"""Pictures that verbs read and write; what cannot be done is a CommandError."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.cli.errors import CommandError
from kimi_ros.images import ImageReadError, read_image


def read_picture(path: Path) -> np.ndarray:
    """Return a picture, uint8 (H, W, 3); CommandError where it cannot be read."""
    try:
        return read_image(path)
    except ImageReadError as error:
        raise CommandError(str(error)) from error


def check_picture_name(path: Path) -> None:
    """Raise CommandError unless the name ends as that of a picture that can be written."""
    if path.suffix.lower() not in ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff'):
        raise CommandError(f'{path} is not an image file name: use .png or .jpg')


def write_picture(path: Path, rgb: np.ndarray) -> None:
    """Write a picture, uint8 (H, W, 3), and its folder; CommandError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(path)
    except (OSError, ValueError) as error:
        raise CommandError(f'{path} cannot be written: {error}') from error


def make_folder(folder: Path) -> None:
    """Create a folder unless it is there; CommandError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f'cannot create {folder}: {error.strerror}') from error
