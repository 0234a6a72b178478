"""Crops: tilings, invalid images, stitching; validation of the config."""

import numpy as np
import pytest
from PIL import Image

from kimi_ros.vlm.config import ModelConfig, VisionConfig
from kimi_ros.vlm.crops import (
    adaptive_average_pool,
    normalise,
    overlap_crops,
    select_tiling,
    stitch,
)
from kimi_ros.vlm.errors import ConfigError, ImageError

VISION = VisionConfig()
SMALL = VisionConfig(crop_size=192, enc_patch_size=16, max_crops=1, overlap_margin=2)


def picture(height, width):
    return np.random.default_rng(height * 10_000 + width).integers(
        0, 256, (height, width, 3), np.uint8
    )


@pytest.mark.parametrize(
    ('height', 'width', 'tiling'),
    [
        (480, 640, (2, 4)),
        (480, 848, (2, 4)),
        (720, 1280, (2, 4)),
        (1080, 1920, (2, 4)),
        (360, 640, (1, 1)),
        (378, 5000, (1, 1)),
        (1, 1, (1, 1)),
        (3000, 400, (8, 1)),
        (900, 240, (1, 1)),
        (500, 500, (3, 3)),
    ],
)
def test_tilings_of_common_sizes(height, width, tiling):
    assert overlap_crops(picture(height, width), VISION).tiling == tiling


@pytest.mark.parametrize(
    ('height', 'width', 'most', 'tiling'),
    [(300, 300, 1, (1, 1)), (300, 800, 4, (1, 2)), (300, 2000, 12, (1, 6)), (600, 600, 5, (2, 2))],
)
def test_tilings_follow_the_crops_allowed(height, width, most, tiling):
    assert select_tiling(height, width, 266, most) == tiling


def test_local_crops_are_cut_from_pillows_resized_image():
    rgb = picture(480, 640)
    crops = overlap_crops(rgb, VISION).pixels
    resized = np.asarray(
        Image.fromarray(rgb).resize((4 * 266 + 112, 2 * 266 + 112), Image.Resampling.LANCZOS)
    )
    assert crops.shape == (9, 378, 378, 3)
    np.testing.assert_array_equal(crops[1], resized[:378, :378])
    np.testing.assert_array_equal(crops[-1], resized[266:, 798:])


def test_image_with_one_tile_has_one_unique_crop():
    crops = overlap_crops(picture(200, 320), VISION)
    assert len(crops.pixels) == 2
    assert len(crops.unique) == 1
    np.testing.assert_array_equal(crops.pixels[0], crops.pixels[1])


def test_other_crop_sizes_and_a_single_crop():
    crops = overlap_crops(picture(480, 640), SMALL)
    assert crops.tiling == (1, 1)
    assert crops.unique.shape == (1, 192, 192, 3)


def test_one_pixel_becomes_a_flat_crop():
    crops = overlap_crops(np.full((1, 1, 3), (10, 20, 30), np.uint8), VISION)
    assert (crops.unique == (10, 20, 30)).all()


def test_reversed_channels_without_a_copy_are_taken():
    bgr = picture(30, 40)
    rgb = overlap_crops(np.ascontiguousarray(bgr[..., ::-1]), VISION).pixels
    np.testing.assert_array_equal(overlap_crops(bgr[..., ::-1], VISION).pixels, rgb)


@pytest.mark.parametrize(
    ('image', 'words'),
    [
        ([[1, 2]], 'numpy array'),
        (np.zeros((4, 4), np.uint8), 'grayscale'),
        (np.zeros((4, 4, 1), np.uint8), 'GRAY2RGB'),
        (np.zeros((4, 4, 4), np.uint8), 'shape'),
        (np.zeros((4, 4, 3), np.float32), 'uint8'),
        (np.zeros((0, 4, 3), np.uint8), 'empty'),
    ],
)
def test_invalid_images_are_refused_with_a_hint(image, words):
    with pytest.raises(ImageError, match=words):
        overlap_crops(image, VISION)


def test_pixels_are_normalised_to_plus_minus_one():
    crops = normalise(np.array([0, 51, 255], np.uint8).reshape(1, 1, 1, 3))
    assert crops.dtype == np.float32
    assert crops.shape == (1, 3, 1, 1)
    np.testing.assert_allclose(crops.ravel(), [-1, -0.6, 1], atol=1e-6)


@pytest.mark.parametrize(('tiling', 'margin'), [((2, 4), 4), ((1, 1), 4), ((3, 1), 0)])
def test_stitching_undoes_the_cutting(tiling, margin):
    grid = 12
    window = grid - 2 * margin
    rows, columns = tiling
    shape = (rows * window + 2 * margin, columns * window + 2 * margin, 2)
    whole = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    cut = [
        whole[r * window : r * window + grid, c * window : c * window + grid]
        for r in range(rows)
        for c in range(columns)
    ]
    np.testing.assert_array_equal(stitch(np.stack(cut), tiling, margin), whole)


def test_adaptive_pooling_averages_overlapping_spans():
    line = np.array([0, 1, 2, 3, 4], np.float32).reshape(1, 5, 1)
    # Five inputs to three cells: [0, 2), [1, 4), [3, 5).
    pooled = adaptive_average_pool(line, 3)
    assert pooled.shape == (3, 3, 1)
    np.testing.assert_allclose(pooled[:, :, 0], [[0.5, 2, 3.5]] * 3)


def test_pooling_to_the_same_size_changes_nothing():
    grid = np.random.default_rng(0).random((7, 7, 3), np.float32)
    np.testing.assert_allclose(adaptive_average_pool(grid, 7), grid)


def test_config_names_the_key_that_is_wrong():
    base = {'text': {'dim': 128, 'n_heads': 2}, 'vision': {'proj_out_dim': 128}}
    base['region'] = {'dim': 128}
    assert ModelConfig.from_dict(base).text.n_kv_heads == 2
    for section, key, value in (
        ('text', 'dim', 'wide'),
        ('text', 'n_heads', 3),
        ('text', 'n_kv_heads', 3),
        ('vision', 'crop_size', 379),
        ('vision', 'overlap_margin', 14),
        ('vision', 'max_crops', 0),
        ('region', 'dim', 64),
        ('tokenizer', 'eos_id', 10**6),
        ('tokenizer', 'templates', {'query': {'prefix': 'Question:', 'suffix': []}}),
        ('vision', 'patches', 27),
    ):
        wrong = {**base, section: {**base.get(section, {}), key: value}}
        with pytest.raises(ConfigError, match=f'{section}.{key}'):
            ModelConfig.from_dict(wrong)


def test_published_older_config_is_read():
    query = {'prefix': [198, 198, 24361, 25], 'suffix': [198, 198, 33706, 25]}
    config = ModelConfig.from_dict(
        {
            'text': {'dim': 1024, 'ff_dim': 4096, 'n_heads': 16},
            'vision': {'enc_dim': 720, 'enc_n_heads': 10, 'proj_out_dim': 1024},
            'region': {'dim': 1024},
            'tokenizer': {
                'bos_id': 50256,
                'eos_id': 50256,
                'templates': {'query': query, 'point': None},
            },
        }
    )
    assert config.text.head_dim == 64
    assert config.text.rotary_dim == 32
    assert config.tokenizer.templates.query.suffix == (198, 198, 33706, 25)
    assert config.tokenizer.templates.point is None
    assert config.prefix_length == 730


@pytest.mark.parametrize(
    ('section', 'key', 'value', 'words'),
    [
        ('tokenizer', 'eos_id', None, 'eos_id must be an integer'),
        ('tokenizer', 'repeat_query_suffix', 1, 'must be true or false'),
        ('region', 'log_sizes', 'no', 'must be true or false'),
    ],
)
def test_config_checks_the_keys_of_the_prompt_format(section, key, value, words):
    with pytest.raises(ConfigError, match=words):
        ModelConfig.from_dict({section: {key: value}})


def test_config_ids_of_a_release_without_reasoning_may_be_null():
    config = ModelConfig.from_dict({'tokenizer': {'answer_id': None, 'thinking_id': None}})
    assert config.tokenizer.answer_id is None and config.tokenizer.coord_id == 5
