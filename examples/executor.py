#!/usr/bin/env python3
"""Carry out the plans of the node `kimi` that may be carried out: executor.py [SKILLS_FILE]."""

import json
import sys

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time

from kimi_msgs.msg import GroundedObject, Plan, PlanStep
from kimi_ros import SkillCatalogue
from kimi_ros.resources import share

LATCHED = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)


class Executor(Node):
    """Prints the steps of every plan that may be executed; an arm would move instead."""

    def __init__(self, catalogue: SkillCatalogue):
        super().__init__('executor')
        self._catalogue = catalogue
        self._done: set[str] = set()
        self.create_subscription(Plan, '/kimi/plan', self._on_plan, LATCHED)

    def _on_plan(self, plan: Plan) -> None:
        if reason := self._why_not(plan):
            self.get_logger().info(f'plan {plan.id[:8]} is not executed: {reason}')
            return
        self._done.add(plan.id)
        objects = {thing.id: thing for thing in plan.objects}
        for step in plan.steps:
            self.carry_out(step, [objects[i] for i in step.object_ids])

    def _why_not(self, plan: Plan) -> str:
        """Return why a plan must not be executed, or ''."""
        if plan.status != Plan.STATUS_OK:
            return f'status {plan.status}: {plan.say}'
        if plan.approval not in (Plan.APPROVAL_NOT_NEEDED, Plan.APPROVAL_GRANTED):
            return 'it is not approved'
        if plan.catalogue_hash != self._catalogue.hash:
            return 'it was made with another skills file'
        expires = Time.from_msg(plan.expires, clock_type=self.get_clock().clock_type)
        if expires.nanoseconds and self.get_clock().now() > expires:
            return 'it has expired'
        return 'it was executed before' if plan.id in self._done else ''

    def carry_out(self, step: PlanStep, things: list[GroundedObject]) -> None:
        """Replace this by calls of your actions: NavigateToPose, MoveIt, a policy server."""
        described = []
        for thing in things:
            if thing.depth_status in (GroundedObject.DEPTH_OK, GroundedObject.DEPTH_NO_TRANSFORM):
                p = thing.position
                place = f'({p.x:.3f}, {p.y:.3f}, {p.z:.3f}) m in {thing.position_frame}'
            else:
                place = f'pixel ({thing.point[0]:.0f}, {thing.point[1]:.0f})'
            described.append(f'{thing.label} at {place}')
        self.get_logger().info(
            f'{step.skill} {json.loads(step.arguments_json)}: {"; ".join(described)}'
        )


def main() -> None:
    file = sys.argv[1] if len(sys.argv) > 1 else share('config/skills.yaml')
    rclpy.init()
    node = Executor(SkillCatalogue.load(file))
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
