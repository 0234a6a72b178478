"""The node with the shipped model, used from another process."""

import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from kimi_ros.nodes.client import KimiClient  # noqa: E402
from kimi_ros.nodes.codes import ErrorCode  # noqa: E402
from kimi_ros.resources import ResourceNotFoundError, share  # noqa: E402

WAIT = 180.0  # seconds, an upper bound for a loaded machine


@pytest.fixture(scope='module')
def client(environment, start_shared):
    try:
        share('models/nano')
    except ResourceNotFoundError:
        pytest.skip('models/nano is not in this checkout')
    here = ('-r', '__ns:=/shipped')
    camera = start_shared('kimi_ros.nodes.sim_camera', {'width': 160, 'height': 120}, *here)
    node = start_shared('kimi_ros.nodes.kimi_node', {'max_frame_age': 10.0}, *here)
    with KimiClient('shipped/kimi') as client:
        client.wait_until_ready(WAIT, lambda: (camera.check(), node.check()))
        yield client


@pytest.mark.parametrize('words', ['pick up the red cup ', '杯'])
def test_instruction_longer_than_the_model_reads_is_refused_with_its_limit(client, words):
    # Shorter than what any planner takes: the limit is this model's.
    result = client.instruct((words * 1990)[:1990])
    assert result.code is ErrorCode.TOO_LONG and result.plan is None, result
    assert 'tokens' in result.message and 'characters of this kind' in result.message
    assert result.message.startswith('the instruction has '), result.message


def test_english_instruction_is_answered_in_chinese_where_that_is_asked_for(client):
    result = client.instruct('what do you see?', language='zh')
    assert result.code is ErrorCode.NONE, result
    assert any('\u4e00' <= c <= '\u9fff' for c in result.plan.say), result.plan.say
