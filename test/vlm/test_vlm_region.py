"""Region: bins, Fourier features, and scores that mean something."""

import numpy as np
import pytest

from kimi_ros.vlm.region import (
    RegionEncoder,
    best_bin,
    coordinate_of_bin,
    fourier_features,
    score_of,
    size_of_bin,
)


@pytest.mark.parametrize('bins', [64, 1024, 2048])
def test_bins_span_the_ranges_of_their_formulas(bins):
    assert coordinate_of_bin(0, bins) == 0
    assert coordinate_of_bin(bins // 2, bins) == 0.5
    assert size_of_bin(0, bins) == pytest.approx(1 / 1024)
    assert size_of_bin(bins - 1, bins) == 1


def test_fourier_features_are_cosines_then_sines():
    features = fourier_features(np.array([[0.25]]), np.array([[1.0, 2.0]], np.float32))
    np.testing.assert_allclose(features, [[0, -1, 1, 0]], atol=1e-6)


def test_decoded_and_continuous_coordinates_are_embedded_alike():
    random = np.random.default_rng(1)

    def draw(*shape):
        return random.normal(size=shape).astype(np.float32)

    encoder = RegionEncoder(
        draw(1, 8), draw(6, 16), draw(6), draw(2, 8), draw(6, 16), draw(6), bins=64
    )
    table = encoder.coordinates([16 / 64, 63 / 64])
    # A value next to the bins takes the long way.
    near = encoder.coordinates([16 / 64 + 1e-7, 63 / 64])
    np.testing.assert_allclose(table, near, atol=1e-4)
    assert encoder.sizes([(0.5, 0.25), (1, 1)]).shape == (2, 6)
    assert np.isfinite(encoder.coordinates([-0.1, 1.0])).all()


def test_sureness_gathers_the_surroundings_of_the_best_bin():
    sharp = np.full(1024, -30, np.float32)
    sharp[500:504] = 5
    best, sureness = best_bin(sharp)
    assert best == 500
    assert sureness == pytest.approx(1)
    _, flat = best_bin(np.zeros(1024, np.float32))
    assert flat < 0.05
    two = np.full(1024, -30, np.float32)
    two[[100, 900]] = 5
    assert best_bin(two)[1] == pytest.approx(0.5)


def test_score_is_presence_times_the_geometric_mean():
    assert score_of(1, (1, 1)) == 1
    assert score_of(0.5, (0.25, 1)) == pytest.approx(0.25)
    assert score_of(0.8, (0.0, 1)) == 0
