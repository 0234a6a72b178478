"""The node's parameters: what they are, what they may be, and how they are declared."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from kimi_ros.nodes.poses import PoseError, pose_matrix

TRANSPORTS = ('raw', 'compressed')
DEVICES = ('auto', 'cpu', 'cuda')
_CAMERA = re.compile(r'[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)*')


@dataclass(frozen=True)
class Setting:
    """One parameter.

    :ivar default: its value, or a Parameter.Type where it may stay unset.
    :ivar limits: smallest and largest number, both allowed.
    :ivar fixed: it is read at the start only.
    """

    name: str
    default: Any
    description: str
    limits: tuple[float, float] | None = None
    fixed: bool = False

    def descriptor(self) -> ParameterDescriptor:
        """Return what `ros2 param describe` shows."""
        descriptor = ParameterDescriptor(description=self.description, read_only=self.fixed)
        if self.limits is None:
            return descriptor
        low, high = self.limits
        if isinstance(self.default, int):
            descriptor.integer_range = [IntegerRange(from_value=low, to_value=high)]
        else:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(low), to_value=float(high))
            ]
        return descriptor


KIMI = (
    Setting('model', 'nano', "'nano' or a folder that kimi-export wrote", fixed=True),
    Setting('device', 'auto', f'where the model runs: {", ".join(DEVICES)}', fixed=True),
    Setting('threads', 0, 'threads of the model; 0: the cores, at most 4', (0, 256), fixed=True),
    Setting('skills', '', 'YAML file of the skills; empty: the one that ships', fixed=True),
    Setting('policy', '', 'YAML file of the rules; empty: the one that ships', fixed=True),
    Setting(
        'cameras',
        [''],
        "names of the cameras: 'left' reads left/image; the empty name reads image",
        fixed=True,
    ),
    Setting(
        'image_transport', 'raw', "'raw' reads image, 'compressed' image/compressed", fixed=True
    ),
    Setting('queue_size', 4, 'instructions that wait besides the one at work', (0, 32), fixed=True),
    Setting('base_frame', 'base_link', 'frame that positions are given in', fixed=True),
    Setting(
        'camera_pose',
        Parameter.Type.DOUBLE_ARRAY,
        'optical frame in base_frame: x y z (m) and quaternion x y z w, or a 4x4 matrix row by '
        'row; unset: from TF. For a single camera',
    ),
    Setting('max_frame_age', 1.0, 's, of a picture when its goal is accepted', (0.01, 60.0)),
    Setting('frame_wait', 3.0, 's, to wait for a fresh picture', (0.0, 60.0)),
    Setting('depth_tolerance', 0.02, 's, between the stamps of picture and depth', (0.0, 1.0)),
    Setting('jpeg_quality', 85, 'of the annotated picture', (1, 100)),
)

SIM_CAMERA = (
    Setting('seed', 2_000_000, 'of the scene, and so of where the camera is', (0, 2**31 - 1), True),
    Setting('width', 640, 'of the pictures, pixels', (1, 4096), fixed=True),
    Setting('height', 480, 'of the pictures, pixels', (1, 4096), fixed=True),
    Setting('rate', 10.0, 'pictures a second', (0.1, 60.0), fixed=True),
    Setting('frame_id', 'camera_optical', 'optical frame of the pictures', fixed=True),
    Setting('base_frame', 'base_link', 'frame of the robot, for the pose on TF', fixed=True),
)


def problem(values: Mapping[str, Any]) -> str:
    """Return why these values of parameters of KIMI cannot be, or ''.

    What descriptors can say, types and ranges, rclpy checks by itself, NaN excepted.
    """
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            return f'{name} must be a finite number, not {value}'
    if values.get('device', 'auto') not in DEVICES:
        return f'device must be one of {", ".join(DEVICES)}, not {values["device"]!r}'
    if values.get('image_transport', 'raw') not in TRANSPORTS:
        return (
            f'image_transport must be one of {", ".join(TRANSPORTS)}, '
            f'not {values["image_transport"]!r}'
        )
    cameras = list(values.get('cameras', ['']))
    if not cameras or len(set(cameras)) < len(cameras):
        return f'cameras must be different names, at least one, not {cameras}'
    for name in cameras:
        if name and not _CAMERA.fullmatch(name):
            return f'cameras: {name!r} cannot begin a topic: use letters, digits and _'
    pose = values.get('camera_pose')
    if pose is None:
        return ''
    if len(cameras) > 1:
        return 'camera_pose is for a single camera: with several, publish their poses on TF'
    try:
        pose_matrix(pose)
    except PoseError as error:
        return f'camera_pose: {error}'
    return ''


def declare(node: Node, settings: Iterable[Setting]) -> None:
    """Declare the parameters and have every change checked before it is made.

    Raises rclpy's ParameterException where a value given at the start has the wrong type or range,
    and ValueError where `problem` finds one.
    """
    for setting in settings:
        node.declare_parameter(setting.name, setting.default, setting.descriptor())
    names = [s.name for s in settings]

    def current() -> dict[str, Any]:
        values = {name: node.get_parameter_or(name, None).value for name in names}
        return {name: value for name, value in values.items() if value is not None}

    def check(changes: list[Parameter]) -> SetParametersResult:
        reason = problem(current() | {p.name: p.value for p in changes if p.name in names})
        return SetParametersResult(successful=not reason, reason=reason)

    if reason := problem(current()):
        raise ValueError(reason)
    node.add_on_set_parameters_callback(check)
