"""The launch files and the lifecycle, by the real `ros2` command.

It comes with a ROS installation. Without one these tests are skipped: the wheels have none of
launch, launch_ros and ros2cli.
"""

import shutil
import signal
import subprocess
import sys

import pytest

WAIT = 180.0  # seconds, an upper bound for a loaded machine
SEED, WORDS = 2_000_001, 'put the yellow ball in the pink pan'


@pytest.fixture(scope='module')
def ros2(environment):
    """The beginning of a command line."""
    pytest.importorskip('launch_ros.actions', reason='launch_ros comes with a ROS installation')
    command = shutil.which('ros2')
    if command is None:
        pytest.skip('the command ros2 comes with a ROS installation')
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix

    try:
        get_package_prefix('kimi_ros')
    except PackageNotFoundError:
        pytest.skip('ros2 does not find kimi_ros: colcon build, and source install/setup.sh')
    return [sys.executable, command]


@pytest.fixture
def launched(ros2, tmp_path):
    """Start launch files; at the end, Ctrl-C must stop every node without an error."""
    log = tmp_path / 'launch.log'
    started = []

    def start(*arguments):
        with log.open('w') as file:
            command = [*ros2, 'launch', *arguments, 'sigterm_timeout:=60', 'sigkill_timeout:=60']
            process = subprocess.Popen(command, stdout=file, stderr=file)
        started.append(process)

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)
        assert process.wait(90.0) == 0, log.read_text()
    text = log.read_text()
    assert text.count('process has finished cleanly') == text.count('process started with'), text
    assert 'Traceback' not in text


def output(ros2, *arguments):
    """Return what a command prints."""
    done = subprocess.run([*ros2, *arguments], capture_output=True, text=True, timeout=WAIT)
    return f'{done.stdout}{done.stderr}'.strip()


def lifecycle(ros2, verb, *arguments):
    """Return what `ros2 lifecycle` prints once it has discovered the node."""
    for _ in range(10):
        printed = output(ros2, 'lifecycle', verb, '--no-daemon', *arguments)
        if printed != 'Node not found':
            break
    return printed


def test_demo_plans_and_obeys_the_lifecycle(ros2, launched, graph):
    from kimi_msgs.msg import Plan
    from kimi_ros.nodes import qos
    from kimi_ros.nodes.client import KimiClient

    launched('kimi_ros', 'demo.launch.py', 'seed:=2000003')
    plans = graph.subscribe(Plan, '/kimi/plan', qos.STATUS)
    with KimiClient() as client:
        client.wait_until_ready(WAIT)
    published = output(
        ros2, 'topic', 'pub', '-1', '-w', '1', '/instruction', 'std_msgs/msg/String',
        '{data: find the yellow ball}',
    )  # fmt: skip
    assert 'publishing #1' in published
    graph.until(lambda: plans, 'a plan', WAIT)
    assert lifecycle(ros2, 'get', '/kimi').startswith('active')
    assert lifecycle(ros2, 'set', '/kimi', 'deactivate') == 'Transitioning successful'
    assert lifecycle(ros2, 'get', '/kimi').startswith('inactive')


def test_robot_example_carries_an_instruction_out(launched, graph):
    from std_msgs.msg import String

    from kimi_msgs.msg import ExecutionStatus
    from kimi_ros.nodes import qos
    from kimi_ros.nodes.client import KimiClient

    launched('kimi_ros', 'robot_example.launch.py', f'seed:={SEED}')
    told = graph.subscribe(ExecutionStatus, '/executor/status', qos.STATUS)
    graph.until(lambda: graph.node.count_publishers('/executor/status'), 'the executor', WAIT)
    with KimiClient() as client:
        client.wait_until_ready(WAIT)
    words = graph.node.create_publisher(String, '/instruction', qos.INSTRUCTIONS)
    graph.until(words.get_subscription_count, 'the node')
    words.publish(String(data=WORDS))
    over = (ExecutionStatus.SUCCEEDED, ExecutionStatus.STOPPED, ExecutionStatus.FAILED)
    graph.until(lambda: told and told[-1].state in over, 'the end', WAIT)
    assert told[-1].state == ExecutionStatus.SUCCEEDED, told[-1].text
