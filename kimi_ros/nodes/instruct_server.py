"""The action ~/instruct: goals, feedback, cancelling, and exactly one result for each goal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from kimi_msgs.action import Instruct
from kimi_ros.agent import Approval, Plan, State
from kimi_ros.nodes import qos
from kimi_ros.nodes.codes import ErrorCode
from kimi_ros.nodes.messages import plan_to_message
from kimi_ros.nodes.plan_publisher import PlanPublisher
from kimi_ros.nodes.request_handler import Outcome, RequestHandler
from kimi_ros.nodes.request_queue import RequestQueue

_LINGER = 0.3  # seconds that late requests for results are still answered at the end
_RESULT_TIMEOUT = 300  # seconds that a goal's result is kept for clients that ask late


class InstructServer:
    """Serves the action with a RequestHandler, which may come and go."""

    def __init__(
        self,
        node: Node,
        queue: RequestQueue,
        publisher: PlanPublisher,
        handler: Callable[[], RequestHandler | None],
        callback_group: CallbackGroup,
        *,
        on_plan: Callable[[], None],
        on_error: Callable[[Outcome], None],
    ):
        """Create the action server.

        :param handler: returns the present handler; None rejects goals.
        :param on_plan: called when a plan is published.
        :param on_error: called with every outcome that has an error code.
        """
        self._queue = queue
        self._publisher = publisher
        self._handler = handler
        self._on_plan = on_plan
        self._on_error = on_error
        self._logger = node.get_logger()
        self._cancel_events: dict[bytes, Event] = {}  # by goal id
        self._accepted_at: dict[bytes, float] = {}
        self._handlers: dict[bytes, RequestHandler | None] = {}
        self._draining = False
        self._server = ActionServer(
            node,
            Instruct,
            '~/instruct',
            self._execute,
            callback_group=callback_group,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
            goal_service_qos_profile=qos.INSTRUCTIONS,
            result_service_qos_profile=qos.INSTRUCTIONS,
            cancel_service_qos_profile=qos.INSTRUCTIONS,
            feedback_pub_qos_profile=qos.FEEDBACK,
            result_timeout=_RESULT_TIMEOUT,
        )

    def finish_goals(self, timeout: float) -> None:
        """Cancel all goals and wait until each has its result.

        :param timeout: seconds.
        """
        deadline = time.monotonic() + timeout
        while self._accepted_at and time.monotonic() < deadline:
            with self._publisher.lock:
                self._queue.cancel_all()
            time.sleep(0.02)
        if self._accepted_at:
            self._logger.error(f'{len(self._accepted_at)} goals end without a result')

    def drain(self, timeout: float) -> None:
        """Reject new goals, finish the others, and let their results reach the clients."""
        self._draining = True
        self.finish_goals(timeout)
        time.sleep(_LINGER)

    def _on_goal(self, _goal: Instruct.Goal) -> GoalResponse:
        if self._draining or self._handler() is None:
            self._logger.warning('a goal was rejected: the node is not active')
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_accepted(self, goal_handle: Any) -> None:
        goal_id = bytes(goal_handle.goal_id.uuid)
        self._accepted_at[goal_id] = time.monotonic()
        self._handlers[goal_id] = self._handler()
        # The goal can be cancelled before a thread is free to execute it.
        self._queue.register(self._cancel_events.setdefault(goal_id, Event()))
        try:
            goal_handle.execute()
        except Exception:  # a cancel request came in between: rclpy accepts the second call
            goal_handle.execute()

    def _on_cancel(self, goal_handle: Any) -> CancelResponse:
        # A cancel request may arrive before execution begins.
        goal_id = bytes(goal_handle.goal_id.uuid)
        cancel = self._cancel_events.setdefault(goal_id, Event())
        with self._publisher.lock:
            self._queue.cancel(cancel)
        return CancelResponse.ACCEPT

    def _execute(self, goal_handle: Any) -> Instruct.Result:
        goal_id = bytes(goal_handle.goal_id.uuid)
        try:
            with self._queue.track(self._cancel_events[goal_id]) as cancel:
                return self._run(goal_handle, self._accepted_at[goal_id], cancel)
        except Exception as error:  # rclpy would send an empty result, which looks like success
            outcome = Outcome(ErrorCode.UNKNOWN, f'{type(error).__name__}: {error}')
            return self._finish(goal_handle, outcome, None)
        finally:
            for entries in (self._cancel_events, self._accepted_at, self._handlers):
                entries.pop(goal_id, None)

    def _run(self, goal_handle: Any, accepted_at: float, cancel: Event) -> Instruct.Result:
        handler = self._handlers[bytes(goal_handle.goal_id.uuid)]
        if handler is None:
            outcome = Outcome(ErrorCode.CANCELLED, 'the node is not active any more')
            return self._finish(goal_handle, outcome, None)
        goal = goal_handle.request
        feedback = Instruct.Feedback()

        def publish_feedback(state: State | None = None, text: str | None = None) -> None:
            feedback.state = feedback.state if state is None else int(state)
            feedback.partial_text = feedback.partial_text if text is None else text
            goal_handle.publish_feedback(feedback)

        outcome = handler.instruct(
            goal.instruction,
            goal.language,
            goal.camera,
            cancel,
            on_state=publish_feedback,
            on_text=lambda text: publish_feedback(text=text),
        )
        outcome = self._publisher.publish(outcome, accepted_at, cancel, self._on_plan)
        plan = outcome.plan
        if plan is not None and plan.approval is Approval.PENDING:
            publish_feedback(State.AWAITING_APPROVAL, self._publisher.sentence(plan))
            plan = self._publisher.approvals.wait(plan, cancel)
            code, message = _end_of_waiting(plan, cancel)
            outcome = replace(outcome, code=code, message=message)
        return self._finish(goal_handle, outcome, plan)

    def _finish(self, goal_handle: Any, outcome: Outcome, plan: Plan | None) -> Instruct.Result:
        result = Instruct.Result(error_code=int(outcome.code), error_msg=outcome.message)
        if plan is not None:
            result.plan = plan_to_message(plan, outcome.frame.stamp if outcome.frame else 0)
        if outcome.code is not ErrorCode.NONE:
            self._on_error(outcome)
        if not goal_handle.is_active:  # an error after the goal had ended
            return result
        if outcome.code is ErrorCode.NONE:
            goal_handle.succeed()
        elif goal_handle.is_cancel_requested:
            goal_handle.canceled()
        else:
            goal_handle.abort()
        return result


def _end_of_waiting(plan: Plan, cancel: Event) -> tuple[ErrorCode, str]:
    """Return how the action ends after a plan waited: only a granted plan succeeds."""
    if plan.approval is Approval.GRANTED:
        return ErrorCode.NONE, ''
    if plan.approval is Approval.DENIED:
        return ErrorCode.DENIED, 'a person denied the plan'
    if cancel.is_set():
        return ErrorCode.CANCELLED, 'cancelled while awaiting approval'
    reason = plan.reason_codes[-1]
    return ErrorCode.WAITED_IN_VAIN, f'{reason}: {plan.say}'
