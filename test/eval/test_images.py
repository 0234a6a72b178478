"""Pictures are read upright, and what cannot be read is named."""

import numpy as np
import pytest
from PIL import Image

from kimi_ros.images import ImageReadError, read_image


def test_a_rotated_photograph_is_turned_upright(tmp_path):
    rgb = np.zeros((4, 6, 3), np.uint8)
    rgb[0] = 200, 10, 10
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    Image.fromarray(np.rot90(rgb)).save(tmp_path / 'a.png', exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / 'a.png'), rgb)


@pytest.mark.parametrize('mode', ['L', 'LA', 'RGBA', 'P', 'CMYK'])
def test_every_kind_of_picture_is_rgb(mode, tmp_path):
    file = tmp_path / ('a.tiff' if mode == 'CMYK' else 'a.png')
    Image.new('RGB', (5, 3), 'white').convert(mode).save(file)
    read = read_image(file)
    assert read.shape == (3, 5, 3) and read.dtype == np.uint8 and read.min() == 255


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ImageReadError, match='the image .*gone.png does not exist'):
        read_image(tmp_path / 'gone.png')
    file = tmp_path / 'a.jpg'
    Image.effect_noise((60, 60), 50).save(file)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ImageReadError, match='the mask .*a.jpg cannot be read: .*truncated'):
        read_image(file, 'mask')
