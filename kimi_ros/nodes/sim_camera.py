"""The node `sim_camera`: a rendered table on the topics of a real camera."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from kimi_ros.nodes import qos
from kimi_ros.nodes.images import fill
from kimi_ros.nodes.parameters import SIM_CAMERA, declare
from kimi_ros.nodes.spinning import run
from kimi_ros.nodes.transforms import publish_static
from kimi_ros.sim import (
    Frame,
    GLNotAvailable,
    ObjectTruth,
    Renderer,
    recorded_frames,
    sample_scene,
    visible_truth,
)


@dataclass(frozen=True)
class View:
    """What the camera sees.

    :ivar seed: of the scene that is seen, not always the one asked for.
    :ivar truth: for whoever judges; the camera publishes none of it.
    :ivar recorded: why a recorded frame takes the place of the scene asked for, or ''.
    """

    seed: int
    frame: Frame
    truth: tuple[ObjectTruth, ...]
    recorded: str = ''


def look(seed: int, width: int = 640, height: int = 480) -> View:
    """Render the scene of a seed; without OpenGL, the seed chooses one of the recorded frames."""
    scene = sample_scene(seed)
    try:
        with Renderer(width, height) as renderer:
            frame = renderer.render(scene)
    except GLNotAvailable as error:
        frames = recorded_frames()
        same = [r for r in frames if r.seed == seed]
        chosen = same[0] if same else frames[seed % len(frames)]
        return View(chosen.seed, chosen.frame, chosen.truth, str(error))
    return View(seed, frame, visible_truth(scene, frame))


class SimCamera(Node):
    """Publishes image, camera_info and depth/image of a scene that stands still.

    Such a scene is rendered once; every picture of it is stamped with the time at which it is sent,
    as if it had just been taken.
    """

    def __init__(self):
        super().__init__('sim_camera')
        declare(self, SIM_CAMERA)
        self._senders = {
            name: self.create_publisher(
                kind, topic, qos.PICTURES, qos_overriding_options=qos.overridable()
            )
            for name, kind, topic in (
                ('image', Image, 'image'),
                ('info', CameraInfo, 'camera_info'),
                ('depth', Image, 'depth/image'),
            )
        }
        self._messages = self._render(self._value('seed'))
        self.create_timer(1.0 / self._value('rate'), self._send)

    def _send(self) -> None:
        stamp = self.get_clock().now().to_msg()
        for name, message in self._messages.items():
            message.header.stamp = stamp
            self._senders[name].publish(message)

    def _render(self, seed: int) -> dict[str, Image | CameraInfo]:
        """Return what will be sent, and publish where the camera is."""
        view = look(seed, self._value('width'), self._value('height'))
        if view.recorded:
            self.get_logger().warning(
                f'recorded frame {view.seed}, not scene {seed}: {view.recorded}'
            )
        frame, frame_id = view.frame, self._value('frame_id')
        messages = {
            'image': fill(Image(), frame.rgb, 'rgb8'),
            'depth': fill(Image(), frame.depth.astype(np.float32), '32FC1'),
            'info': camera_info(frame.intrinsics, *frame.rgb.shape[1::-1]),
        }
        for message in messages.values():
            message.header.frame_id = frame_id
        self._broadcaster = publish_static(
            self, frame.camera_pose, frame_id, self._value('base_frame')
        )
        self.get_logger().info(
            f'scene {view.seed}, rendered once, stamped anew {self._value("rate"):g} times a second'
        )
        return messages

    def _value(self, name: str):
        return self.get_parameter(name).value


def camera_info(intrinsics: np.ndarray, width: int, height: int) -> CameraInfo:
    """Return the camera_info of a camera without distortion; sets no header."""
    info = CameraInfo(width=width, height=height, distortion_model='plumb_bob', d=[0.0] * 5)
    info.k = intrinsics.astype(float).ravel().tolist()
    info.r = np.eye(3).ravel().tolist()
    info.p = np.hstack([intrinsics.astype(float), np.zeros((3, 1))]).ravel().tolist()
    return info


def main(args: Sequence[str] | None = None) -> int:
    """Run the camera until it is interrupted."""
    return run(SimCamera, SingleThreadedExecutor, args)


if __name__ == '__main__':
    sys.exit(main())
