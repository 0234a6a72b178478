"""Sends goals from many action clients at once and prints the error code of each result.

Usage: goal_burst.py ACTION CLIENTS START, the last a time on the system's clock.
"""

import json
import sys
import time

import rclpy
from rclpy.action import ActionClient

from kimi_msgs.action import Instruct
from kimi_ros.nodes import qos

WAIT = 60.0


def main(action, clients, start):
    rclpy.init()
    node = rclpy.create_node(f'burst_{time.monotonic_ns()}')
    profile = dict.fromkeys(
        ('goal_service_qos_profile', 'result_service_qos_profile'), qos.INSTRUCTIONS
    )
    burst = [ActionClient(node, Instruct, action, **profile) for _ in range(clients)]
    assert all(client.wait_for_server(WAIT) for client in burst)
    print('ready', flush=True)
    time.sleep(max(0.0, start - time.time()))
    results, handles = [], []

    def accepted(future):
        handles.append(future.result())
        handles[-1].get_result_async().add_done_callback(lambda f: results.append(f.result()))

    for client in burst:
        goal = Instruct.Goal(instruction='pick up the red cup')
        client.send_goal_async(goal).add_done_callback(accepted)
    deadline = time.monotonic() + WAIT
    while len(results) < clients and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(json.dumps([r.result.error_code for r in results]), flush=True)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
