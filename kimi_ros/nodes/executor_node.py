"""The node `executor`: carries out approved plans of the node `kimi` by the robot's own actions.

It is optional, and the only node here that moves anything. It carries out a plan step by step,
looks again after each step, and stops at the first failure, at a newer plan, and on `~/stop`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from threading import Event, Lock, Thread
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import Empty, String
from std_srvs.srv import Trigger

from kimi_msgs.action import Instruct
from kimi_msgs.msg import GroundedObject, PlanStep
from kimi_msgs.msg import Plan as PlanMessage
from kimi_ros.agent import SkillCatalogue
from kimi_ros.nodes import qos
from kimi_ros.nodes.executor_actions import (
    MappingError,
    SkillAction,
    has_position,
    load_actions,
)
from kimi_ros.nodes.executor_checks import held_objects, refusal, unseen_effect
from kimi_ros.nodes.messages import plan_from_message
from kimi_ros.nodes.parameters import EXECUTOR_PARAMETERS, declare_parameters
from kimi_ros.nodes.runner import run_node
from kimi_ros.resources import share

_SERVER_TIMEOUT = 5.0  # seconds to wait for an action server
_CANCEL_TIMEOUT = 5.0  # seconds that a cancelled action has to end
_POLL_PERIOD = 0.05
_STEP_TIMEOUT = 60.0  # seconds, where the skill has no limit timeout_s
_WHERE = {'en': 'where is the {}?', 'zh': '{}在哪里？'}


class StoppedError(Exception):
    """Carrying out a plan ends here; the message says why."""


class ExecutorNode(Node):
    """Carries out one plan at a time, in a thread of its own."""

    def __init__(self, **options: Any):
        """Read the skills and the actions files.

        :param options: of rclpy.node.Node.
        :raises ValueError: if a file cannot be used.
        """
        super().__init__('executor', **options)
        declare_parameters(self, EXECUTOR_PARAMETERS)
        self._catalogue = SkillCatalogue.load(self._value('skills') or share('config/skills.yaml'))
        self._actions = load_actions(self._value('actions') or share('config/executor.yaml'))
        self._group = ReentrantCallbackGroup()
        self._clients: dict[str, Any] = {}
        self._lock = Lock()
        self._done: set[str] = set()  # ids of the plans that were begun
        self._current = ''
        self._stop = Event()
        self._reason = ''
        self._status = self.create_publisher(String, '~/status', qos.LATCHED)
        kimi = self._value('kimi').strip('/')
        self._looking = ActionClient(
            self,
            Instruct,
            f'{kimi}/instruct',
            callback_group=self._group,
            goal_service_qos_profile=qos.INSTRUCTIONS,
            result_service_qos_profile=qos.INSTRUCTIONS,
            cancel_service_qos_profile=qos.INSTRUCTIONS,
        )
        for kind, topic, callback, profile in (
            (PlanMessage, f'{kimi}/plan', self._on_plan, qos.LATCHED),
            (Empty, f'{kimi}/stopped', lambda _: self.stop(f'{kimi} was stopped'), qos.STATUS),
        ):
            self.create_subscription(kind, topic, callback, profile, callback_group=self._group)
        self.create_service(Trigger, '~/stop', self._on_stop, callback_group=self._group)

    def make_executor(self) -> MultiThreadedExecutor:
        """Return an executor for this node."""
        return MultiThreadedExecutor(4, context=self.context)

    def stop(self, reason: str) -> bool:
        """Cancel what the robot does; returns whether a plan was being carried out."""
        with self._lock:
            active = bool(self._current)
            if active and not self._stop.is_set():
                self._reason = reason
                self._stop.set()
            return active

    def drain(self, timeout: float) -> None:
        """Stop, and wait until the robot's action has ended.

        :param timeout: seconds.
        """
        self.stop('the executor ends')
        waited = Event()
        for _ in range(int(timeout / _POLL_PERIOD)):
            if not self._current:
                break
            waited.wait(_POLL_PERIOD)

    def _value(self, name: str) -> Any:
        return self.get_parameter(name).value

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        active = self.stop('told to stop')
        response.success, response.message = True, 'stopping' if active else 'nothing was done'
        return response

    def _on_plan(self, message: PlanMessage) -> None:
        plan = plan_from_message(message)
        if plan is None:  # ~/forget
            self.stop('the plan was forgotten')
            return
        if plan.id == self._current:
            if not plan.steps:
                self.stop(f'the plan was withdrawn: {plan.say}')
            return
        if not plan.steps:  # a question, an answer, a refusal
            return
        now = self.get_clock().now().nanoseconds / 1e9
        reason = refusal(
            plan, self._catalogue.hash, self._actions, now, self._value('max_plan_age')
        )
        if not reason and plan.id in self._done:
            return
        if reason:
            self._tell(f'plan {plan.id[:8]} is not carried out: {reason}')
            return
        self.stop('a newer plan came')
        with self._lock:
            self._done.add(plan.id)
        Thread(target=self._run, args=(message,), name='plan', daemon=True).start()

    def _run(self, message: PlanMessage) -> None:
        """Carry out a plan once the one before has ended."""
        waited = Event()
        while self._current:
            waited.wait(_POLL_PERIOD)
        with self._lock:
            self._current, self._reason = message.id, ''
            self._stop.clear()
        try:
            self._carry_out(message)
        except (StoppedError, MappingError) as error:
            self._tell(f'plan {message.id[:8]} stopped: {error}')
        except Exception as error:  # the node must be there for ~/stop
            self._tell(f'plan {message.id[:8]} stopped: {type(error).__name__}: {error}')
        else:
            self._tell(f'plan {message.id[:8]} done')
        finally:
            self._current = ''

    def _carry_out(self, plan: PlanMessage) -> None:
        things = {thing.id: thing for thing in plan.objects}
        stamp = plan.header.stamp
        for number, step in enumerate(plan.steps):
            involved = [things[i] for i in step.object_ids]
            names = ', '.join(thing.label for thing in involved)
            self._tell(f'plan {plan.id[:8]} step {number + 1}: {step.skill} {names}'.rstrip())
            self._act(step, self._actions[step.skill], involved, stamp)
            if not self._value('look_again'):
                continue
            before = {i: _metres(t) for i, t in things.items() if has_position(t)}
            rest = {i for later in plan.steps[number + 1 :] for i in later.object_ids}
            held = held_objects([done.expected_effect for done in plan.steps[: number + 1]])
            seen = self._look(plan, things, {*step.object_ids, *rest})
            after = {i: None if t is None else _metres(t) for i, t in seen.items()}
            if wrong := unseen_effect(step.expected_effect, before, after):
                raise StoppedError(f'{step.skill} did not do what it should: {wrong}')
            for object_id, thing in seen.items():
                if thing is not None:
                    things[object_id] = thing
                elif object_id in rest - held:
                    raise StoppedError(f'{things[object_id].label} is not to be seen any more')

    def _act(
        self,
        step: PlanStep,
        action: SkillAction,
        things: Sequence[GroundedObject],
        stamp: Any,
    ) -> None:
        """Send a step's goal and wait for its success."""
        goal = action.goal(step, things, stamp)
        client = self._clients.get(action.name)
        if client is None:
            client = ActionClient(self, action.kind, action.name, callback_group=self._group)
            self._clients[action.name] = client
        self._wait(client.server_is_ready, _SERVER_TIMEOUT, f'no action server {action.name}')
        limit = self._catalogue[step.skill].limits.get('timeout_s', _STEP_TIMEOUT)
        answer = self._send(client, goal, limit, step.skill)
        if answer.status != GoalStatus.STATUS_SUCCEEDED or getattr(answer.result, 'error_code', 0):
            told = getattr(answer.result, 'error_msg', '') or f'status {answer.status}'
            raise StoppedError(f'{step.skill} failed: {told}')

    def _look(
        self, plan: PlanMessage, things: Mapping[str, GroundedObject], ids: set[str]
    ) -> dict[str, GroundedObject | None]:
        """Return the objects as they are seen now; None for one that is not in view.

        A free place is no thing, and cannot be looked for.
        """
        found: dict[str, GroundedObject | None] = {}
        for object_id in sorted(ids):
            thing = things[object_id]
            if thing.box[0] != thing.box[0]:  # NaN: a free place
                continue
            text = _WHERE[plan.language].format(thing.label)
            self._wait(self._looking.server_is_ready, _SERVER_TIMEOUT, 'the node kimi is gone')
            goal = Instruct.Goal(instruction=text, language=plan.language)
            result = self._send(self._looking, goal, _STEP_TIMEOUT, 'looking again').result
            if result.error_code:
                raise StoppedError(f'looking again failed: {result.error_msg}')
            seen = [o for o in result.plan.objects if has_position(o)]
            seen = [o for o in seen if o.position_frame == thing.position_frame]
            if seen:
                nearest = min(seen, key=lambda o: _distance(o, thing))
                nearest.id = object_id
                found[object_id] = nearest
            elif not result.plan.objects:
                found[object_id] = None
        return found

    def _send(self, client: Any, goal: Any, timeout: float, what: str) -> Any:
        """Return the answer to a goal; cancel it when told to stop."""
        accepted = client.send_goal_async(goal)
        self._wait(accepted.done, _SERVER_TIMEOUT, f'{what}: no answer to the goal')
        handle = accepted.result()
        if not handle.accepted:
            raise StoppedError(f'{what}: the goal was rejected')
        result: Future[Any] = handle.get_result_async()
        try:
            self._wait(result.done, timeout, f'{what} took more than {timeout:g} s')
        except StoppedError:
            handle.cancel_goal_async()
            ended = Event()
            for _ in range(int(_CANCEL_TIMEOUT / _POLL_PERIOD)):
                if result.done() or ended.wait(_POLL_PERIOD):
                    break
            raise
        return result.result()

    def _wait(self, done: Any, timeout: float, what: str) -> None:
        for _ in range(int(timeout / _POLL_PERIOD) + 1):
            if self._stop.is_set():
                raise StoppedError(self._reason)
            if done():
                return
            self._stop.wait(_POLL_PERIOD)
        raise StoppedError(what)

    def _tell(self, text: str) -> None:
        self.get_logger().info(text)
        self._status.publish(String(data=text))


def _metres(thing: GroundedObject) -> tuple[float, float, float]:
    return thing.position.x, thing.position.y, thing.position.z


def _distance(one: GroundedObject, other: GroundedObject) -> float:
    if not has_position(other):
        return 0.0
    pairs = zip(_metres(one), _metres(other), strict=True)
    return sum((a - b) ** 2 for a, b in pairs)


def main(args: Sequence[str] | None = None) -> int:
    """Run the executor until it is interrupted."""
    return run_node(ExecutorNode, ExecutorNode.make_executor, args)


if __name__ == '__main__':
    sys.exit(main())
