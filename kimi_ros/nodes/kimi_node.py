"""The node `kimi`: images and instructions in, grounded plans out. It never drives the robot.

A managed (lifecycle) node: configuring loads the model, activating subscribes to the cameras,
deactivating cancels all requests and unsubscribes, cleaning up frees the model. With the parameter
`autostart`, the default, it configures and activates itself, and loads the model in the background.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Empty, String
from std_srvs.srv import Trigger

from kimi_msgs.srv import Approve, Describe, FindObjects, Locate
from kimi_ros.agent import Plan, Reason
from kimi_ros.agent.errors import RulesChangedError, SceneChangedError
from kimi_ros.agent.planners import RemoteSettings
from kimi_ros.nodes import diagnostics, qos
from kimi_ros.nodes.camera_intake import IntakeGroup
from kimi_ros.nodes.cameras import CameraSubscriptions
from kimi_ros.nodes.codes import ErrorCode, RequestError, error_code_of
from kimi_ros.nodes.conversation import Conversation
from kimi_ros.nodes.executor import RequestExecutor
from kimi_ros.nodes.frame_decoder import FrameDecoder
from kimi_ros.nodes.instruct_server import InstructServer
from kimi_ros.nodes.log_throttle import LogThrottle, escaped
from kimi_ros.nodes.managed_node import ManagedNode
from kimi_ros.nodes.messages import (
    approval_number,
    object_from_message,
    object_to_message,
    time_message,
)
from kimi_ros.nodes.model_loader import ModelBundle, ModelLoader, load_bundle
from kimi_ros.nodes.parameters import KIMI_PARAMETERS, declare_parameters
from kimi_ros.nodes.plan_publisher import PlanPublisher
from kimi_ros.nodes.request_handler import Found, FrameLimits, Outcome, RequestHandler
from kimi_ros.nodes.request_queue import RequestQueue
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.stamps import nanoseconds, seconds
from kimi_ros.nodes.transforms import CameraPoseLookup

_EXTRA_THREADS = 4  # besides one per request: cancel requests, services, timers
_REPEAT_PERIOD = 1.0  # seconds between equal messages in the log
_BUSY_PERIOD = 5.0  # seconds between announcements on ~/say that the node is busy
_FINISH_TIMEOUT = 10.0  # seconds that deactivating waits for the results of cancelled goals
_REMOTE = ('url', 'model', 'key_env', 'timeout', 'retries', 'send_image', 'language', 'options')
_INACTIVE = 'the node is not active: activate it (ros2 lifecycle set)'
# Seconds that a thread keeps the interpreter while others want it. A plan takes hundreds of calls
# of the model, and after each it waits for rclpy's executor, busy with images: with Python's 5 ms
# the slowest plan of 25 took up to 2.2 s, with this up to 0.3 s (two cores).
_SWITCH_INTERVAL = 0.0005


class KimiNode(ManagedNode):
    """Connects topics, services and the action to a RequestHandler while it is active."""

    def __init__(self, load: Callable[[], ModelBundle] | None = None, **options: Any):
        """Create publishers and servers, and start by itself where `autostart` says so.

        :param load: returns the model bundle, instead of what the parameters name.
        :param options: of rclpy.node.Node: context, namespace, parameter_overrides, ...
        """
        super().__init__('kimi', **options)
        declare_parameters(self, KIMI_PARAMETERS)
        self._load = load or self._load_from_parameters
        self._loader: ModelLoader | None = None
        self._cameras: CameraSubscriptions | None = None
        self._handler: RequestHandler | None = None
        self._camera_group = IntakeGroup()
        self._queue = RequestQueue(self.value('queue_size'))
        self._conversation = Conversation(
            lambda: self.value('conversation_turns'), lambda: self.value('conversation_timeout')
        )
        self._busy_announced = float('-inf')
        self._throttle = LogThrottle(_REPEAT_PERIOD)
        self._publisher = PlanPublisher(self, self._seconds)
        self._stopped = self.publisher(Empty, '~/stopped', qos.STATUS)
        base_frame = self.value('base_frame')
        poses = CameraPoseLookup(self, base_frame)
        self._decoder = FrameDecoder(poses, base_frame, lambda: self.value('distortion'))
        self._create_servers()
        self.create_timer(1.0, self._publish_diagnostics, MutuallyExclusiveCallbackGroup())
        self._wait_for_model = not self.value('autostart')
        self.start()
        self._wait_for_model = True

    def make_executor(self) -> RequestExecutor:
        """Return an executor with the threads needed: queued, awaiting approval, and extra ones."""
        return RequestExecutor(
            self.value('queue_size') + 2 + _EXTRA_THREADS,
            short=[self._camera_group],
            on_error=lambda error: self._log_failure(
                f'a callback failed: {type(error).__name__}: {error}'
            ),
            context=self.context,
        )

    def drain(self, timeout: float) -> None:
        """Reject new goals, cancel the others, and wait until each has its result.

        :param timeout: seconds.
        """
        self._instruct.drain(timeout)

    # Lifecycle.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model; FAILURE, with the reason in the log, if that does not work."""
        self._loader = ModelLoader(self._load, self._log_failure)
        if self._wait_for_model:
            self._loader.wait()
            if self._loader.error is not None:
                self._loader = None
                return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the cameras and accept requests."""
        if self._loader is None:
            return TransitionCallbackReturn.FAILURE
        self._cameras = CameraSubscriptions(self, self._camera_group)
        self._handler = RequestHandler(
            self._loader,
            self._cameras.buffers,
            self._queue,
            self._decoder,
            now=lambda: self.get_clock().now().nanoseconds,
            limits=lambda: FrameLimits(self.value('max_frame_age'), self.value('frame_wait')),
            conversation=self._conversation,
        )
        return super().on_activate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model."""
        if self._loader is not None:
            self._loader.close()
        self._loader = None
        return super().on_cleanup(state)

    def _deactivate(self) -> None:
        """Cancel all requests, which get their results, and unsubscribe from the cameras."""
        self._handler = None
        self._conversation.clear()
        self._instruct.finish_goals(_FINISH_TIMEOUT)
        self._publisher.clear()
        if self._cameras is not None:
            self._cameras.destroy()
        self._cameras = None

    # Setup.

    def _load_from_parameters(self) -> ModelBundle:
        names = ('model', 'device', 'threads', 'skills', 'policy', 'planner', 'read_text')
        values = {name: self.value(name) for name in names}
        remote = None
        if values['planner'] == 'remote':
            settings = {name: self.value(f'remote_{name}') for name in _REMOTE}
            remote = RemoteSettings(**settings)
        bundle = load_bundle(**values, clock=self._seconds, remote=remote)
        self.get_logger().info(f'model {self.value("model")} loaded')
        return bundle

    def _create_servers(self) -> None:
        group = self._callback_group
        self._instruct = InstructServer(
            self,
            self._queue,
            self._publisher,
            lambda: self._handler,
            group,
            on_plan=self._publish_diagnostics,
            on_error=self._log_error,
        )
        self.subscribe(String, 'instruction', self._on_instruction, qos.INSTRUCTIONS, group)
        for kind, name, callback in (
            (Approve, '~/approve', self._on_approve),
            (Describe, '~/describe', self._on_describe),
            (FindObjects, '~/find_objects', self._on_find_objects),
            (Locate, '~/locate', self._on_locate),
            (Trigger, '~/stop', self._on_stop),
            (Trigger, '~/forget', self._on_forget),
        ):
            self.create_service(kind, name, callback, callback_group=group)

    # The instruction topic.

    def _on_instruction(self, message: String) -> None:
        accepted_at = time.monotonic()
        if (handler := self._handler) is None:
            self._log_error(Outcome(ErrorCode.UNKNOWN, _INACTIVE))
            return
        with self._queue.track() as cancel:
            outcome = handler.instruct(message.data, '', '', cancel, lambda _: None, lambda _: None)
            outcome = self._publisher.publish(
                outcome, accepted_at, cancel, self._publish_diagnostics
            )
        if outcome.plan is None:
            # A topic has no result: ~/say is the only place to report an error.
            self._log_error(outcome)
            if self._should_announce(outcome.code):
                self._publisher.say(outcome.message)

    def _should_announce(self, code: ErrorCode) -> bool:
        """Return False for repeated BUSY errors, which are announced once per _BUSY_PERIOD."""
        if code is not ErrorCode.BUSY:
            return True
        with self._publisher.lock:
            due = time.monotonic() - self._busy_announced >= _BUSY_PERIOD
            if due:
                self._busy_announced = time.monotonic()
        return due

    def _log_failure(self, text: str) -> None:
        self.get_logger().error(text)

    def _log_error(self, outcome: Outcome) -> None:
        text = f'{outcome.code.name}: {outcome.message}'
        if text := self._throttle.text(text, text):
            self.get_logger().warning(text)

    # Services.

    def _on_approve(self, request: Approve.Request, response: Approve.Response) -> Approve.Response:
        approvals = self._publisher.approvals
        decision = request.id, request.hash, request.approve, request.voice, request.read_back
        try:
            approvals.check(*decision)
            if request.approve:
                self._look_again(approvals.get(request.id))
            plan = approvals.decide(*decision)
        except Exception as error:  # every rejection is a response
            response.error_code, response.error_msg = int(error_code_of(error)), str(error)
        else:
            self.get_logger().info(
                f'plan {plan.id} {plan.approval.value} by {escaped(request.approver) or "unknown"}'
                + (' (voice)' if request.voice else '')
            )
        response.approval = approval_number(approvals.state(request.id))
        return response

    def _look_again(self, plan: Plan) -> None:
        """Withdraw a plan that waits, and raise why, if it does not hold any more."""
        look = self._publisher.look(plan.id)
        if (handler := self._handler) is None or look is None or look.snapshot is None:
            raise RequestError(ErrorCode.UNKNOWN, _INACTIVE)
        try:
            with self._queue.track() as cancel:
                handler.look_again(plan, look.camera, look.snapshot, cancel)
        except SceneChangedError:
            self._publisher.approvals.withdraw(plan.id, Reason.SCENE_CHANGED)
            raise
        except RulesChangedError:
            self._publisher.approvals.withdraw(plan.id, Reason.RULES_CHANGED)
            raise

    def _on_describe(
        self, request: Describe.Request, response: Describe.Response
    ) -> Describe.Response:
        if (handler := self._handler) is None:
            outcome = Outcome(ErrorCode.UNKNOWN, _INACTIVE)
        else:
            with self._queue.track() as cancel:
                outcome = handler.describe(
                    request.question, request.language, request.camera, cancel
                )
        response.text = outcome.text
        response.error_code, response.error_msg = int(outcome.code), outcome.message
        if outcome.frame:
            response.header.stamp = time_message(outcome.frame.stamp)
            response.header.frame_id = outcome.frame.frame_id
        return response

    def _on_find_objects(
        self, request: FindObjects.Request, response: FindObjects.Response
    ) -> FindObjects.Response:
        def find(cancel: Event) -> Found:
            look = self._publisher.look(request.plan_id)
            if look is None:
                raise RequestError(
                    ErrorCode.NO_SUCH_PLAN, f'there is no plan {request.plan_id!r} of this node'
                )
            handler = self._active_handler()
            objects = [object_from_message(item) for item in request.objects]
            after = nanoseconds(request.after)
            return handler.find_objects(objects, look.camera, after, cancel)

        return self._answer_with_objects(response, find)

    def _on_locate(self, request: Locate.Request, response: Locate.Response) -> Locate.Response:
        def find(cancel: Event) -> Found:
            names = [name for name in request.names if name.strip()]
            return self._active_handler().locate(names, request.camera, cancel)

        return self._answer_with_objects(response, find)

    def _active_handler(self) -> RequestHandler:
        if (handler := self._handler) is None:
            raise RequestError(ErrorCode.UNKNOWN, _INACTIVE)
        return handler

    def _answer_with_objects(self, response: Any, find: Callable[[Event], Found]) -> Any:
        """Fill in the response of a service that looks for objects."""
        try:
            with self._queue.track() as cancel:
                frame, found = find(cancel)
        except Exception as error:  # every failure is a response
            response.error_code, response.error_msg = int(error_code_of(error)), str(error)
            return response
        response.header.stamp = time_message(frame.stamp)
        response.header.frame_id = frame.frame_id
        response.objects = [object_to_message(item) for item in found]
        return response

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._publisher.lock:
            cancelled = self._queue.cancel_all()
            self._publisher.approvals.clear()
        self._stopped.publish(Empty())
        response.success, response.message = True, f'{cancelled} requests cancelled'
        return response

    def _on_forget(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._publisher.clear()
        self._conversation.clear()
        if (cameras := self._cameras) is not None:
            cameras.clear()
        response.success = True
        response.message = 'plan, markers, images and conversation cleared'
        return response

    # Diagnostics.

    def _seconds(self) -> float:
        return seconds(self.get_clock().now().nanoseconds)

    def _publish_diagnostics(self) -> None:
        self._publisher.approvals.check_expiry()
        loader, cameras = self._loader, self._cameras
        reports = [
            diagnostics.model_report(
                self.value('model'),
                loader.error if loader is not None else None,
                loader.ready if loader is not None else None,
            ),
            diagnostics.instructions_report(
                self._queue.length,
                self.value('queue_size'),
                self._queue.completed,
                self._queue.rejected,
                self._publisher.last,
                active=self._handler is not None,
            ),
            diagnostics.approval_report(
                [(p, self._publisher.command(p)) for p in self._publisher.approvals.waiting()]
            ),
            *(cameras.reports(self._decoder) if cameras is not None else ()),
        ]
        self.publish_reports(reports, self.value('model'))


def main(args: Sequence[str] | None = None, load: Callable[[], ModelBundle] | None = None) -> int:
    """Run the node until it is interrupted."""
    sys.setswitchinterval(_SWITCH_INTERVAL)
    return run_node(lambda: KimiNode(load), KimiNode.make_executor, args)


if __name__ == '__main__':
    sys.exit(main())
