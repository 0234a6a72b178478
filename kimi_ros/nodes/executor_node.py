"""The node `executor`: carries out approved plans of the node `kimi` by the robot's own actions.

It is optional, and the only node here that moves anything. It carries out one plan at a time, looks
again after each step, and stops at the first failure, at a newer plan, and on `~/stop`.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from threading import Condition, Thread
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.executors import MultiThreadedExecutor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Empty
from std_srvs.srv import Trigger

from kimi_msgs.msg import ExecutionStatus, GroundedObject
from kimi_msgs.msg import Plan as PlanMessage
from kimi_msgs.srv import FindObjects
from kimi_ros.agent import SkillCatalogue
from kimi_ros.agent.errors import CatalogueError
from kimi_ros.nodes import qos
from kimi_ros.nodes.diagnostics import Level, StatusReport
from kimi_ros.nodes.executor_actions import ActionsError, SkillAction, load_actions
from kimi_ros.nodes.executor_checks import refusal
from kimi_ros.nodes.managed_node import ManagedNode
from kimi_ros.nodes.messages import plan_from_message
from kimi_ros.nodes.parameters import EXECUTOR_PARAMETERS, declare_parameters
from kimi_ros.nodes.plan_execution import FailedError, PlanExecution, Stop, StoppedError
from kimi_ros.nodes.robot_actions import ANSWER_TIMEOUT, RobotActions, wait
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.stamps import seconds
from kimi_ros.resources import share

_LOOK_TIMEOUT = 60.0  # seconds
_END_TIMEOUT = 6.0  # seconds that a plan which is stopped has to end
_NEWER = 'a newer plan came'
_REMEMBERED = 1000  # plans that are not begun again
_STATES = {
    ExecutionStatus.REFUSED: 'refused',
    ExecutionStatus.RUNNING: 'running',
    ExecutionStatus.SUCCEEDED: 'succeeded',
    ExecutionStatus.STOPPED: 'stopped',
    ExecutionStatus.FAILED: 'failed',
}


class ExecutorNode(ManagedNode):
    """Takes plans while it is active, and carries them out in a thread of its own."""

    def __init__(self, **options: Any):
        """Create the interfaces, and start by itself where `autostart` says so.

        :param options: of rclpy.node.Node: context, namespace, parameter_overrides, ...
        """
        super().__init__('executor', **options)
        declare_parameters(self, EXECUTOR_PARAMETERS)
        self._catalogue = SkillCatalogue((), '')
        self._actions: dict[str, SkillAction] = {}
        self._robot: RobotActions | None = None  # while the node is active
        self._changed = Condition()
        self._current: PlanExecution | None = None
        self._next: PlanExecution | None = None
        self._stops = 0  # how often it was told to stop
        self._begun: deque[str] = deque(maxlen=_REMEMBERED)  # ids
        self._report = StatusReport('plan', Level.OK, 'no plan yet')
        group = self._callback_group
        self._status = self.publisher(ExecutionStatus, '~/status', qos.LATCHED)
        kimi = self.value('kimi').rstrip('/')
        # Only new plans: one from before this node was started may have been carried out.
        self.subscribe(PlanMessage, f'{kimi}/plan', self._on_plan, qos.STATUS)
        self.subscribe(Empty, f'{kimi}/stopped', self._on_kimi_stopped, qos.STATUS, group)
        self._find_objects: Any = self.create_client(
            FindObjects, f'{kimi}/find_objects', callback_group=group
        )
        self.create_service(Trigger, '~/stop', self._on_stop, callback_group=group)
        self.create_timer(1.0, lambda: self.publish_reports([self._state()], ''), group)
        Thread(target=self._work, name='plans', daemon=True).start()
        self.start()

    def make_executor(self) -> MultiThreadedExecutor:
        """Return an executor for this node."""
        return MultiThreadedExecutor(4, context=self.context)

    def _state(self) -> StatusReport:
        if self._robot is None:
            return StatusReport('plan', Level.ERROR, 'not active')
        return self._report

    def stop(self, reason: str) -> bool:
        """Stop the robot, and forget the plan that waits; returns whether there was any."""
        with self._changed:
            self._stops += 1
            plans = [p for p in (self._current, self._next) if p is not None]
            for execution in plans:
                execution.stop.set(reason)
        return bool(plans)

    def drain(self, timeout: float) -> None:
        """Stop, and wait until the robot's action has ended.

        :param timeout: seconds.
        """
        self._robot = None  # no plan is begun any more
        self.stop('the executor ends')
        with self._changed:
            self._changed.wait_for(lambda: self._current is self._next is None, timeout)

    # Lifecycle.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the skills and the actions; FAILURE, with the reason in the log, if they are bad."""
        try:
            skills = self.value('skills') or share('config/skills.yaml')
            self._catalogue = SkillCatalogue.load(skills)
            actions = self.value('actions') or share('config/executor.yaml')
            self._actions = load_actions(actions, self._catalogue)
        except (CatalogueError, ActionsError) as error:
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Accept plans."""
        self._robot = RobotActions(self, self._actions, self._catalogue, self._callback_group)
        return super().on_activate(state)

    def _deactivate(self) -> None:
        """Stop the robot, and accept no more plans."""
        robot, self._robot = self._robot, None
        self.drain(_END_TIMEOUT)
        if robot is not None:
            robot.destroy()

    # Accepting plans.

    def _on_plan(self, message: PlanMessage) -> None:
        stops = self._stops
        if (robot := self._robot) is None:
            return
        plan = plan_from_message(message)
        if plan is None:
            self.stop('the plan was forgotten')
            return
        if self._is_known(message) or not plan.steps:  # without steps: an answer, a question
            return
        execution = PlanExecution(
            message,
            robot,
            self._find if self.value('look_again') else None,
            self.value('max_move'),
        )
        if reason := self._refusal(message):
            self._tell(execution, ExecutionStatus.REFUSED, reason)
        else:
            self._take(execution, robot, stops)

    def _is_known(self, message: PlanMessage) -> bool:
        """Return whether a plan was taken before; one that goes on ends if it was withdrawn."""
        with self._changed:
            for known in (self._current, self._next):
                if known is not None and known.plan.id == message.id:
                    if message.approval != known.plan.approval:
                        known.stop.set(f'the plan was withdrawn: {message.say}')
                    return True
        return message.id in self._begun

    def _take(self, execution: PlanExecution, robot: RobotActions, stops: int) -> None:
        """Let a plan follow the one that goes on, which is stopped.

        :param robot: that of the moment at which the plan came.
        :param stops: how often it had been told to stop at that moment.
        """
        replaced = None
        with self._changed:
            self._begun.append(execution.plan.id)
            # A stop that came while the plan was looked at is for it, too.
            ended = self._robot is not robot or self._stops != stops
            if not ended:
                self.stop(_NEWER)
                replaced, self._next = self._next, execution
                self._changed.notify_all()
        if ended:
            self._tell(execution, ExecutionStatus.STOPPED, 'told to stop before it began')
        if replaced is not None:
            self._tell(replaced, ExecutionStatus.STOPPED, _NEWER)

    def _refusal(self, message: PlanMessage) -> str:
        """Return why a plan must not be carried out now, or ''."""
        plan = plan_from_message(message)
        assert plan is not None
        now = seconds(self.get_clock().now().nanoseconds)
        max_age = self.value('max_plan_age')
        if reason := refusal(plan, self._catalogue.hash, self._actions, now, max_age):
            return reason
        objects = {item.id: item for item in message.objects}
        stamps = dict.fromkeys(objects, message.header.stamp)
        try:  # a robot does not begin what it cannot end
            for step in message.steps:
                involved = [objects[i] for i in step.object_ids]
                self._actions[step.skill].goal(step, involved, stamps)
        except ActionsError as error:
            return str(error)
        return ''

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        active = self.stop('told to stop')
        response.success, response.message = True, 'stopping' if active else 'nothing to stop'
        return response

    def _on_kimi_stopped(self, _message: Empty) -> None:
        self.stop(f'{self.value("kimi")} was stopped')

    # Carrying them out.

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next is not None)
                self._current, self._next = self._next, None
                execution = self._current
            assert execution is not None
            self._carry_out(execution)
            with self._changed:
                self._current = None
                self._changed.notify_all()

    def _carry_out(self, execution: PlanExecution) -> None:
        def on_step(text: str) -> None:
            self._tell(execution, ExecutionStatus.RUNNING, text)

        state, text = ExecutionStatus.SUCCEEDED, 'done'
        try:
            # It may have waited until the robot had stopped.
            if reason := self._refusal(execution.plan):
                self._tell(execution, ExecutionStatus.REFUSED, reason)
                return
            execution.run(on_step)
        except StoppedError as error:
            state, text = ExecutionStatus.STOPPED, str(error)
        except (FailedError, ActionsError) as error:
            state, text = ExecutionStatus.FAILED, str(error)
        except Exception as error:  # the node has to be there for the next plan
            state, text = ExecutionStatus.FAILED, f'{type(error).__name__}: {error}'
        self._tell(execution, state, text)

    def _find(
        self, plan: PlanMessage, objects: Sequence[GroundedObject], stop: Stop
    ) -> tuple[Time, Sequence[GroundedObject]]:
        """Ask `kimi` where objects of a plan are now."""
        client = self._find_objects
        wait(client.service_is_ready, stop, ANSWER_TIMEOUT, f'{client.srv_name} is not there')
        now = self.get_clock().now().to_msg()  # the step has ended
        request = FindObjects.Request(plan_id=plan.id, objects=list(objects), after=now)
        future = client.call_async(request)
        wait(future.done, stop, _LOOK_TIMEOUT, f'{client.srv_name} does not answer')
        response = future.result()
        if response.error_code:
            raise FailedError(f'looking again failed: {response.error_msg}')
        return response.header.stamp, response.objects

    def _tell(self, execution: PlanExecution, state: int, text: str) -> None:
        status = ExecutionStatus(
            stamp=self.get_clock().now().to_msg(),
            plan_id=execution.plan.id,
            state=state,
            step=execution.step,
            text=text,
        )
        self._status.publish(status)
        line = f'plan {status.plan_id}, step {status.step}, {_STATES[state]}: {text}'
        if state in (ExecutionStatus.REFUSED, ExecutionStatus.FAILED):
            self.get_logger().warning(line)
            self._report = StatusReport('plan', Level.WARN, line)
        else:
            self.get_logger().info(line)
            self._report = StatusReport('plan', Level.OK, line)


def main(args: Sequence[str] | None = None) -> int:
    """Run the executor until it is interrupted."""
    return run_node(ExecutorNode, ExecutorNode.make_executor, args)


if __name__ == '__main__':
    sys.exit(main())
