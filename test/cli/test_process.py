"""Environments and processes of nodes."""

import contextlib
import os
import socket
import subprocess
import sys
import time

import pytest

from kimi_ros.process import NodeProcess, ProcessEndedError, isolated, large_images, ros_arguments

SLEEP = ['-n', '1', 'import time; time.sleep(600)']


def test_fast_dds_is_configured_unless_it_already_is():
    assert os.path.isfile(large_images({})['FASTDDS_DEFAULT_PROFILES_FILE'])
    for distribution in ('humble', 'jazzy'):
        changed = large_images({'ROS_DISTRO': distribution})
        assert os.path.isfile(changed['FASTRTPS_DEFAULT_PROFILES_FILE'])
    for name in ('FASTDDS_BUILTIN_TRANSPORTS', 'FASTDDS_DEFAULT_PROFILES_FILE'):
        assert large_images({name: 'mine'}) == {name: 'mine'}


def test_isolated_graph_is_local_in_a_valid_domain():
    changed = isolated({})
    assert changed['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert 1 <= int(changed['ROS_DOMAIN_ID']) <= 101


def test_isolated_graph_avoids_used_domains():
    with contextlib.ExitStack() as stack:
        for domain in range(1, 101):
            taken = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            if domain != 42:
                with contextlib.suppress(OSError):  # somebody else is in it already
                    taken.bind(('', 7410 + 250 * domain + 2 * (domain % 20)))
        assert isolated({'ROS_DOMAIN_ID': '7'})['ROS_DOMAIN_ID'] == '42'


def test_parameters_keep_their_types():
    arguments = ros_arguments({'pose': [0.0, 1e-7, 2.0], 'seed': 3, 'model': 'nano', 'voice': ''})
    pose = 'pose:=[0.000000000, 0.000000100, 2.000000000]'
    given = [pose, 'seed:=3', 'model:=nano', 'voice:=""']
    assert arguments == ['--ros-args', *(part for rule in given for part in ('-p', rule))]


def test_process_is_stopped_and_reports_its_end(tmp_path):
    process = NodeProcess('timeit', SLEEP, os.environ, tmp_path / 'log')
    process.check()
    process.stop()
    assert process.ended() is not None
    process.stop()
    with pytest.raises(ProcessEndedError, match='timeit has ended'):
        process.check()


def test_log_tail_of_a_process_is_shown(tmp_path):
    process = NodeProcess('timeit', ['1/0'], os.environ, tmp_path / 'log')
    process._process.wait(60)
    with pytest.raises(ProcessEndedError, match='division by zero'):
        process.check()
    process.stop()


def test_process_ends_when_its_parent_is_killed(tmp_path):
    code = (
        'import os, sys, time; from kimi_ros.process import NodeProcess; '
        f'print(NodeProcess("timeit", {SLEEP}, os.environ).pid, flush=True); time.sleep(600)'
    )
    parent = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 60
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid):
    """Return False for zombies, too."""
    try:
        with open(f'/proc/{pid}/stat') as stream:
            return stream.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


_STORM = """
import signal, sys, time
from kimi_ros.process import SignalSafeEvent

def handle(*_):
    event.set()

for number in (signal.SIGALRM, signal.SIGVTALRM):
    signal.signal(number, handle)
end = time.monotonic() + 1.0
while time.monotonic() < end:
    event = SignalSafeEvent()
    assert not event.wait(0)
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    signal.setitimer(signal.ITIMER_VIRTUAL, 1e-4, 1e-4)
    assert event.wait(5.0) and event.wait(0)
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL):
        signal.setitimer(timer, 0)
"""


def test_event_is_set_by_signals_that_interrupt_each_other():
    done = subprocess.run([sys.executable, '-c', _STORM], timeout=30)
    assert done.returncode == 0
