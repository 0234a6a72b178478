#!/usr/bin/env python3
"""Show the newest plan that waits for a person, and send the decision: approve.py [yes|no]."""

import sys

import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from kimi_msgs.msg import Plan
from kimi_msgs.srv import Approve

LATCHED = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)


def main() -> int:
    rclpy.init()
    node = rclpy.create_node('approve')
    plans: list[Plan] = []
    node.create_subscription(Plan, '/kimi/plan', plans.append, LATCHED)
    client = node.create_client(Approve, '/kimi/approve')
    try:
        if not client.wait_for_service(timeout_sec=30.0):
            print('The node kimi does not run.')
            return 1
        for _ in range(50):  # five seconds
            rclpy.spin_once(node, timeout_sec=0.1)
            if plans:
                break
        if not plans or plans[-1].approval != Plan.APPROVAL_PENDING:
            print('No plan waits for a decision.')
            return 1
        plan = plans[-1]
        print(f'{plan.say}\nsteps: {", ".join(step.skill for step in plan.steps)}')
        decision = sys.argv[1] if len(sys.argv) > 1 else input('Approve? [yes/no] ')
        # The hash binds the decision to what was just printed.
        request = Approve.Request(
            id=plan.id, hash=plan.hash, approve=decision == 'yes', approver='approve.py'
        )
        future = client.call_async(request)
        rclpy.spin_until_future_complete(node, future)
        response = future.result()
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    if response.error_code != Approve.Response.NONE:
        print(f'error {response.error_code}: {response.error_msg}')
        return 1
    print('granted' if response.approval == Plan.APPROVAL_GRANTED else 'denied')
    return 0


if __name__ == '__main__':
    sys.exit(main())
