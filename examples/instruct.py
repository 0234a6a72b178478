#!/usr/bin/env python3
"""Give the node `kimi` one instruction and print the plan: instruct.py "pick up the red cup"."""

import sys

import rclpy
from rclpy.action import ActionClient

from kimi_msgs.action import Instruct
from kimi_msgs.msg import Plan

STATUS = {
    getattr(Plan, name): name.removeprefix('STATUS_').lower()
    for name in dir(Plan)
    if name.startswith('STATUS_')
}


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    rclpy.init()
    node = rclpy.create_node('instruct')
    client = ActionClient(node, Instruct, '/kimi/instruct')
    try:
        if not client.wait_for_server(timeout_sec=30.0):
            print('The node kimi does not run: start `kimi up` or kimi.launch.py.')
            return 1

        def on_feedback(message) -> None:
            print(f'  state {message.feedback.state}: {message.feedback.partial_text}')

        sent = client.send_goal_async(
            Instruct.Goal(instruction=sys.argv[1]), feedback_callback=on_feedback
        )
        rclpy.spin_until_future_complete(node, sent)
        answer = sent.result().get_result_async()
        rclpy.spin_until_future_complete(node, answer)
        result = answer.result().result
    finally:
        node.destroy_node()
        rclpy.try_shutdown()

    if result.error_code != Instruct.Result.NONE:
        print(f'error {result.error_code}: {result.error_msg}')
        return 1
    plan = result.plan
    print(f'{STATUS[plan.status]}: {plan.say}')
    labels = {thing.id: thing.label for thing in plan.objects}
    for number, step in enumerate(plan.steps, 1):
        print(f'{number}. {step.skill} {", ".join(labels[i] for i in step.object_ids)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
