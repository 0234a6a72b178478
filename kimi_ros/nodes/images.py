"""Conversion between ROS image messages and arrays; duck-typed, no ROS needed."""

from __future__ import annotations

import array
import io
import sys
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image

from kimi_ros.nodes.errors import ImageFormatError
from kimi_ros.nodes.jpeg import check_jpeg

MAX_PIXELS = 64 * 1024 * 1024
_SMALLER = 'publish smaller images'


@dataclass(frozen=True)
class _Encoding:
    """How pixels are stored.

    :ivar channels: values of a pixel.
    :ivar conversion: OpenCV's to RGB; None for RGB itself.
    :ivar rows: rows of data for each row of pixels.
    :ivar even: whether width and height must be even.
    """

    channels: int
    conversion: int | None
    dtype: type = np.uint8
    rows: float = 1.0
    even: tuple[bool, bool] = (False, False)


_ENCODINGS = {
    'rgb8': _Encoding(3, None),
    'bgr8': _Encoding(3, cv2.COLOR_BGR2RGB),
    'rgba8': _Encoding(4, cv2.COLOR_RGBA2RGB),
    'bgra8': _Encoding(4, cv2.COLOR_BGRA2RGB),
    'mono8': _Encoding(1, cv2.COLOR_GRAY2RGB),
    'mono16': _Encoding(1, cv2.COLOR_GRAY2RGB, np.uint16),
    'yuv422': _Encoding(2, cv2.COLOR_YUV2RGB_UYVY, even=(True, False)),
    'yuv422_yuy2': _Encoding(2, cv2.COLOR_YUV2RGB_YUY2, even=(True, False)),
    'nv12': _Encoding(1, cv2.COLOR_YUV2RGB_NV12, rows=1.5, even=(True, True)),
    'nv21': _Encoding(1, cv2.COLOR_YUV2RGB_NV21, rows=1.5, even=(True, True)),
    # OpenCV names a pattern by the second and third pixel of its second row, ROS by its first four.
    'bayer_rggb8': _Encoding(1, cv2.COLOR_BayerBG2RGB, even=(True, True)),
    'bayer_bggr8': _Encoding(1, cv2.COLOR_BayerRG2RGB, even=(True, True)),
    'bayer_gbrg8': _Encoding(1, cv2.COLOR_BayerGR2RGB, even=(True, True)),
    'bayer_grbg8': _Encoding(1, cv2.COLOR_BayerGB2RGB, even=(True, True)),
}
_ALIASES = {
    '8UC1': 'mono8',
    '8UC3': 'bgr8',
    'uyvy': 'yuv422',
    'yuyv': 'yuv422_yuy2',
    'yuv422_uyvy': 'yuv422',
}
# Metres per unit.
_DEPTH = {'32FC1': (np.float32, 1.0), '16UC1': (np.uint16, 0.001)}


def to_rgb(message: Any) -> np.ndarray:
    """Return a sensor_msgs/Image as uint8 (H, W, 3), RGB.

    :raises ImageFormatError: for an unsupported encoding and for inconsistent sizes.
    """
    encoding = _color_encoding(message)
    rows = _rows(message, _byte_order(encoding.dtype, message), encoding.channels, encoding.rows)
    if rows.dtype.itemsize == 2:
        rows = (rows >> 8).astype(np.uint8)
    if encoding.conversion is None:
        return rows
    return cv2.cvtColor(rows, encoding.conversion)


def to_depth(message: Any) -> np.ndarray:
    """Return a depth image as float32 (H, W), metres.

    32FC1 holds metres, 16UC1 millimetres; 0 and non-finite values are invalid (REP 117, 118).

    :raises ImageFormatError: as `to_rgb` does.
    """
    kind, metres = _depth_encoding(message)
    return (_rows(message, kind, 1)[..., 0] * np.float32(metres)).astype(np.float32)


def check_image(message: Any) -> tuple[int, int]:
    """Return (width, height), raising what `to_rgb` would, without converting the pixels."""
    encoding = _color_encoding(message)
    _strided(message, np.dtype(encoding.dtype), encoding.channels, encoding.rows)
    return message.width, message.height


def check_depth(message: Any) -> tuple[int, int]:
    """Return (width, height), raising what `to_depth` would, without converting the pixels."""
    kind, _ = _depth_encoding(message)
    _strided(message, kind, 1)
    return message.width, message.height


def check_compressed(message: Any) -> tuple[int, int]:
    """Return (width, height), raising most of what `decode_compressed` would, without decoding."""
    content = bytes(message.data)
    check_jpeg(content)
    # A few bytes can declare gigabytes of pixels: the header is read before anything is decoded.
    try:
        with Image.open(io.BytesIO(content), formats=('JPEG', 'PNG')) as image:
            size = image.size
            if image.format == 'PNG' and size[0] * size[1] <= MAX_PIXELS:
                image.verify()  # its checksums
    except Image.DecompressionBombError:
        size = MAX_PIXELS, 2
    except Exception:  # decoders raise many types
        raise _not_an_image(message.format, content) from None
    if size[0] * size[1] > MAX_PIXELS:
        raise ImageFormatError(
            f'the {message.format} image has over {MAX_PIXELS} pixels: {_SMALLER}'
        )
    return size


def decode_compressed(message: Any) -> np.ndarray:
    """Return a sensor_msgs/CompressedImage (JPEG, PNG) as uint8 (H, W, 3), RGB.

    :raises ImageFormatError: for data that is not an image, is truncated or is too large.
    """
    check_compressed(message)
    data = np.frombuffer(message.data, np.uint8)
    # The orientation tag is ignored, so that pixels stay those of the intrinsics.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        bgr = cv2.imdecode(data, flags)
    except cv2.error:
        bgr = None
    if bgr is None:
        raise _not_an_image(message.format, data.tobytes())
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def encode_jpeg(rgb: np.ndarray, quality: int, comment: str = '') -> bytes:
    """Return uint8 (H, W, 3) RGB as a JPEG; quality 1 to 100.

    :param comment: stored in the file; `read_comment` returns it.
    """
    data = io.BytesIO()
    try:
        Image.fromarray(rgb).save(data, 'JPEG', quality=quality, comment=comment.encode())
    except (TypeError, OSError, ValueError):
        raise ImageFormatError(f'an array of shape {rgb.shape} cannot be written as JPEG') from None
    return data.getvalue()


def read_comment(jpeg: bytes) -> str:
    """Return a JPEG's comment, '' if it has none, without decoding the pixels.

    :raises ImageFormatError: for data that is not an image.
    """
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            return str(image.info.get('comment', b''), errors='replace')
    except (OSError, SyntaxError):
        raise _not_an_image('jpeg', jpeg) from None


def fill_image(message: Any, pixels: np.ndarray, encoding: str) -> Any:
    """Fill a sensor_msgs/Image with pixels, (H, W) or (H, W, C); the header is left alone."""
    message.height, message.width = pixels.shape[:2]
    message.encoding = encoding
    message.is_bigendian = int(sys.byteorder == 'big')
    message.step = pixels.itemsize * int(np.prod(pixels.shape[1:]))
    # Anything but an array.array is copied element by element.
    message.data = array.array('B', np.ascontiguousarray(pixels).tobytes())
    return message


def _not_an_image(declared: str, content: bytes) -> ImageFormatError:
    return ImageFormatError(
        f'{len(content)} bytes of format {declared!r} are not an image; publish jpeg or png'
    )


def _color_encoding(message: Any) -> _Encoding:
    encoding = _ENCODINGS.get(_ALIASES.get(message.encoding, message.encoding))
    if encoding is None:
        raise ImageFormatError(
            f'encoding {message.encoding!r} is not supported; publish one of '
            f'{", ".join(_ENCODINGS)}'
        )
    for even, side, size in zip(
        encoding.even, ('width', 'height'), (message.width, message.height), strict=True
    ):
        if even and size % 2:
            raise ImageFormatError(f'{message.encoding} needs an even {side}, not {size}')
    return encoding


def _byte_order(kind: type, message: Any) -> np.dtype:
    return np.dtype(kind).newbyteorder('>' if message.is_bigendian else '<')


def _depth_encoding(message: Any) -> tuple[np.dtype, float]:
    """Return the type of a pixel and the metres of one unit."""
    if message.encoding not in _DEPTH:
        raise ImageFormatError(
            f'depth encoding {message.encoding!r} is not supported; publish 32FC1 (metres) or '
            '16UC1 (millimetres)'
        )
    kind, metres = _DEPTH[message.encoding]
    return _byte_order(kind, message), metres


def _rows(message: Any, kind: np.dtype, channels: int, rows: float = 1.0) -> np.ndarray:
    """Return a copy (rows, W, channels) of the data, without the padding of rows."""
    data = np.ascontiguousarray(_strided(message, kind, channels, rows))
    return data.view(kind).reshape(-1, message.width, channels)


def _strided(message: Any, kind: np.dtype, channels: int, rows: float = 1.0) -> np.ndarray:
    """Return a view uint8 (rows, bytes of a row) of the data, without the padding of rows.

    :param rows: of data for each row of pixels.
    """
    width, height, step = int(message.width), int(message.height), int(message.step)
    what = f'the {message.encoding} image of {width}x{height}'
    if width < 1 or height < 1:
        raise ImageFormatError(f'{what} has no pixels')
    if width * height > MAX_PIXELS:
        raise ImageFormatError(f'{what} has over {MAX_PIXELS} pixels: {_SMALLER}')
    row = width * channels * kind.itemsize
    if step < row:
        raise ImageFormatError(f'{what} has a step of {step} bytes, less than the {row} of a row')
    data = np.frombuffer(message.data, np.uint8)
    count = int(height * rows)
    if len(data) < step * (count - 1) + row:
        raise ImageFormatError(
            f'{what} with a step of {step} needs {step * count} bytes, but has {len(data)}'
        )
    return np.lib.stride_tricks.as_strided(data, (count, row), (step, 1), writeable=False)
