"""The parameters of the nodes: descriptions, ranges and validation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
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

from kimi_ros.agent.planners import PLANNERS
from kimi_ros.nodes.camera_geometry import DISTORTION_MODES
from kimi_ros.nodes.poses import PoseError, pose_matrix

TRANSPORTS = ('raw', 'compressed')
DEPTH_TRANSPORTS = ('raw', 'compressedDepth')
DEVICES = ('auto', 'cpu', 'cuda')
_CHOICES = {
    'device': DEVICES,
    'image_transport': TRANSPORTS,
    'depth_transport': DEPTH_TRANSPORTS,
    'distortion': DISTORTION_MODES,
    'planner': PLANNERS,
}
_CAMERA = re.compile(r'[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)*')


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter.

    :ivar default: default value, or a Parameter.Type if it may stay unset.
    :ivar limits: smallest and largest value, inclusive.
    :ivar read_only: read at startup only.
    """

    name: str
    default: Any
    description: str
    limits: tuple[float, float] | None = None
    read_only: bool = False

    def descriptor(self) -> ParameterDescriptor:
        """Return the descriptor, which `ros2 param describe` shows."""
        descriptor = ParameterDescriptor(description=self.description, read_only=self.read_only)
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


KIMI_PARAMETERS = (
    ParameterSpec(
        'autostart',
        True,
        'configure and activate at startup; false: leave that to a lifecycle manager',
        read_only=True,
    ),
    ParameterSpec('model', 'nano', "'nano' or a folder that kimi-export wrote", read_only=True),
    ParameterSpec('device', 'auto', f'where the model runs: {", ".join(DEVICES)}', read_only=True),
    ParameterSpec(
        'threads',
        0,
        'threads of the model; 0: one per physical core, at most 4',
        (0, 256),
        read_only=True,
    ),
    ParameterSpec(
        'skills', '', 'YAML file of the skills; empty: the file in the package', read_only=True
    ),
    ParameterSpec(
        'planner',
        'auto',
        f'what turns instructions into steps: {", ".join(PLANNERS)}; auto: the model if it was '
        'trained for plans, else the reader',
        read_only=True,
    ),
    ParameterSpec(
        'remote_url',
        '',
        "base URL of the server of planner 'remote': http://localhost:8000/v1",
        read_only=True,
    ),
    ParameterSpec('remote_model', '', "the model's name on that server", read_only=True),
    ParameterSpec(
        'remote_key_env',
        '',
        'name of the environment variable that holds the API key; empty: no key',
        read_only=True,
    ),
    ParameterSpec(
        'remote_timeout',
        30.0,
        's, that the server has for an instruction; then the reader plans',
        (0.1, 600.0),
        read_only=True,
    ),
    ParameterSpec(
        'remote_retries', 2, 'attempts after the first, within that time', (0, 20), read_only=True
    ),
    ParameterSpec(
        'remote_send_image',
        False,
        'send the camera image to the server, too; false: the instruction and the skills only',
        read_only=True,
    ),
    ParameterSpec(
        'remote_language',
        '',
        "language of the skills' descriptions sent to the server: en, zh; empty: the instruction's",
        read_only=True,
    ),
    ParameterSpec(
        'remote_options',
        '',
        'JSON object of further fields of each request: \'{"temperature": 0}\'',
        read_only=True,
    ),
    ParameterSpec(
        'policy', '', 'YAML file of the policy; empty: the file in the package', read_only=True
    ),
    ParameterSpec(
        'read_text',
        False,
        'read text in the image and show it on the plan; needs the extra ocr',
        read_only=True,
    ),
    ParameterSpec(
        'cameras',
        [''],
        "camera names: 'left' subscribes to left/image, the empty name to image",
        read_only=True,
    ),
    ParameterSpec(
        'image_transport',
        'raw',
        "'raw' subscribes to image, 'compressed' to image/compressed",
        read_only=True,
    ),
    ParameterSpec(
        'depth_transport',
        'raw',
        "'raw' subscribes to depth/image, 'compressedDepth' to depth/image/compressedDepth",
        read_only=True,
    ),
    ParameterSpec(
        'queue_size', 4, 'requests that may wait besides the active one', (0, 32), read_only=True
    ),
    ParameterSpec(
        'distortion',
        'auto',
        "lens distortion of camera_info: 'apply', 'ignore' (rectified images), or 'auto': ignored "
        'for topics called image_rect...',
    ),
    ParameterSpec('base_frame', 'base_link', 'frame in which positions are given', read_only=True),
    ParameterSpec(
        'camera_pose',
        Parameter.Type.DOUBLE_ARRAY,
        'pose of the optical frame in base_frame: x y z (m) and quaternion x y z w, or a '
        'row-major 4x4 matrix; unset: from TF. For a single camera',
    ),
    ParameterSpec('max_frame_age', 1.0, 's, largest age of an image', (0.01, 60.0)),
    ParameterSpec('frame_wait', 3.0, 's, to wait for an image that is new enough', (0.0, 60.0)),
    ParameterSpec('depth_tolerance', 0.02, 's, between the stamps of image and depth', (0.0, 1.0)),
    ParameterSpec(
        'conversation_turns',
        3,
        'earlier instructions that the next one may refer to: "the other one, too"; 0: none',
        (0, 10),
    ),
    ParameterSpec(
        'conversation_timeout', 60.0, 's without an instruction, to forget them', (1.0, 86400.0)
    ),
    ParameterSpec('jpeg_quality', 85, 'JPEG quality of the annotated image', (1, 100)),
)

EXECUTOR_PARAMETERS = (
    ParameterSpec('autostart', True, 'configure and activate at startup', read_only=True),
    ParameterSpec('kimi', 'kimi', 'name of the node whose plans are carried out', read_only=True),
    ParameterSpec(
        'actions',
        '',
        'YAML file of the actions that carry out skills; empty: that of the simulated table',
    ),
    ParameterSpec('skills', '', 'YAML file of the skills, the same as for kimi; empty: built-in'),
    ParameterSpec('look_again', True, 'ask kimi after each step where its objects are now'),
    ParameterSpec(
        'max_move',
        0.1,
        'm by which an object of a later step may have moved, when it is looked for again',
        (0.0, 10.0),
    ),
    ParameterSpec(
        'max_plan_age',
        30.0,
        's after its image that a plan without approval may be begun',
        (0.1, 3600.0),
    ),
)

BAG_PARAMETERS = (
    ParameterSpec('path', '', 'the bag: a folder, or an MCAP or sqlite3 file', read_only=True),
    ParameterSpec('loop', True, 'begin again at the end'),
    ParameterSpec('image', '', 'image topic in the bag; empty: the only one', read_only=True),
    ParameterSpec('camera_info', '', 'camera_info topic; empty: beside the image', read_only=True),
    ParameterSpec('depth', '', 'depth topic; empty: the only one, if any', read_only=True),
)

_SIMULATED_CAMERA = (
    ParameterSpec('rate', 10.0, 'images per second', (0.1, 60.0)),
    ParameterSpec('depth', True, 'publish depth/image, too', read_only=True),
    ParameterSpec('frame_id', 'camera_optical', 'optical frame of the images', read_only=True),
    ParameterSpec('base_frame', 'base_link', 'parent frame of the camera on TF', read_only=True),
)

SIM_CAMERA_PARAMETERS = (
    ParameterSpec(
        'seed', 2_000_000, 'seed of the scene and of the camera pose', (0, 2**31 - 1), True
    ),
    ParameterSpec('width', 640, 'image width, pixels', (1, 4096), read_only=True),
    ParameterSpec('height', 480, 'image height, pixels', (1, 4096), read_only=True),
    *_SIMULATED_CAMERA,
)

SIM_ROBOT_PARAMETERS = (ParameterSpec('step_seconds', 1.0, 's that a step takes', (0.0, 60.0)),)

LIBERO_ROBOT_PARAMETERS = (
    ParameterSpec('suite', 'libero_object', 'suite of LIBERO or LIBERO-PRO', read_only=True),
    ParameterSpec('task', 0, 'number of the task in the suite', (0, 9), read_only=True),
    ParameterSpec('state', 0, 'number of its initial state', (0, 49), read_only=True),
    ParameterSpec(
        'step_limit',
        0,
        'control steps of 50 ms that the arm may take; 0: as many as the benchmark allows the task',
        (0, 1_000_000),
        read_only=True,
    ),
    ParameterSpec(
        'steps_per_image', 4, 'control steps from image to image while the arm moves', (1, 100)
    ),
    ParameterSpec(
        'verdict',
        '',
        'file that gets what the environment says of the task after each skill: '
        'that is on no topic; empty: none',
        read_only=True,
    ),
    *_SIMULATED_CAMERA,
)


def validation_error(values: Mapping[str, Any]) -> str:
    """Return why these values of KIMI_PARAMETERS are invalid, or ''.

    rclpy itself checks types and ranges, but lets NaN pass.
    """
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            return f'{name} must be a finite number, not {value}'
    for name, choices in _CHOICES.items():
        if name in values and values[name] not in choices:
            return f'{name} must be one of {", ".join(choices)}, not {values[name]!r}'
    cameras = list(values.get('cameras', ['']))
    if not cameras or len(set(cameras)) < len(cameras):
        return f'cameras must be one or more different names, not {cameras}'
    for name in cameras:
        if name and not _CAMERA.fullmatch(name):
            return f'cameras: {name!r} is not a valid topic prefix: use letters, digits and _'
    pose = values.get('camera_pose')
    if pose is None:
        return ''
    if len(cameras) > 1:
        return 'camera_pose is for a single camera: for several, publish their poses on TF'
    try:
        pose_matrix(pose)
    except PoseError as error:
        return f'camera_pose: {error}'
    return ''


def declare_parameters(
    node: Node,
    specs: Iterable[ParameterSpec],
    own_error: Callable[[Mapping[str, Any]], str] = lambda values: '',
) -> None:
    """Declare the parameters and validate every later change.

    :param own_error: returns what else is invalid, besides what `validation_error` finds, or ''.
    :raises ParameterException: of rclpy, when an initial value has the wrong type or range.
    :raises ValueError: when an initial value is invalid.
    """
    for spec in specs:
        node.declare_parameter(spec.name, spec.default, spec.descriptor())
    names = [s.name for s in specs]

    def current() -> dict[str, Any]:
        values = {name: node.get_parameter_or(name, None).value for name in names}
        return {name: value for name, value in values.items() if value is not None}

    def error(values: Mapping[str, Any]) -> str:
        return validation_error(values) or own_error(values)

    def check(changes: list[Parameter[Any]]) -> SetParametersResult:
        reason = error(current() | {p.name: p.value for p in changes if p.name in names})
        return SetParametersResult(successful=not reason, reason=reason)

    if reason := error(current()):
        raise ValueError(reason)
    node.add_on_set_parameters_callback(check)
