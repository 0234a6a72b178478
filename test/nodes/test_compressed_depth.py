"""Depth images of compressed_depth_image_transport."""

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from kimi_ros.nodes.compressed_depth import decompressed_depth
from kimi_ros.nodes.errors import ImageFormatError
from kimi_ros.nodes.images import to_depth

METRES = np.array([[0.5, 1.25, 0.0], [2.0, 4.0, 0.8]], np.float32)
A, B = 100.0 * (100.0 + 1), 1.0  # depth quantization 100, as the transport computes them


def message(values, declared, a=0.0, b=0.0):
    _, png = cv2.imencode('.png', values)
    data = struct.pack('<iff', 0, a, b) + png.tobytes()
    return SimpleNamespace(format=declared, data=data, header='header')


@pytest.mark.parametrize('declared', ['16UC1; compressedDepth', '16UC1; compressedDepth png'])
def test_millimetres(declared):
    sent = message((METRES * 1000).astype(np.uint16), declared)
    np.testing.assert_allclose(to_depth(decompressed_depth(sent)), METRES)


def test_quantized_inverse_depth():
    with np.errstate(divide='ignore'):
        values = np.where(METRES > 0, A / METRES + B, 0).astype(np.uint16)
    found = to_depth(decompressed_depth(message(values, '32FC1; compressedDepth png', A, B)))
    assert np.isnan(found[0, 2])
    valid = METRES > 0
    np.testing.assert_allclose(found[valid], METRES[valid], rtol=1e-3)


@pytest.mark.parametrize(
    ('sent', 'words'),
    [
        (SimpleNamespace(format='16UC1; compressedDepth rvl', data=b''), 'set to png'),
        (SimpleNamespace(format='jpeg', data=b''), 'not supported'),
        (SimpleNamespace(format='16UC1; compressedDepth', data=b'x' * 40), 'not a depth image'),
        (message(np.zeros((2, 2), np.uint8), '16UC1; compressedDepth'), 'not a depth image'),
    ],
)
def test_what_is_not_a_depth_image_is_reported(sent, words):
    with pytest.raises(ImageFormatError, match=words):
        decompressed_depth(sent)


def test_truncated_png_is_reported():
    sent = message(
        (np.random.default_rng(0).random((48, 64)) * 9000).astype(np.uint16),
        '16UC1; compressedDepth',
    )
    sent.data = sent.data[:-100]
    with pytest.raises(ImageFormatError, match='connection'):
        decompressed_depth(sent)
