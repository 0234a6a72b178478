"""The scripts in examples/ as a user runs them, beside a running node."""

import subprocess
import sys
from pathlib import Path

import pytest

from kimi_ros.agent import SkillCatalogue

EXAMPLES = Path(__file__).parents[2] / 'examples'
WAIT = 60.0


@pytest.fixture
def run_example(client, environment):
    """Run one to its end and return its exit status and what it printed."""

    def run(name, *arguments):
        done = subprocess.run(
            [sys.executable, EXAMPLES / name, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=WAIT,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def start_example(environment, tmp_path):
    """Start one; returns a function that gives what it has printed so far."""
    started = []

    def start(name, *arguments):
        log = tmp_path / f'{name}.log'
        with log.open('w') as file:
            process = subprocess.Popen(
                [sys.executable, EXAMPLES / name, *arguments],
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        return log.read_text

    yield start
    for process in started:
        process.terminate()
        process.wait(WAIT)


def test_instruct_prints_the_plan(run_example):
    status, printed = run_example('instruct.py', 'pick up the red cup')
    assert status == 0, printed
    assert 'ok: I will pick up the red cup.' in printed
    assert '1. pick red cup' in printed


def test_instruct_prints_an_error_with_its_number(run_example):
    status, printed = run_example('instruct.py', '...')
    assert status == 1
    assert 'error 901' in printed


def test_approve_decides_about_the_plan_that_waits(client, run_example, graph):
    from rclpy.action import ActionClient

    from kimi_msgs.action import Instruct

    # The action's result comes after the decision, so the goal is sent without waiting for it.
    action = ActionClient(graph.node, Instruct, '/kimi/instruct')
    graph.until(action.server_is_ready, 'the action')
    sent = action.send_goal_async(Instruct.Goal(instruction='pick up the knife'))
    goal = graph.result(sent, 'acceptance')
    answer = goal.get_result_async()
    graph.until(lambda: approved(run_example), 'a plan that waits')
    result = graph.result(answer, 'the result').result
    assert result.plan.approval == result.plan.APPROVAL_GRANTED
    action.destroy()


def approved(run_example):
    """Approve the plan that waits; False if none does yet."""
    status, text = run_example('approve.py', 'yes')
    if status:
        assert 'No plan waits' in text
        return False
    assert 'granted' in text
    return True


def test_executor_carries_out_approved_plans_only(client, start_example, graph):
    printed = start_example('executor.py')
    graph.until(lambda: 'executor' in graph.node.get_node_names(), 'the executor')
    client.instruct('pick up the red cup')
    graph.until(lambda: 'pick {' in printed(), 'the step')
    assert 'red cup at ' in printed()


def test_own_node_counts_what_it_sees(front, start_example, graph):
    from rclpy.qos import qos_profile_sensor_data
    from std_msgs.msg import Int32

    counts = graph.subscribe(Int32, '/count', qos_profile_sensor_data)
    printed = start_example('own_node.py', '--ros-args', '-r', 'image:=/front/image')
    graph.until(lambda: counts, f'a count; the example printed {printed()}')
    assert 0 <= counts[-1].data <= 10


def test_own_skills_are_a_catalogue():
    catalogue = SkillCatalogue.load(EXAMPLES / 'own_skills.yaml')
    assert [skill.name for skill in catalogue] == ['navigate_to', 'water', 'wave']
