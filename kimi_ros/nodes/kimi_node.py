"""The node `kimi`: images and instructions in, grounded plans out. It never drives the robot."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event, Lock

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from kimi_msgs.action import Instruct
from kimi_msgs.msg import Plan as PlanMessage
from kimi_msgs.srv import Approve, Describe
from kimi_ros.agent import Approval, Plan, State
from kimi_ros.agent.drawing import draw_plan
from kimi_ros.nodes import diagnostics, qos
from kimi_ros.nodes.approvals import ApprovalManager
from kimi_ros.nodes.cameras import CameraSubscriptions
from kimi_ros.nodes.codes import ErrorCode, error_code_of
from kimi_ros.nodes.executor import RequestExecutor
from kimi_ros.nodes.frame_decoder import FrameDecoder
from kimi_ros.nodes.images import encode_jpeg
from kimi_ros.nodes.log_throttle import LogThrottle
from kimi_ros.nodes.markers import plan_markers
from kimi_ros.nodes.messages import approval_number, plan_to_message, time_message
from kimi_ros.nodes.model_loader import ModelBundle, ModelLoader, load_bundle
from kimi_ros.nodes.parameters import KIMI_PARAMETERS, declare_parameters
from kimi_ros.nodes.request_handler import FrameLimits, Outcome, RequestHandler
from kimi_ros.nodes.request_queue import RequestQueue
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.transforms import CameraPoseLookup

_EXTRA_THREADS = 4  # besides one per request: images, cancel requests, services, timers
_REPEAT_PERIOD = 1.0  # seconds between equal messages in the log
_BUSY_PERIOD = 5.0  # seconds between announcements on ~/say that the node is busy
_LINGER = 0.3  # seconds that late requests for results are still answered at shutdown
_RESULT_TIMEOUT = 60  # seconds that a goal's result is kept for clients that ask late
# Seconds that a thread keeps the interpreter while others want it. A plan takes hundreds of calls
# of the model, and after each it waits for rclpy's executor, busy with images: with Python's 5 ms
# the slowest plan of 25 took up to 2.2 s, with this up to 0.3 s (two cores).
_SWITCH_INTERVAL = 0.0005


class KimiNode(Node):
    """Connects topics, services and the action to the RequestHandler."""

    def __init__(self, load: Callable[[], ModelBundle] | None = None):
        """Create publishers, subscriptions and servers; the model loads in the background.

        :param load: returns the model bundle, instead of what the parameters name.
        """
        super().__init__('kimi')
        declare_parameters(self, KIMI_PARAMETERS)
        self._queue = RequestQueue(self.value('queue_size'))
        self._cancel_events: dict[bytes, Event] = {}  # by goal id
        self._accepted_at: dict[bytes, float] = {}
        self._last_plan = ('', 0.0)  # id, seconds from goal accepted to plan published
        self._busy_announced = float('-inf')
        self._draining = False
        self._throttle = LogThrottle(_REPEAT_PERIOD)
        # Held to publish a plan and to cancel: a plan that was cancelled is not published.
        self._publish_lock = Lock()
        self._stamps: dict[str, int] = {}  # of the image, nanoseconds, by plan id
        self._callback_group = ReentrantCallbackGroup()
        self._approvals = ApprovalManager(self._seconds, self._publish_plan)
        self._create_publishers()
        self._cameras = CameraSubscriptions(self)
        self._loader = ModelLoader(load or self._load, self.get_logger().error)
        base_frame = self.value('base_frame')
        poses = CameraPoseLookup(self, base_frame)
        self._decoder = FrameDecoder(poses.lookup, base_frame, lambda: self.value('distortion'))
        self._handler = RequestHandler(
            self._loader,
            self._cameras.buffers,
            self._queue,
            self._decoder,
            now=lambda: self.get_clock().now().nanoseconds,
            limits=lambda: FrameLimits(self.value('max_frame_age'), self.value('frame_wait')),
        )
        self._create_servers()
        self.create_timer(1.0, self._publish_diagnostics, MutuallyExclusiveCallbackGroup())

    def value(self, name: str):
        """Return a parameter's current value."""
        return self.get_parameter(name).value

    def make_executor(self) -> RequestExecutor:
        """Return an executor with the threads needed: queued, awaiting approval, and extra ones."""
        return RequestExecutor(
            self.value('queue_size') + 2 + _EXTRA_THREADS,
            short=[self._cameras.callback_group],
            on_error=lambda error: self.get_logger().error(
                f'a callback failed: {type(error).__name__}: {error}'
            ),
        )

    def drain(self, timeout: float) -> None:
        """Reject new goals, cancel the others, and wait until each has its result.

        :param timeout: seconds.
        """
        self._draining = True
        deadline = time.monotonic() + timeout
        while self._accepted_at and time.monotonic() < deadline:
            self.cancel_all()
            time.sleep(0.02)
        if self._accepted_at:
            self.get_logger().error(f'{len(self._accepted_at)} goals end without a result')
        time.sleep(_LINGER)

    def cancel_all(self) -> int:
        """Cancel all active and waiting requests; returns how many there were."""
        with self._publish_lock:
            return self._queue.cancel_all()

    # Setup.

    def _load(self) -> ModelBundle:
        names = ('model', 'device', 'threads', 'skills', 'policy', 'planner')
        bundle = load_bundle(*(self.value(name) for name in names), clock=self._seconds)
        self.get_logger().info(f'model {self.value("model")} loaded')
        return bundle

    def _create_publishers(self) -> None:
        def publisher(kind, topic, profile):
            return self.create_publisher(
                kind, topic, profile, qos_overriding_options=qos.overridable()
            )

        self._plan_publisher = publisher(PlanMessage, '~/plan', qos.LATCHED)
        self._say_publisher = publisher(String, '~/say', qos.STATUS)
        self._annotated_publisher = publisher(CompressedImage, '~/annotated/compressed', qos.IMAGES)
        self._marker_publisher = publisher(MarkerArray, '~/markers', qos.LATCHED)
        self._diagnostics_publisher = self.create_publisher(
            DiagnosticArray, '/diagnostics', qos.STATUS
        )

    def _create_servers(self) -> None:
        group = self._callback_group
        self.create_subscription(
            String,
            'instruction',
            self._on_instruction,
            qos.INSTRUCTIONS,
            callback_group=group,
            qos_overriding_options=qos.overridable(),
        )
        self._action_server = ActionServer(
            self,
            Instruct,
            '~/instruct',
            self._execute,
            callback_group=group,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
            goal_service_qos_profile=qos.INSTRUCTIONS,
            result_service_qos_profile=qos.INSTRUCTIONS,
            cancel_service_qos_profile=qos.INSTRUCTIONS,
            feedback_pub_qos_profile=qos.FEEDBACK,
            result_timeout=_RESULT_TIMEOUT,
        )
        for kind, name, callback in (
            (Approve, '~/approve', self._on_approve),
            (Describe, '~/describe', self._on_describe),
            (Trigger, '~/stop', self._on_stop),
            (Trigger, '~/forget', self._on_forget),
        ):
            self.create_service(kind, name, callback, callback_group=group)

    # Instructions: topic and action.

    def _on_instruction(self, message: String) -> None:
        accepted_at = time.monotonic()
        with self._queue.track() as cancel:
            outcome = self._handler.instruct(
                message.data, '', '', cancel, lambda _: None, lambda _: None
            )
            outcome = self._publish_outcome(outcome, accepted_at, cancel)
        if outcome.plan is None:
            # A topic has no result: ~/say is the only place to report an error.
            self._log_error(outcome)
            if self._should_announce(outcome.code):
                self._say_publisher.publish(String(data=outcome.message))

    def _should_announce(self, code: ErrorCode) -> bool:
        """Return False for repeated BUSY errors, which are announced once per _BUSY_PERIOD."""
        if code is not ErrorCode.BUSY:
            return True
        with self._publish_lock:
            due = time.monotonic() - self._busy_announced >= _BUSY_PERIOD
            if due:
                self._busy_announced = time.monotonic()
        return due

    def _on_goal(self, _goal) -> GoalResponse:
        return GoalResponse.REJECT if self._draining else GoalResponse.ACCEPT

    def _on_accepted(self, goal_handle) -> None:
        goal_id = bytes(goal_handle.goal_id.uuid)
        self._accepted_at[goal_id] = time.monotonic()
        # The goal can be cancelled before a thread is free to execute it.
        self._queue.register(self._cancel_events.setdefault(goal_id, Event()))
        try:
            goal_handle.execute()
        except Exception:  # a cancel request came in between: rclpy accepts the second call
            goal_handle.execute()

    def _on_cancel(self, goal_handle) -> CancelResponse:
        # A cancel request may arrive before execution begins.
        goal_id = bytes(goal_handle.goal_id.uuid)
        cancel = self._cancel_events.setdefault(goal_id, Event())
        with self._publish_lock:
            self._queue.cancel(cancel)
        return CancelResponse.ACCEPT

    def _execute(self, goal_handle) -> Instruct.Result:
        goal_id = bytes(goal_handle.goal_id.uuid)
        try:
            with self._queue.track(self._cancel_events[goal_id]) as cancel:
                return self._run_goal(goal_handle, self._accepted_at[goal_id], cancel)
        except Exception as error:  # rclpy would send an empty result, which looks like success
            outcome = Outcome(ErrorCode.UNKNOWN, f'{type(error).__name__}: {error}')
            return self._finish_goal(goal_handle, outcome, None)
        finally:
            self._cancel_events.pop(goal_id, None)
            self._accepted_at.pop(goal_id, None)

    def _run_goal(self, goal_handle, accepted_at: float, cancel: Event) -> Instruct.Result:
        goal = goal_handle.request
        feedback = Instruct.Feedback()

        def publish_feedback(state: State | None = None, text: str | None = None) -> None:
            feedback.state = feedback.state if state is None else int(state)
            feedback.partial_text = feedback.partial_text if text is None else text
            goal_handle.publish_feedback(feedback)

        outcome = self._handler.instruct(
            goal.instruction,
            goal.language,
            goal.camera,
            cancel,
            on_state=publish_feedback,
            on_text=lambda text: publish_feedback(text=text),
        )
        outcome = self._publish_outcome(outcome, accepted_at, cancel)
        plan = outcome.plan
        if plan is not None and plan.approval is Approval.PENDING:
            publish_feedback(State.AWAITING_APPROVAL)
            plan = self._approvals.wait(plan, cancel)
            if plan.approval is Approval.EXPIRED and cancel.is_set():
                outcome = replace(
                    outcome, code=ErrorCode.CANCELLED, message='cancelled while awaiting approval'
                )
        return self._finish_goal(goal_handle, outcome, plan)

    def _finish_goal(self, goal_handle, outcome: Outcome, plan: Plan | None) -> Instruct.Result:
        result = Instruct.Result(error_code=int(outcome.code), error_msg=outcome.message)
        if plan is not None:
            result.plan = plan_to_message(plan, outcome.frame.stamp if outcome.frame else 0)
        if outcome.code is not ErrorCode.NONE:
            self._log_error(outcome)
        if not goal_handle.is_active:  # an error after the goal had ended
            return result
        if outcome.code is ErrorCode.NONE:
            goal_handle.succeed()
        elif goal_handle.is_cancel_requested:
            goal_handle.canceled()
        else:
            goal_handle.abort()
        return result

    # Output topics.

    def _publish_outcome(self, outcome: Outcome, accepted_at: float, cancel: Event) -> Outcome:
        """Publish the plan, then everything derived from it; returns the final outcome."""
        plan = outcome.plan
        if plan is None:
            return outcome
        with self._publish_lock:  # late subscribers must get the latest plan, not an older one
            if cancel.is_set():
                return Outcome(ErrorCode.CANCELLED, 'cancelled before the plan was published')
            self._stamps[plan.id] = outcome.frame.stamp  # beside that of the plan that expires
            self._approvals.set_plan(plan)
            self._stamps = {plan.id: outcome.frame.stamp}
            self._last_plan = plan.id, time.monotonic() - accepted_at
        self._publish_diagnostics()
        self.get_logger().info(
            f'{plan.status.value} after {self._last_plan[1]:.3f} s (goal accepted to plan '
            f'published): {plan.instruction!r} -> {plan.say}'
        )
        self._say_publisher.publish(String(data=plan.say))
        try:
            self._publish_visualization(plan, outcome)
        except Exception as error:  # the plan counts, not its drawing
            self.get_logger().error(f'visualization failed: {type(error).__name__}: {error}')
        return outcome

    def _publish_visualization(self, plan: Plan, outcome: Outcome) -> None:
        message = plan_to_message(plan, outcome.frame.stamp)
        self._marker_publisher.publish(plan_markers(message))
        annotated = CompressedImage(header=message.header, format='jpeg')
        # Plans about the same frame share a stamp: the JPEG comment tells whose image it is.
        drawn = draw_plan(outcome.rgb, plan)
        annotated.data = encode_jpeg(drawn, self.value('jpeg_quality'), comment=plan.id)
        self._annotated_publisher.publish(annotated)

    def _publish_plan(self, plan: Plan) -> None:
        self._plan_publisher.publish(plan_to_message(plan, self._stamps[plan.id]))

    def _log_error(self, outcome: Outcome) -> None:
        text = f'{outcome.code.name}: {outcome.message}'
        if text := self._throttle.text(text, text):
            self.get_logger().warning(text)

    # Services.

    def _on_approve(self, request: Approve.Request, response: Approve.Response):
        try:
            plan = self._approvals.decide(request.id, request.hash, request.approve)
        except Exception as error:  # every rejection is a response
            response.error_code, response.error_msg = int(error_code_of(error)), str(error)
        else:
            self.get_logger().info(
                f'plan {plan.id} {plan.approval.value} by {request.approver or "unknown"}'
            )
        response.approval = approval_number(self._approvals.state(request.id))
        return response

    def _on_describe(self, request: Describe.Request, response: Describe.Response):
        with self._queue.track() as cancel:
            outcome = self._handler.describe(
                request.question, request.language, request.camera, cancel
            )
        response.text = outcome.text
        response.error_code, response.error_msg = int(outcome.code), outcome.message
        if outcome.frame:
            response.header.stamp = time_message(outcome.frame.stamp)
            response.header.frame_id = outcome.frame.frame_id
        return response

    def _on_stop(self, _request, response: Trigger.Response):
        with self._publish_lock:
            cancelled = self._queue.cancel_all()
            self._approvals.clear()
        response.success, response.message = True, f'{cancelled} requests cancelled'
        return response

    def _on_forget(self, _request, response: Trigger.Response):
        self._approvals.clear()
        self._cameras.clear()
        self._marker_publisher.publish(plan_markers(PlanMessage()))
        response.success, response.message = True, 'plan, markers and images cleared'
        return response

    # Diagnostics.

    def _seconds(self) -> float:
        return self.get_clock().now().nanoseconds / 1e9

    def _publish_diagnostics(self) -> None:
        self._approvals.check_expiry()
        reports = [
            diagnostics.model_report(self.value('model'), self._loader.error, self._loader.ready),
            diagnostics.instructions_report(
                self._queue.length,
                self.value('queue_size'),
                self._queue.completed,
                self._queue.rejected,
                self._last_plan,
            ),
            *self._cameras.reports(self._decoder),
        ]
        array = DiagnosticArray(status=[self._status(r) for r in reports])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics_publisher.publish(array)

    def _status(self, report: diagnostics.StatusReport) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=bytes([report.level]),
            name=f'{self.get_fully_qualified_name().lstrip("/")}: {report.component}',
            message=report.message,
            hardware_id=self.value('model'),
            values=[KeyValue(key=key, value=value) for key, value in report.values],
        )


def main(args: Sequence[str] | None = None, load: Callable[[], ModelBundle] | None = None) -> int:
    """Run the node until it is interrupted."""
    node: KimiNode | None = None

    def make_node() -> KimiNode:
        nonlocal node
        node = KimiNode(load)
        return node

    sys.setswitchinterval(_SWITCH_INTERVAL)
    return run_node(make_node, lambda: node.make_executor(), args)


if __name__ == '__main__':
    sys.exit(main())
