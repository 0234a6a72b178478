"""The node `sim_camera`: a rendered table scene on the topics of a real camera."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from kimi_ros.nodes.camera_topics import CameraTopics, keep_rate
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

    The scene is rendered once; every image is stamped with the time at which it is published.
    """

    def __init__(self, name: str = 'sim_camera') -> None:
        super().__init__(name)
        declare_parameters(self, SIM_CAMERA_PARAMETERS)
        self._camera = CameraTopics(self, self._value('frame_id'), self._value('depth'))
        frame, seed = self._first_view(self._value('seed'))
        self._camera.show(frame)
        self._broadcaster = publish_static(
            self, frame.camera_pose, self._value('frame_id'), self._value('base_frame')
        )
        self.get_logger().info(f'publishing scene {seed} at {self._value("rate"):g} Hz')
        self._timer = self.create_timer(1.0 / self._value('rate'), self._publish)

    def _publish(self) -> None:
        self._camera.publish(self.get_clock().now().to_msg())
        keep_rate(self._timer, self._value('rate'))

    def _first_view(self, seed: int) -> tuple[RenderedFrame, int]:
        """Return what is seen at the beginning, and the seed of the scene that is shown."""
        view = render_scene(seed, self._value('width'), self._value('height'))
        if view.recorded:
            self.get_logger().warning(
                f'showing recorded frame {view.seed} instead of scene {seed}: {view.recorded}'
            )
        return view.frame, view.seed

    def _value(self, name: str) -> Any:
        return self.get_parameter(name).value


def main(args: Sequence[str] | None = None) -> int:
    """Run the camera until it is interrupted."""
    return run_node(SimCamera, lambda _: SingleThreadedExecutor(), args)


if __name__ == '__main__':
    sys.exit(main())
