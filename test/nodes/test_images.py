"""Conversion of image messages."""

import array
import struct
import sys
import zlib
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from kimi_ros.nodes.images import (
    ImageFormatError,
    decode_compressed,
    encode_jpeg,
    fill_image,
    read_comment,
    to_depth,
    to_rgb,
)

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)


def message(pixels, as_encoding, **changes):
    return SimpleNamespace(**(vars(fill_image(SimpleNamespace(), pixels, as_encoding)) | changes))


def padded(pixels, encoding, padding):
    rows = pixels.reshape(len(pixels), -1).view(np.uint8)
    wide = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    return message(pixels, encoding, step=wide.shape[1], data=array.array('B', wide.tobytes()))


@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize(
    ('encoding', 'pixels'),
    [
        ('rgb8', RGB),
        ('bgr8', RGB[..., ::-1]),
        ('rgba8', np.dstack([RGB, RGB[..., 0]])),
        ('bgra8', np.dstack([RGB[..., ::-1], RGB[..., 0]])),
    ],
)
def test_colour_encodings(encoding, pixels, padding):
    found = to_rgb(padded(np.ascontiguousarray(pixels), encoding, padding))
    assert found.dtype == np.uint8 and found.flags.c_contiguous
    np.testing.assert_array_equal(found, RGB)


@pytest.mark.parametrize('encoding', ['mono8', '8UC1'])
def test_grey(encoding):
    found = to_rgb(message(RGB[..., 0], encoding))
    np.testing.assert_array_equal(found, np.repeat(RGB[..., :1], 3, axis=2))


@pytest.mark.parametrize(('encoding', 'first'), [('yuv422', 1), ('yuv422_yuy2', 0)])
def test_yuv_of_one_colour(encoding, first):
    # Y, U, Y, V with the luma at even places, or at odd ones.
    y, u, v = 81, 90, 240  # red, by BT.601
    pair = [y, u, y, v] if first == 0 else [u, y, v, y]
    pixels = np.tile(np.array(pair, np.uint8), (4, 3)).reshape(4, 6, 2)
    found = to_rgb(message(pixels, encoding)).reshape(-1, 3)
    assert np.abs(found.astype(int) - (254, 0, 0)).max() < 4


@pytest.mark.parametrize('encoding', ['bayer_rggb8', 'bayer_bggr8', 'bayer_gbrg8', 'bayer_grbg8'])
def test_bayer_of_one_colour(encoding):
    colour = {'r': 200, 'g': 100, 'b': 30}
    pattern = np.array([colour[c] for c in encoding[6:10]], np.uint8).reshape(2, 2)
    found = to_rgb(message(np.tile(pattern, (8, 8)), encoding))
    np.testing.assert_array_equal(found[4:-4, 4:-4].reshape(-1, 3), [(200, 100, 30)] * 64)


@pytest.mark.parametrize(('encoding', 'order'), [('nv12', (90, 240)), ('nv21', (240, 90))])
def test_nv_of_one_colour(encoding, order):
    luma = np.full((4, 6), 81, np.uint8)
    chroma = np.tile(np.array(order, np.uint8), (2, 3))
    data = np.vstack([luma, chroma])
    found = to_rgb(message(data, encoding, height=4)).reshape(-1, 3)
    assert len(found) == 24 and np.abs(found.astype(int) - (254, 0, 0)).max() < 4


@pytest.mark.parametrize('big', [0, 1])
def test_mono16(big):
    grey = np.array([[0, 255, 256, 65535]], '>u2' if big else '<u2')
    sent = message(grey, 'mono16', is_bigendian=big, data=grey.tobytes())
    np.testing.assert_array_equal(to_rgb(sent)[0, :, 0], [0, 0, 1, 255])


def test_one_pixel():
    assert to_rgb(message(RGB[:1, :1], 'rgb8')).shape == (1, 1, 3)


def test_data_of_any_type():
    for data in (RGB.tobytes(), bytearray(RGB.tobytes()), RGB.ravel(), memoryview(RGB.tobytes())):
        np.testing.assert_array_equal(to_rgb(message(RGB, 'rgb8', data=data)), RGB)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'encoding': 'theora'}, "'theora' is not supported; publish one of rgb8"),
        ({'encoding': 'nv12', 'height': 5}, 'even height'),
        ({'encoding': ''}, "'' is not supported"),
        ({'width': 0}, 'no pixels'),
        ({'step': 23}, 'step of 23'),
        ({'height': 7}, 'needs 168 bytes, but has 144'),
        ({'width': 100_000, 'height': 100_000}, 'smaller'),
        ({'encoding': 'yuv422', 'width': 7}, 'even width'),
        ({'data': b''}, 'has 0'),
    ],
)
def test_invalid_image_is_reported(changes, words):
    with pytest.raises(ImageFormatError, match=words):
        to_rgb(message(RGB, 'rgb8', **changes))


@pytest.mark.parametrize('big', [0, 1])
@pytest.mark.parametrize(('encoding', 'kind', 'unit'), [('32FC1', 'f4', 1), ('16UC1', 'u2', 1000)])
def test_depth_in_metres(encoding, kind, unit, big):
    metres = np.array([[0.5, 1.25], [0, 2.0]], np.float32)
    stored = (metres * unit).astype(f'{"><"[not big]}{kind}')
    found = (
        to_depth(padded(stored, encoding, 4))
        if big == (sys.byteorder == 'big')
        else to_depth(message(stored, encoding, is_bigendian=big, data=stored.tobytes()))
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, metres)


def test_invalid_depth_is_kept():
    stored = np.array([[np.nan, np.inf, 0]], np.float32)
    found = to_depth(message(stored, '32FC1'))
    np.testing.assert_array_equal(found, stored)


def test_colour_image_as_depth_is_reported():
    with pytest.raises(ImageFormatError, match="'rgb8' is not supported; publish 32FC1"):
        to_depth(message(RGB, 'rgb8'))


def test_jpeg_round_trip():
    smooth = cv2.resize(RGB, (64, 48))
    found = decode_compressed(SimpleNamespace(format='jpeg', data=encode_jpeg(smooth, 95)))
    assert np.abs(found.astype(int) - smooth).mean() < 4


@pytest.mark.parametrize('comment', ['', 'plan-1', '红色'])
def test_jpeg_carries_a_comment(comment):
    data = encode_jpeg(RGB, 90, comment=comment)
    assert read_comment(data) == comment
    assert decode_compressed(SimpleNamespace(format='jpeg', data=data)).shape == RGB.shape


def test_comment_of_invalid_jpeg_is_reported():
    with pytest.raises(ImageFormatError, match='not an image'):
        read_comment(b'plan-1')


@pytest.mark.parametrize('keep', [0, 1, 10, 0.5, 0.9])
def test_truncated_jpeg_is_reported(keep):
    data = encode_jpeg(cv2.resize(RGB, (64, 48)), 95)
    length = keep if isinstance(keep, int) else int(keep * len(data))
    with pytest.raises(ImageFormatError, match='truncated|not an image'):
        decode_compressed(SimpleNamespace(format='jpeg', data=data[:length]))


def test_png_that_declares_too_many_pixels_is_not_decoded():
    for width, height in ((20_000, 20_000), (8193, 8193)):
        header = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
        chunks = struct.pack('>I', 13) + header + struct.pack('>I', zlib.crc32(header))
        chunks += struct.pack('>I', 0) + b'IDAT' + struct.pack('>I', zlib.crc32(b'IDAT'))
        with pytest.raises(ImageFormatError, match='pixels: publish smaller images'):
            decode_compressed(SimpleNamespace(format='png', data=b'\x89PNG\r\n\x1a\n' + chunks))


def test_padded_jpeg_is_complete():
    data = encode_jpeg(RGB, 95) + bytes(100)
    assert decode_compressed(SimpleNamespace(format='jpeg', data=data)).shape == RGB.shape


def test_png_and_noise():
    _, data = cv2.imencode('.png', RGB[..., ::-1])
    found = decode_compressed(SimpleNamespace(format='png', data=data.tobytes()))
    np.testing.assert_array_equal(found, RGB)
    with pytest.raises(ImageFormatError, match="format 'png' are not an image"):
        decode_compressed(SimpleNamespace(format='png', data=b'noise' * 20))
