"""The node `sim_camera`: a rendered table scene on the topics of a real camera."""

from __future__ import annotations

import array
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from kimi_ros.nodes import qos
from kimi_ros.nodes.images import encode_jpeg, fill_image
from kimi_ros.nodes.parameters import SIM_CAMERA_PARAMETERS, declare_parameters
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.transforms import publish_static
from kimi_ros.sim import (
    GLNotAvailable,
    ObjectTruth,
    RenderedFrame,
    Renderer,
    recorded_frames,
    sample_scene,
    visible_truth,
)

_TOPICS = {
    'image': Image,
    'image/compressed': CompressedImage,
    'camera_info': CameraInfo,
    'depth/image': Image,
}
_JPEG_QUALITY = 90
_NANO = 10**9


@dataclass(frozen=True)
class SceneView:
    """A scene as the camera sees it.

    :ivar seed: of the scene that is shown, which may differ from the requested one.
    :ivar truth: ground truth, for evaluation only; the camera does not publish it.
    :ivar recorded: why a recorded frame replaces the requested scene, or ''.
    """

    seed: int
    frame: RenderedFrame
    truth: tuple[ObjectTruth, ...]
    recorded: str = ''


def render_scene(seed: int, width: int = 640, height: int = 480) -> SceneView:
    """Render the scene of a seed; without OpenGL, the seed selects a recorded frame."""
    scene = sample_scene(seed)
    try:
        with Renderer(width, height) as renderer:
            frame = renderer.render(scene)
    except GLNotAvailable as error:
        frames = recorded_frames()
        same = [r for r in frames if r.seed == seed]
        chosen = same[0] if same else frames[seed % len(frames)]
        return SceneView(chosen.seed, chosen.frame, chosen.truth, str(error))
    return SceneView(seed, frame, visible_truth(scene, frame))


class SimCamera(Node):
    """Publishes image, image/compressed, camera_info and depth/image of a static scene.

    The scene is rendered once; every image is stamped with the time at which it is published. As
    with a camera's driver, what nobody subscribes to is neither encoded nor sent.
    """

    def __init__(self, name: str = 'sim_camera') -> None:
        super().__init__(name)
        declare_parameters(self, SIM_CAMERA_PARAMETERS)
        self._publishers_by_topic = {
            topic: self.create_publisher(
                kind, topic, qos.IMAGES, qos_overriding_options=qos.overridable()
            )
            for topic, kind in _TOPICS.items()
            if topic != 'depth/image' or self._value('depth')
        }
        frame, seed = self._first_view(self._value('seed'))
        self._messages = self._messages_of(frame)
        self._broadcaster = publish_static(
            self, frame.camera_pose, self._value('frame_id'), self._value('base_frame')
        )
        self.get_logger().info(f'publishing scene {seed} at {self._value("rate"):g} Hz')
        self._timer = self.create_timer(1.0 / self._value('rate'), self._publish)

    def _publish(self) -> None:
        stamp, messages = self.get_clock().now().to_msg(), self._messages
        for topic, publisher in self._publishers_by_topic.items():
            if publisher.get_subscription_count():
                messages[topic].header.stamp = stamp
                publisher.publish(messages[topic])
        period = round(_NANO / self._value('rate'))
        if period != self._timer.timer_period_ns:
            self._timer.timer_period_ns = period

    def _first_view(self, seed: int) -> tuple[RenderedFrame, int]:
        """Return what is seen at the beginning, and the seed of the scene that is shown."""
        view = render_scene(seed, self._value('width'), self._value('height'))
        if view.recorded:
            self.get_logger().warning(
                f'showing recorded frame {view.seed} instead of scene {seed}: {view.recorded}'
            )
        return view.frame, view.seed

    def _messages_of(self, frame: RenderedFrame) -> Mapping[str, Any]:
        """Return the messages that show a frame, by topic; without stamps."""
        return _Messages(frame, self._value('frame_id'))

    def _value(self, name: str) -> Any:
        return self.get_parameter(name).value


class _Messages(dict[str, Any]):
    """Messages that show a frame, by topic: each is made when it is first asked for."""

    def __init__(self, frame: RenderedFrame, frame_id: str) -> None:
        super().__init__()
        self._frame, self._frame_id = frame, frame_id

    def __missing__(self, topic: str) -> Any:
        message = self[topic] = self._message(topic)
        message.header.frame_id = self._frame_id
        return message

    def _message(self, topic: str) -> Any:
        frame = self._frame
        if topic == 'image':
            return fill_image(Image(), frame.rgb, 'rgb8')
        if topic == 'image/compressed':
            jpeg = array.array('B', encode_jpeg(frame.rgb, _JPEG_QUALITY))
            return CompressedImage(format='jpeg', data=jpeg)
        if topic == 'depth/image':
            return fill_image(Image(), np.asarray(frame.depth, np.float32), '32FC1')
        return camera_info(frame.intrinsics, *frame.rgb.shape[1::-1])


def camera_info(intrinsics: np.ndarray, width: int, height: int) -> CameraInfo:
    """Return the CameraInfo of a camera without distortion; the header is left empty."""
    info = CameraInfo(width=width, height=height, distortion_model='plumb_bob', d=[0.0] * 5)
    info.k = intrinsics.astype(float).ravel().tolist()
    info.r = np.eye(3).ravel().tolist()
    info.p = np.hstack([intrinsics.astype(float), np.zeros((3, 1))]).ravel().tolist()
    return info


def main(args: Sequence[str] | None = None) -> int:
    """Run the camera until it is interrupted."""
    return run_node(SimCamera, lambda _: SingleThreadedExecutor(), args)


if __name__ == '__main__':
    sys.exit(main())
