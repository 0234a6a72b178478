"""Boxes and points become candidates."""

import pytest

from kimi_ros.agent.grounding import box_iou, ground

SIZE = (640, 480)


def found(kit, boxes, points=None, score=0.9):
    vlm = kit.FakeVlm({}, {'cup': boxes})
    vlm.points, vlm.score = points, score
    return ground(vlm, 'image', 'cup', SIZE)


def test_ground_pairs_a_box_with_the_point_inside(kit):
    (one,) = found(kit, [(0.1, 0.1, 0.3, 0.5)], [(0.25, 0.4)])
    assert one.point == pytest.approx((160, 192)) and one.score == pytest.approx(0.9)


def test_ground_clips_boxes_to_the_image(kit):
    (one,) = found(kit, [(-0.2, 0.5, 0.2, 1.3)], [(0.0, 1.0)])
    assert one.box == pytest.approx((0, 240, 128, 480))
    assert one.point == pytest.approx((0, 479))


def test_ground_drops_boxes_outside_the_image(kit):
    assert found(kit, [(1.1, 0.2, 1.3, 0.4)], []) == []


def test_non_maximum_suppression_merges_overlapping_boxes(kit):
    assert len(found(kit, [(0.1, 0.1, 0.3, 0.5), (0.11, 0.1, 0.3, 0.52)])) == 1


def test_unpaired_box_or_point_is_penalized(kit):
    (box,) = found(kit, [(0.1, 0.1, 0.3, 0.5)], [])
    assert box.score == pytest.approx(0.45) and box.point == pytest.approx((128, 144))
    (point,) = found(kit, [], [(0.5, 0.5)])
    assert point.box is None and point.score == pytest.approx(0.45)


def test_ground_drops_candidates_far_below_the_best(kit):
    class Unsure(kit.FakeVlm):
        def detect(self, image, name, **more):
            strong, weak = super().detect(image, name, **more)
            return [strong, type(weak)(*self.things[name][1], 0.3)]

    vlm = Unsure({}, {'cup': [(0.1, 0.1, 0.3, 0.5), (0.6, 0.1, 0.8, 0.5)]})
    vlm.points = [(0.2, 0.3)]
    assert len(ground(vlm, 'image', 'cup', SIZE)) == 1


def test_box_iou():
    assert box_iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert box_iou((0, 0, 1, 1), (1, 0, 2, 1)) == 0
