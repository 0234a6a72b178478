"""The node with a planning server: between real processes, until the server is gone."""

import pytest
from chat_server import ChatServer
from rcl_interfaces.srv import GetParameters
from std_msgs.msg import String

from kimi_ros.nodes import qos
from kimi_ros.nodes.client import KimiClient
from kimi_ros.nodes.codes import ErrorCode
from kimi_ros.nodes.parameters import KIMI_PARAMETERS

pytest.importorskip('openai', reason='not installed: pip install "kimi_ros[remote]"')

WAIT = 60.0
KEY = 'sk-a-secret-that-nobody-may-see'
VARIABLE = 'TEST_PLANNER_KEY'


@pytest.fixture
def server():
    with ChatServer() as server:
        yield server


@pytest.fixture
def node(server, start, environment):
    environment[VARIABLE] = KEY
    namespace = ('-r', '__ns:=/fleet')
    start('kimi_ros.nodes.sim_camera', {'width': 160, 'height': 120}, *namespace)
    parameters = {
        'planner': 'remote',
        'remote_url': server.url,
        'remote_model': 'm',
        'remote_key_env': VARIABLE,
        'remote_options': '{"temperature": 0}',
        'camera_pose': [0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0],
        'max_frame_age': 60.0,
    }
    yield start('kimi_ros.nodes.kimi_node', parameters, *namespace)
    del environment[VARIABLE]


def all_parameters(graph):
    request = GetParameters.Request(names=[s.name for s in KIMI_PARAMETERS])
    return str(graph.call(GetParameters, '/fleet/kimi/get_parameters', request))


def test_the_server_plans_and_when_it_is_gone_the_reader_does(graph, node, server):
    said = graph.subscribe(String, '/fleet/kimi/say', qos.STATUS)
    with KimiClient('fleet/kimi') as client:
        client.wait_until_ready(WAIT, node.check, components=('model', 'camera'))
        by_server = client.instruct('pick up the red cup', timeout=WAIT)
        assert by_server.code is ErrorCode.NONE and by_server.plan.planner == 'remote'
        (request,) = server.state()['requests']
        assert request['authorization'] == f'Bearer {KEY}'
        assert request['body']['temperature'] == 0 and 'image' not in str(request['body'])
        parameters = all_parameters(graph)
        assert server.url in parameters and VARIABLE in parameters and KEY not in parameters

        server.stop()
        alone = client.instruct('pick up the red cup', timeout=WAIT)
        assert alone.code is ErrorCode.NONE and alone.plan.planner == 'reader'
        assert alone.plan.say.startswith('I cannot reach my planning server, so I plan on my own.')
        assert 'remote_planner_failed' in alone.plan.reason_codes
        chinese = client.instruct('拿起红色的杯子', timeout=WAIT).plan
        assert chinese.planner == 'reader' and chinese.say.startswith('我连不上规划服务器')
        graph.until(lambda: chinese.say in [m.data for m in said], 'what is said')
        assert alone.plan.say in [m.data for m in said]
        node.check()
    log = node.log.read_text(errors='replace')
    assert 'the planning server answered in' in log  # with the time and the tokens
    assert 'the planning server failed' in log and KEY not in log
