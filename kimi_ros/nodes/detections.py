"""A plan's objects as vision_msgs, where that package is installed."""

from __future__ import annotations

import math
from typing import Any

try:
    from vision_msgs.msg import (
        BoundingBox2D,
        Detection2D,
        Detection2DArray,
        ObjectHypothesisWithPose,
    )
except ImportError:  # the ROS wheels lack it; scripts/build_messages builds it
    Detection2DArray = None

__all__ = ['Detection2DArray', 'plan_detections']


def plan_detections(plan: Any) -> Any:
    """Return a vision_msgs/Detection2DArray of the objects that have a box.

    The header is that of the image. A position in metres is the hypothesis's pose, where it is in
    the optical frame of the header; its other fields stay 0.

    :param plan: kimi_msgs/Plan.
    """
    array = Detection2DArray(header=plan.header)
    for item in plan.objects:
        x_min, y_min, x_max, y_max = (float(v) for v in item.box)
        if math.isnan(x_min):
            continue
        box = BoundingBox2D(size_x=x_max - x_min, size_y=y_max - y_min)
        box.center.position.x, box.center.position.y = (x_min + x_max) / 2, (y_min + y_max) / 2
        hypothesis = ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id, hypothesis.hypothesis.score = item.label, float(item.score)
        if item.position_frame == plan.header.frame_id and not math.isnan(item.position.x):
            hypothesis.pose.pose.position = item.position
        array.detections.append(
            Detection2D(header=plan.header, results=[hypothesis], bbox=box, id=item.id)
        )
    return array
