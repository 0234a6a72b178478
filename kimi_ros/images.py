"""Reading pictures from files: one way for the command line, evaluation and training."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


class ImageReadError(ValueError):
    """A picture cannot be read; the message names the file and the reason."""


def read_image(path: str | os.PathLike[str], what: str = 'image') -> np.ndarray:
    """Return a picture as it is meant to be seen: RGB, uint8 (H, W, 3).

    Its EXIF orientation is applied: cameras and phones store pictures as the sensor saw them, and
    viewers turn them upright.

    :param what: it is, for error messages.

    :raises ImageReadError: where the file is missing, no picture, or cut short.
    """
    try:
        with Image.open(path) as image:
            return np.array(ImageOps.exif_transpose(image).convert('RGB'))
    except FileNotFoundError:
        raise ImageReadError(f'the {what} {Path(path)} does not exist') from None
    # Pillow raises what its decoders raise: OSError, SyntaxError, ValueError, ...
    except Exception as error:
        raise ImageReadError(f'the {what} {Path(path)} cannot be read: {error}') from error
