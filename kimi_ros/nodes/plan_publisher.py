"""Publishing plans and everything derived from them, and their approval."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseArray, PoseStamped
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from kimi_msgs.msg import Plan as PlanMessage
from kimi_ros.agent import Approval, Plan, phrases, request_for_approval
from kimi_ros.agent.approval import ID_LENGTH
from kimi_ros.agent.drawing import draw_plan
from kimi_ros.agent.scene_change import SceneSnapshot
from kimi_ros.nodes import qos
from kimi_ros.nodes.approvals import ApprovalManager
from kimi_ros.nodes.codes import ErrorCode
from kimi_ros.nodes.detections import Detection2DArray, plan_detections
from kimi_ros.nodes.images import encode_jpeg
from kimi_ros.nodes.managed_node import ManagedNode
from kimi_ros.nodes.markers import plan_markers
from kimi_ros.nodes.messages import plan_to_message
from kimi_ros.nodes.request_handler import Outcome
from kimi_ros.nodes.targets import all_targets, first_target

_KEPT = 128  # plans of which it is known what they were made for


@dataclass(frozen=True)
class Look:
    """What a plan was made for.

    :ivar stamp: of the image, nanoseconds.
    :ivar camera: its name, '' for the first one.
    :ivar snapshot: of a plan that waits for approval.
    """

    stamp: int
    camera: str = ''
    snapshot: SceneSnapshot | None = None


class PlanPublisher:
    """Publishes ~/plan and what is derived from it. Thread-safe.

    :ivar approvals: of the latest plan and of those that wait.
    :ivar lock: held to publish a plan and to cancel: a cancelled plan is not published.
    :ivar last: id of the latest plan, and seconds from goal accepted to plan published.
    """

    def __init__(self, node: ManagedNode, clock: Callable[[], float]):
        """Create the publishers.

        :param clock: returns seconds, for the expiry of plans.
        """
        self._node = node
        self.approvals = ApprovalManager(clock, self._publish_plan)
        self.lock = Lock()
        self.last = ('', 0.0)
        self._looks: dict[str, Look] = {}  # by plan id

        self._plan = node.publisher(PlanMessage, '~/plan', qos.LATCHED)
        self._say = node.publisher(String, '~/say', qos.STATUS)
        self._annotated = node.publisher(CompressedImage, '~/annotated/compressed', qos.IMAGES)
        self._markers = node.publisher(MarkerArray, '~/markers', qos.LATCHED)
        self._json = node.publisher(String, '~/plan_json', qos.LATCHED)
        self._target = node.publisher(PoseStamped, '~/target', qos.STATUS)
        self._targets = node.publisher(PoseArray, '~/targets', qos.STATUS)
        self._detections: Any = None
        if Detection2DArray is not None:
            self._detections = node.publisher(Detection2DArray, '~/detections', qos.STATUS)

    def publish(
        self, outcome: Outcome, accepted_at: float, cancel: Event, on_plan: Callable[[], None]
    ) -> Outcome:
        """Publish the plan, then everything derived from it; returns the final outcome.

        :param accepted_at: monotonic seconds at which the request was accepted.
        :param on_plan: called when the plan is published, before it is drawn.
        """
        plan, logger = outcome.plan, self._node.get_logger()
        if plan is None or outcome.frame is None:
            return outcome
        stamp = outcome.frame.stamp
        with self.lock:  # late subscribers must get the latest plan, not an older one
            if cancel.is_set():
                return Outcome(ErrorCode.CANCELLED, 'cancelled before the plan was published')
            self._looks[plan.id] = Look(stamp, outcome.camera, outcome.snapshot)
            # Before anybody can decide on the plan: what is said of the decision comes after it.
            self.say(self.sentence(plan))
            self.approvals.set_plan(plan)
            while len(self._looks) > _KEPT:
                del self._looks[next(iter(self._looks))]
            self.last = plan.id, time.monotonic() - accepted_at
        on_plan()
        logger.info(
            f'{plan.status.value} after {self.last[1]:.3f} s (goal accepted to plan published): '
            f'{plan.instruction!r} -> {plan.say}'
        )
        if plan.approval is Approval.PENDING:
            logger.warning(
                f'plan {plan.id} waits for approval ({", ".join(plan.reason_codes)}): type '
                f'kimi approve {plan.id[:ID_LENGTH]}, or {self.command(plan)}'
            )
        try:
            self._publish_visualization(plan, stamp, outcome.rgb)
        except Exception as error:  # the plan counts, not its drawing
            logger.error(f'visualization failed: {type(error).__name__}: {error}')
        return outcome

    def command(self, plan: Plan) -> str:
        """Return the shell command that approves a plan."""
        return (
            f'ros2 service call {self._node.get_fully_qualified_name()}/approve '
            f"kimi_msgs/srv/Approve '{{id: {plan.id}, hash: {plan.hash}, approve: true}}'"
        )

    @staticmethod
    def sentence(plan: Plan) -> str:
        """Return what the user is told of a plan, and what to type if it waits."""
        if plan.approval is not Approval.PENDING:
            return plan.say
        return phrases.before(plan.say, plan.language) + request_for_approval(plan)

    def look(self, plan_id: str) -> Look | None:
        """Return what a plan was made for, None for a plan that is not known."""
        return self._looks.get(plan_id)

    def say(self, text: str) -> None:
        """Publish a sentence for the user."""
        self._say.publish(String(data=text))

    def clear(self) -> None:
        """Call off all plans, and replace what late subscribers would get by nothing."""
        with self.lock:
            self.approvals.clear()
            self._looks.clear()
            self.last = '', 0.0
            self._plan.publish(PlanMessage())
            self._json.publish(String(data='null'))
            self._markers.publish(plan_markers(PlanMessage()))

    def _publish_visualization(self, plan: Plan, stamp: int, rgb: np.ndarray | None) -> None:
        message = plan_to_message(plan, stamp)
        self._markers.publish(plan_markers(message))
        self._targets.publish(all_targets(message))
        if (target := first_target(message)) is not None:
            self._target.publish(target)
        if self._detections is not None:
            self._detections.publish(plan_detections(message))
        if rgb is None or not self._annotated.get_subscription_count():
            return
        annotated = CompressedImage(header=message.header, format='jpeg')
        # Plans about the same frame share a stamp: the JPEG comment tells whose image it is.
        drawn = draw_plan(rgb, plan)
        quality = self._node.value('jpeg_quality')
        annotated.data = encode_jpeg(drawn, quality, comment=plan.id)
        self._annotated.publish(annotated)

    def _publish_plan(self, plan: Plan) -> None:
        self._plan.publish(plan_to_message(plan, self._looks[plan.id].stamp))
        self._json.publish(String(data=plan.to_json()))
        if plan.approval in (Approval.DENIED, Approval.EXPIRED):
            self.say(plan.say)
