"""Depth images as compressed_depth_image_transport publishes them."""

from __future__ import annotations

import io
import struct
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from PIL import Image

from kimi_ros.nodes.errors import ImageFormatError
from kimi_ros.nodes.images import MAX_PIXELS

# Before the PNG: an enumeration that is not used, and two parameters of the quantization.
_METHODS = ('compressedDepth', 'compressedDepth png')
_HEADER = struct.Struct('<iff')


def decompressed_depth(message: Any) -> Any:
    """Return a sensor_msgs/CompressedImage as an object with the fields of a depth Image.

    16UC1 is PNG of millimetres. 32FC1 is PNG of a / depth + b with two parameters a and b, where 0
    is invalid.

    :raises ImageFormatError: for anything else, RVL compression included.
    """
    encoding, _, method = (part.strip() for part in message.format.partition(';'))
    content = bytes(message.data)
    # Older versions say no more than 'compressedDepth', which is PNG.
    if encoding not in ('16UC1', '32FC1') or method not in _METHODS:
        raise ImageFormatError(
            f'compressed depth of format {message.format!r} is not supported; publish 16UC1 or '
            '32FC1 with the parameter format of compressedDepth set to png'
        )
    values = _read_png(content[_HEADER.size :], message.format)
    if encoding == '32FC1':
        _, a, b = _HEADER.unpack_from(content)
        with np.errstate(divide='ignore', invalid='ignore'):
            values = np.where(values > 0, a / (values.astype(np.float32) - b), np.nan)
        values = values.astype(np.float32)
    height, width = values.shape
    return SimpleNamespace(
        header=message.header,
        width=width,
        height=height,
        encoding=encoding,
        is_bigendian=int(values.dtype.byteorder == '>'),
        step=values.itemsize * width,
        data=values.tobytes(),
    )


def _read_png(content: bytes, declared: str) -> np.ndarray:
    """Return uint16 (H, W)."""
    try:
        with Image.open(io.BytesIO(content), formats=('PNG',)) as image:
            pixels = image.width * image.height
            if pixels <= MAX_PIXELS:
                image.verify()  # its checksums
    except Exception:  # decoders raise many types
        pixels = 0
    if pixels > MAX_PIXELS:
        raise ImageFormatError(
            f'the depth image has over {MAX_PIXELS} pixels: publish smaller ones'
        )
    values = (
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if pixels else None
    )
    if values is None or values.dtype != np.uint16 or values.ndim != 2:
        raise ImageFormatError(
            f'{len(content)} bytes of format {declared!r} are not a depth image: check the '
            'connection to the camera'
        )
    return values
