"""The node `kimi`: pictures and instructions in, grounded plans out. It never drives the robot."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event, Lock

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
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
from kimi_ros.nodes.answering import Answer, Answerer, Limits
from kimi_ros.nodes.approvals import Approvals
from kimi_ros.nodes.cameras import Cameras
from kimi_ros.nodes.codes import Code, code_of
from kimi_ros.nodes.desk import Desk
from kimi_ros.nodes.images import encode_jpeg
from kimi_ros.nodes.markers import plan_markers
from kimi_ros.nodes.messages import approval_number, plan_to_message, time_message
from kimi_ros.nodes.mind import Mind, MindSource, load_mind
from kimi_ros.nodes.parameters import KIMI, declare
from kimi_ros.nodes.spinning import run
from kimi_ros.nodes.transforms import PoseSource

_SPARE_THREADS = 4  # besides those that instructions hold: pictures, cancelling, services, timers
_BUSY_AGAIN = 5.0  # seconds between saying that the node is busy
_RESULT_KEPT = 60  # seconds, for clients that ask late
# Seconds that a thread keeps the interpreter while others want it. A plan takes hundreds of calls
# of the model, and after each it waits for rclpy's executor, busy with pictures: with Python's 5 ms
# the slowest plan of 25 took up to 2.2 s, with this up to 0.3 s (two cores).
_SWITCH_INTERVAL = 0.0005


class KimiNode(Node):
    """Wires topics, services and the action to the Answerer; it decides nothing itself."""

    def __init__(self, load: Callable[[], Mind] | None = None):
        """Start everything; the model is loaded meanwhile.

        :param load: returns the mind, instead of what the parameters name.
        """
        super().__init__('kimi')
        declare(self, KIMI)
        self._desk = Desk(self.value('queue_size'))
        self._cancels: dict[bytes, Event] = {}
        self._accepted: dict[bytes, float] = {}
        self._last = ('', 0.0)
        self._told_busy = float('-inf')
        # Held to publish a plan, and to stop: whatever was stopped is not published any more.
        self._newest = Lock()
        self._stamps: dict[str, int] = {}
        self._reentrant = ReentrantCallbackGroup()
        self._approvals = Approvals(self._seconds, self._publish_plan)
        self._publish()
        self._cameras = Cameras(self)
        self._source = MindSource(load or self._load, self.get_logger().error)
        base_frame = self.value('base_frame')
        self._answerer = Answerer(
            self._source,
            self._cameras.slots,
            self._desk,
            now=lambda: self.get_clock().now().nanoseconds,
            limits=lambda: Limits(self.value('max_frame_age'), self.value('frame_wait')),
            pose=PoseSource(self, base_frame).pose,
            base_frame=base_frame,
        )
        self._serve()
        self.create_timer(1.0, self._diagnose, MutuallyExclusiveCallbackGroup())

    def value(self, name: str):
        """Return a parameter's present value."""
        return self.get_parameter(name).value

    def threads(self) -> int:
        """Return the threads that are needed: in line, awaiting approval, and spare ones."""
        return self.value('queue_size') + 2 + _SPARE_THREADS

    def stop_all(self) -> int:
        """End whatever is worked on or waits; return how much there was."""
        with self._newest:
            return self._desk.stop_all()

    # What is set up.

    def _load(self) -> Mind:
        names = ('model', 'device', 'threads', 'skills', 'policy')
        mind = load_mind(*(self.value(name) for name in names), clock=self._seconds)
        self.get_logger().info(f'the model {self.value("model")} is ready')
        return mind

    def _publish(self) -> None:
        def publisher(kind, topic, profile):
            return self.create_publisher(
                kind, topic, profile, qos_overriding_options=qos.overridable()
            )

        self._plan = publisher(PlanMessage, '~/plan', qos.LATCHED)
        self._say = publisher(String, '~/say', qos.STATUS)
        self._annotated = publisher(CompressedImage, '~/annotated/compressed', qos.PICTURES)
        self._markers = publisher(MarkerArray, '~/markers', qos.LATCHED)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', qos.STATUS)

    def _serve(self) -> None:
        group = self._reentrant
        self.create_subscription(
            String,
            'instruction',
            self._on_instruction,
            qos.INSTRUCTIONS,
            callback_group=group,
            qos_overriding_options=qos.overridable(),
        )
        self._action = ActionServer(
            self,
            Instruct,
            '~/instruct',
            self._execute,
            callback_group=group,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
            goal_service_qos_profile=qos.INSTRUCTIONS,
            result_service_qos_profile=qos.INSTRUCTIONS,
            feedback_pub_qos_profile=qos.FEEDBACK,
            result_timeout=_RESULT_KEPT,
        )
        for kind, name, callback in (
            (Approve, '~/approve', self._on_approve),
            (Describe, '~/describe', self._on_describe),
            (Trigger, '~/stop', self._on_stop),
            (Trigger, '~/forget', self._on_forget),
        ):
            self.create_service(kind, name, callback, callback_group=group)

    # What arrives.

    def _on_instruction(self, message: String) -> None:
        accepted = time.monotonic()
        with self._desk.errand() as cancel:
            answer = self._answerer.instruct(
                message.data, '', '', cancel, lambda _: None, lambda _: None
            )
            answer = self._deliver(answer, accepted, cancel)
        if answer.plan is None:
            # Nobody but the listener learns of it on this way.
            self._log_failure(answer)
            if self._worth_saying(answer.code):
                self._say.publish(String(data=answer.message))

    def _worth_saying(self, code: Code) -> bool:
        """Tell a crowd once, and not each one, that the node is busy."""
        if code is not Code.BUSY:
            return True
        with self._newest:
            due = time.monotonic() - self._told_busy >= _BUSY_AGAIN
            if due:
                self._told_busy = time.monotonic()
        return due

    def _on_accepted(self, goal_handle) -> None:
        key = bytes(goal_handle.goal_id.uuid)
        self._accepted[key] = time.monotonic()
        # It may take a while until a thread is free to execute the goal: it can be stopped before.
        self._desk.begin(self._cancels.setdefault(key, Event()))
        try:
            goal_handle.execute()
        except Exception:  # a cancel came in between: rclpy lets the second try pass
            goal_handle.execute()

    def _on_cancel(self, goal_handle) -> CancelResponse:
        # A cancel may come before the goal's execution has begun.
        cancel = self._cancels.setdefault(bytes(goal_handle.goal_id.uuid), Event())
        with self._newest:
            self._desk.stop(cancel)
        return CancelResponse.ACCEPT

    def _execute(self, goal_handle) -> Instruct.Result:
        key = bytes(goal_handle.goal_id.uuid)
        try:
            with self._desk.errand(self._cancels[key]) as cancel:
                return self._carry_out(goal_handle, self._accepted[key], cancel)
        except Exception as error:  # rclpy would send an empty result, which looks like success
            answer = Answer(Code.UNKNOWN, f'{type(error).__name__}: {error}')
            return self._finish(goal_handle, answer, None)
        finally:
            self._cancels.pop(key, None)
            self._accepted.pop(key, None)

    def _carry_out(self, goal_handle, accepted: float, cancel: Event) -> Instruct.Result:
        goal = goal_handle.request
        feedback = Instruct.Feedback()

        def tell(state: State | None = None, text: str | None = None) -> None:
            feedback.state = feedback.state if state is None else int(state)
            feedback.partial_text = feedback.partial_text if text is None else text
            goal_handle.publish_feedback(feedback)

        answer = self._answerer.instruct(
            goal.instruction,
            goal.language,
            goal.camera,
            cancel,
            on_state=tell,
            on_text=lambda text: tell(text=text),
        )
        answer = self._deliver(answer, accepted, cancel)
        plan = answer.plan
        if plan is not None and plan.approval is Approval.PENDING:
            tell(State.AWAITING_APPROVAL)
            plan = self._approvals.wait(plan, cancel)
            if plan.approval is Approval.EXPIRED and cancel.is_set():
                answer = replace(
                    answer, code=Code.CANCELLED, message='cancelled while awaiting approval'
                )
        return self._finish(goal_handle, answer, plan)

    def _finish(self, goal_handle, answer: Answer, plan: Plan | None) -> Instruct.Result:
        result = Instruct.Result(error_code=int(answer.code), error_msg=answer.message)
        if plan is not None:
            result.plan = plan_to_message(plan, answer.capture.stamp if answer.capture else 0)
        if answer.code is Code.NONE:
            goal_handle.succeed()
            return result
        self._log_failure(answer)
        if goal_handle.is_cancel_requested:
            goal_handle.canceled()
        else:
            goal_handle.abort()
        return result

    # What goes out.

    def _deliver(self, answer: Answer, accepted: float, cancel: Event) -> Answer:
        """Publish a plan first, then what is made from it; returns what became of the answer."""
        plan = answer.plan
        if plan is None:
            return answer
        with self._newest:  # or an older plan could be the one that late subscribers get
            if cancel.is_set():
                return Answer(Code.CANCELLED, 'cancelled before the plan was published')
            self._stamps[plan.id] = answer.capture.stamp  # beside that of the plan that expires
            self._approvals.present(plan)
            self._stamps = {plan.id: answer.capture.stamp}
            self._last = plan.id, time.monotonic() - accepted
        self._diagnose()
        self.get_logger().info(
            f'{plan.status.value} after {self._last[1]:.3f} s (goal accepted to plan published): '
            f'{plan.instruction!r} -> {plan.say}'
        )
        self._say.publish(String(data=plan.say))
        try:
            self._illustrate(plan, answer)
        except Exception as error:  # a plan without its picture is a plan
            self.get_logger().error(f'the plan was not drawn: {type(error).__name__}: {error}')
        return answer

    def _illustrate(self, plan: Plan, answer: Answer) -> None:
        message = plan_to_message(plan, answer.capture.stamp)
        self._markers.publish(plan_markers(message))
        picture = CompressedImage(header=message.header, format='jpeg')
        # Plans about the same frame have one stamp: the picture itself says whose it is.
        drawn = draw_plan(answer.rgb, plan)
        picture.data = encode_jpeg(drawn, self.value('jpeg_quality'), comment=plan.id)
        self._annotated.publish(picture)

    def _publish_plan(self, plan: Plan) -> None:
        self._plan.publish(plan_to_message(plan, self._stamps[plan.id]))

    def _log_failure(self, answer: Answer) -> None:
        self.get_logger().warning(
            f'{answer.code.name}: {answer.message}', throttle_duration_sec=1.0
        )

    # Services.

    def _on_approve(self, request: Approve.Request, response: Approve.Response):
        try:
            plan = self._approvals.decide(request.id, request.hash, request.approve)
        except Exception as error:  # every refusal is an answer
            response.error_code, response.error_msg = int(code_of(error)), str(error)
        else:
            self.get_logger().info(
                f'plan {plan.id} was {plan.approval.value} by {request.approver or "somebody"}'
            )
        response.approval = approval_number(self._approvals.state(request.id))
        return response

    def _on_describe(self, request: Describe.Request, response: Describe.Response):
        with self._desk.errand() as cancel:
            answer = self._answerer.describe(
                request.question, request.language, request.camera, cancel
            )
        response.text = answer.text
        response.error_code, response.error_msg = int(answer.code), answer.message
        if answer.capture:
            response.header.stamp = time_message(answer.capture.stamp)
            response.header.frame_id = answer.capture.frame_id
        return response

    def _on_stop(self, _request, response: Trigger.Response):
        with self._newest:
            stopped = self._desk.stop_all()
            self._approvals.forget()
        response.success, response.message = True, f'{stopped} stopped'
        return response

    def _on_forget(self, _request, response: Trigger.Response):
        self._approvals.forget()
        self._cameras.clear()
        self._markers.publish(plan_markers(PlanMessage()))
        response.success, response.message = True, 'plan, markers and pictures forgotten'
        return response

    # Health.

    def _seconds(self) -> float:
        return self.get_clock().now().nanoseconds / 1e9

    def _diagnose(self) -> None:
        self._approvals.look_at_clock()
        reports = [
            diagnostics.model_report(self.value('model'), self._source.failure, self._source.ready),
            diagnostics.instructions_report(
                self._desk.length,
                self.value('queue_size'),
                self._desk.served,
                self._desk.turned_away,
                self._last,
            ),
            *self._cameras.reports(self._answerer.trouble),
        ]
        array = DiagnosticArray(status=[self._status(r) for r in reports])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    def _status(self, report: diagnostics.Report) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=bytes([report.level]),
            name=f'{self.get_name()}: {report.part}',
            message=report.message,
            hardware_id=self.value('model'),
            values=[KeyValue(key=key, value=value) for key, value in report.values],
        )


def main(args: Sequence[str] | None = None, load: Callable[[], Mind] | None = None) -> int:
    """Run the node until it is interrupted."""
    node: KimiNode | None = None

    def make() -> KimiNode:
        nonlocal node
        node = KimiNode(load)
        return node

    sys.setswitchinterval(_SWITCH_INTERVAL)
    return run(make, lambda: MultiThreadedExecutor(node.threads()), args)


if __name__ == '__main__':
    sys.exit(main())
