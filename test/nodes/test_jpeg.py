"""Damaged JPEG data."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from kimi_ros.nodes.errors import ImageFormatError
from kimi_ros.nodes.jpeg import check_jpeg

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (240, 320, 3), np.uint8)
SMOOTH = cv2.resize(RNG.integers(0, 256, (6, 8, 3), np.uint8), (640, 480))
BLACK = np.zeros((480, 640, 3), np.uint8)
HALF_WHITE = np.vstack([SMOOTH[:240], np.full((240, 640, 3), 255, np.uint8)])
STYLES = [
    {},
    {'optimize': True},
    {'progressive': True},
    {'subsampling': 0, 'quality': 95},
    {'restart_marker_blocks': 8},
]


def encoded(pixels, style):
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, 'JPEG', **style)
    return data.getvalue()


@pytest.mark.parametrize('style', STYLES, ids=str)
@pytest.mark.parametrize(
    'pixels', [NOISE, SMOOTH, BLACK, HALF_WHITE], ids=['noise', 'smooth', 'black', 'half white']
)
def test_whole_images_pass(pixels, style):
    content = encoded(pixels, style)
    check_jpeg(content)
    check_jpeg(content + bytes(1000))  # padding after the end
    exif = b'\xff\xe1' + (1002).to_bytes(2, 'big') + bytes(1000)
    check_jpeg(content[:2] + exif + content[2:])


@pytest.mark.parametrize('style', STYLES, ids=str)
@pytest.mark.parametrize('pixels', [NOISE, SMOOTH], ids=['noise', 'smooth'])
@pytest.mark.parametrize(('start', 'stop'), [(0.5, 1), (0.3, 0.6)])
def test_zeroed_part_is_found(pixels, style, start, stop):
    content = bytearray(encoded(pixels, style))
    first, last = int(start * len(content)), int(stop * (len(content) - 2))
    content[first:last] = bytes(last - first)
    if 'quality' not in style and pixels is SMOOTH and (style and 'restart' not in str(style)):
        pytest.skip('plain parts of an optimised JPEG can be zero bytes')
    with pytest.raises(ImageFormatError, match='zero bytes in place of pixels'):
        check_jpeg(bytes(content))


def test_truncated_image_is_found():
    with pytest.raises(ImageFormatError, match='truncated'):
        check_jpeg(encoded(NOISE, {})[:-1000])


@pytest.mark.parametrize('content', [b'', b'\xff\xd8', b'\xff\xd8\xff\xd9', b'\x89PNG' + bytes(99)])
def test_what_is_not_a_jpeg_is_left_to_the_decoder(content):
    check_jpeg(content + b'\xff\xd9' * (content[:2] == b'\xff\xd8'))
