"""Which thing a patch belongs to, and where each is looked at and counted."""

import numpy as np
import torch

from kimi_train.nano.batches import PatchLabels, attention_targets, patch_labels
from kimi_train.nano.losses import PATCHES, TrainingHeads
from kimi_train.nano.question_example import NAME_OPTIONS
from kimi_train.nano.scenes import assign_patches

from .conftest import thing


def covers(*shares):
    """Shares of a 2x2 grid's patches."""
    return np.array(shares, float).reshape(-1, 2, 2)


def test_a_patch_belongs_to_what_covers_most_of_it():
    instance_map = assign_patches(covers([0.5, 0.3, 0, 0], [0.2, 0.4, 0.1, 0.02]))
    np.testing.assert_array_equal(instance_map, [[0, 1], [1, -1]])
    assert instance_map.dtype == np.int8


def test_everything_has_a_patch_however_thin_it_is():
    thin = [0, 0.04, 0.03, 0]
    np.testing.assert_array_equal(assign_patches(covers(thin)), [[-1, 0], [-1, -1]])
    on_another = assign_patches(covers([0.9, 0.9, 0.9, 0.9], thin))
    np.testing.assert_array_equal(on_another, [[0, 1], [0, 0]])
    two = assign_patches(covers([0.9, 0.9, 0.9, 0.9], [0, 0.05, 0.01, 0], thin))
    np.testing.assert_array_equal(two, [[0, 1], [2, 0]])
    behind = assign_patches(covers([0.9, 0, 0, 0], [0.5, 0, 0, 0], [0, 0, 0, 0]))
    np.testing.assert_array_equal(behind, [[0, -1], [-1, -1]])


def test_a_thing_is_looked_at_as_a_whole_or_at_its_point():
    box = (0.0, 0.0, 0.5, 1.0)
    scene = [thing(0, 'pen', 'red', box), thing(1, 'cup', 'blue', (0.5, 0.5, 1.0, 1.0))]
    instance_map = np.array([[0, -1], [0, 1]], np.int8)
    targets = attention_targets(instance_map, scene)
    half, nothing = [0, 0.5, 0, 0.5, 0], [1, 0, 0, 0, 0]
    np.testing.assert_allclose(targets.spread, [half, [0, 0, 0, 0, 1], nothing])
    np.testing.assert_allclose(targets.single, [[0, 0, 0, 1, 0], [0, 0, 0, 0, 1], nothing])
    np.testing.assert_array_equal(targets.instance_map, [0, 2, 1, 2, 3])
    category, *_, is_point, offset, weight = patch_labels(instance_map, scene)
    assert category[0] == category[2] and len({*category.tolist()}) == 3
    np.testing.assert_array_equal(is_point, [0, 0, 1, 1])
    # The middle of the pen's box, from the middles of the patches above and below it.
    np.testing.assert_allclose(offset[[0, 2]], [[0, 0.5], [0, -0.5]], atol=1e-6)
    # The pen's two patches have together more than the cup's one, but not twice as much.
    np.testing.assert_allclose(weight, [0.5**0.5, 0.25, 0.5**0.5, 1], rtol=1e-6)


def test_a_picture_of_nothing_teaches_without_a_nan():
    fields = patch_labels(np.full((2, 2), -1, np.int8), [])
    labels = PatchLabels(*(torch.from_numpy(field[None]) for field in fields))
    losses = TrainingHeads(8, 8).patch_losses(torch.zeros(1, 4, 8), labels)
    assert all(losses[name].isfinite() for name in PATCHES)


def test_a_new_read_out_does_not_shake_what_it_reads():
    heads, entering = TrainingHeads(8, 8), torch.randn(1, 2, 8, requires_grad=True)
    asked = torch.zeros(1, 2, len(NAME_OPTIONS), dtype=torch.long)
    heads.asked_loss(entering, asked).backward()
    assert not entering.grad.any() and heads.asked.weight.grad.any()
