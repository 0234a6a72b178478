"""Where a plan's objects are, as geometry_msgs: for programs without kimi_msgs."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose, PoseArray, PoseStamped

from kimi_msgs.msg import GroundedObject, Plan


def first_target(plan: Plan) -> PoseStamped | None:
    """Return the pose of the first step's first object, None if it has no position.

    A position has no orientation: that of the frame is given.
    """
    ids = [object_id for step in plan.steps for object_id in step.object_ids]
    item = next((o for o in plan.objects if ids and o.id == ids[0]), None)
    if item is None or not has_position(item):
        return None
    return target_of(item, plan.header.stamp)


def target_of(item: GroundedObject, stamp: Time) -> PoseStamped:
    """Return the pose of an object with a position.

    :param stamp: of the image that it was seen in.
    """
    target = PoseStamped(pose=_pose(item))
    target.header.stamp, target.header.frame_id = stamp, item.position_frame
    return target


def all_targets(plan: Plan) -> PoseArray:
    """Return the poses of all objects with a position, in the frame of the first of them."""
    items = [item for item in plan.objects if has_position(item)]
    array = PoseArray()
    array.header.stamp = plan.header.stamp
    if items:
        array.header.frame_id = items[0].position_frame
    array.poses = [_pose(o) for o in items if o.position_frame == array.header.frame_id]
    return array


def has_position(item: GroundedObject) -> bool:
    """Tell whether an object's position is set."""
    return item.depth_status in (item.DEPTH_OK, item.DEPTH_NO_TRANSFORM)


def _pose(item: GroundedObject) -> Pose:
    pose = Pose(position=item.position)
    pose.orientation.w = 1.0
    return pose
