"""The coordinate encoder: bins, Fourier features, confidence and scores."""

import numpy as np
import pytest

from kimi_ros.vlm.coordinates import (
    CoordinateEncoder,
    argmax_bin,
    bin_to_coordinate,
    bin_to_size,
    detection_score,
    fourier_features,
)


@pytest.mark.parametrize('bins', [64, 1024, 2048])
def test_bin_to_coordinate_and_size_span_their_ranges(bins):
    assert bin_to_coordinate(0, bins) == 0
    assert bin_to_coordinate(bins // 2, bins) == 0.5
    assert bin_to_size(0, bins) == pytest.approx(1 / 1024)
    assert bin_to_size(bins - 1, bins) == 1


def test_fourier_features_are_cosines_then_sines():
    features = fourier_features(np.array([[0.25]]), np.array([[1.0, 2.0]], np.float32))
    np.testing.assert_allclose(features, [[0, -1, 1, 0]], atol=1e-6)


def test_coordinate_encoder_table_agrees_with_the_formula():
    random = np.random.default_rng(1)

    def draw(*shape):
        return random.normal(size=shape).astype(np.float32)

    encoder = CoordinateEncoder(
        draw(1, 8), draw(6, 16), draw(6), draw(2, 8), draw(6, 16), draw(6), bins=64
    )
    table = encoder.coordinates([16 / 64, 63 / 64])
    # A value between the bins is not in the table.
    near = encoder.coordinates([16 / 64 + 1e-7, 63 / 64])
    np.testing.assert_allclose(table, near, atol=1e-4)
    assert encoder.sizes([(0.5, 0.25), (1, 1)]).shape == (2, 6)
    assert np.isfinite(encoder.coordinates([-0.1, 1.0])).all()


def test_confidence_is_the_probability_mass_around_the_best_bin():
    sharp = np.full(1024, -30, np.float32)
    sharp[500:504] = 5
    best, confidence = argmax_bin(sharp)
    assert best == 500
    assert confidence == pytest.approx(1)
    _, flat = argmax_bin(np.zeros(1024, np.float32))
    assert flat < 0.05
    two = np.full(1024, -30, np.float32)
    two[[100, 900]] = 5
    assert argmax_bin(two)[1] == pytest.approx(0.5)


def test_detection_score_is_presence_times_the_geometric_mean():
    assert detection_score(1, (1, 1)) == 1
    assert detection_score(0.5, (0.25, 1)) == pytest.approx(0.25)
    assert detection_score(0.8, (0.0, 1)) == 0


def test_linear_size_bins_of_the_first_release():
    assert [bin_to_size(index, 1024, log=False) for index in (0, 512, 1023)] == [
        0,
        0.5,
        1023 / 1024,
    ]
