"""The node `speech` beside `kimi`, each in its process: sound in, plans and sound out."""

import shutil
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')
pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')
for library in ('pocketsphinx', 'faster_whisper', 'soxr'):
    pytest.importorskip(library, reason='the extra "speech" is not installed: make setup')
if shutil.which('espeak-ng') is None:
    pytest.skip('espeak-ng is not installed: make setup as root', allow_module_level=True)

from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from kimi_msgs.action import Instruct  # noqa: E402
from kimi_msgs.msg import Transcript  # noqa: E402
from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.client import NoResponseError  # noqa: E402
from kimi_ros.nodes.instruct_client import instruct_client  # noqa: E402
from kimi_ros.nodes.speech_client import SpeechClient  # noqa: E402
from kimi_ros.speech.audio import Converter  # noqa: E402
from kimi_ros.speech.espeak import EspeakVoice  # noqa: E402

WAIT = 180.0  # seconds, on a loaded machine
REAL_TIME = 0.064  # seconds of sound in a message


def speech_of(text):
    voice = EspeakVoice()
    sound = Converter(voice.rate).convert(voice.synthesize(text, 'en', 0.9), last=True)
    edge = np.zeros(6400, np.float32)
    sound = np.concatenate([edge, sound, edge])
    return sound + np.random.default_rng(0).normal(0, 3e-4, len(sound)).astype(np.float32)


def planned(client):
    """Return the plans for the instruction; the latched one may be of another test."""
    return [plan for plan in client.plans if plan.instruction == 'pick up the red cup']


@pytest.fixture(scope='module')
def nodes(scripted, front, start_shared):
    """The scripted node, its camera, and the node speech on topics."""
    speech = start_shared(
        'kimi_ros.nodes.speech_node', {'source': 'topic', 'output': 'topic', 'recognizer': 'sphinx'}
    )

    def check():
        for node in (scripted, front, speech):
            node.check()

    check.speech = speech
    return check


@pytest.fixture
def client(nodes, environment):
    with SpeechClient() as client:
        client.wait_until_ready(WAIT, nodes)
        client.quiet(WAIT)
        yield client


def test_spoken_instruction_becomes_a_plan_that_is_spoken(client):
    heard = client.speak(speech_of('Pick up the red cup.'), WAIT)
    assert (heard.text, heard.outcome) == ('pick up the red cup', Transcript.INSTRUCTION)
    assert heard.language == 'en' and heard.confidence > 0.5
    try:
        client.until(lambda: planned(client), 60.0, 'the plan')
    except NoResponseError:  # an overloaded machine: the image was too old, and it says so
        client.quiet(WAIT)
        client.speak(speech_of('Pick up the red cup.'), WAIT)
        client.until(lambda: planned(client), WAIT, f'the plan; it said {client.said}')
    client.until(lambda: client.audio and client.said, WAIT, 'sound and words')
    assert client.said[-1] == planned(client)[-1].say


def test_robot_does_not_hear_itself(client):
    """Its sentence, a command, is played into the microphone while it is spoken and afterwards."""
    client.quiet(WAIT)
    played = len(client.audio)
    # Not the words of the test before: soon after its own voice they would pass for an echo.
    client.speak(speech_of('Pick up the banana.'), WAIT)
    client.until(lambda: client.speaking and len(client.audio) > played, WAIT, 'speech')
    before = len(client.transcripts)
    deadline = time.monotonic() + WAIT
    while client.speaking and time.monotonic() < deadline:
        client.spin(0.05)
        for samples, rate in client.audio[played:]:
            client.send(Converter(rate).convert(samples, last=True), 0)
        played = len(client.audio)
    own = np.concatenate([samples for samples, _ in client.audio])
    again = Converter(client.audio[0][1]).convert(own, last=True)
    client.spin(1.0)
    client.speak(np.concatenate([again, np.zeros(6400, np.float32)]), 20.0)
    outcomes = [t.outcome for t in client.transcripts[before:]]
    assert Transcript.INSTRUCTION not in outcomes, [t.text for t in client.transcripts[before:]]


def test_stop_cancels_the_plan(client, graph):
    action = instruct_client(graph.node, '/kimi')
    graph.until(action.server_is_ready, 'the action', WAIT)
    goal = Instruct.Goal(instruction='pick up the red cup slowly', camera='front')
    handle = graph.result(action.send_goal_async(goal), 'the goal', WAIT)
    result = handle.get_result_async()
    heard = client.speak(speech_of('Stop!'), WAIT)
    assert heard.outcome == Transcript.COMMAND
    assert graph.result(result, 'the result', WAIT).result.error_code == Instruct.Result.CANCELLED


def test_talk_becomes_no_instruction(client):
    heard = client.speak(speech_of('My brother lives in another town.'), WAIT)
    assert heard.outcome == Transcript.IGNORED
    client.spin(1.0)
    assert not [plan for plan in client.plans if 'town' in plan.instruction]


def test_requests_for_guidance_go_to_assist_and_its_words_are_spoken(client, graph):
    requests = graph.subscribe(String, '/assist/request', qos.INSTRUCTIONS)
    say = graph.node.create_publisher(String, '/assist/say', qos.STATUS)
    hazard = graph.node.create_publisher(String, '/assist/hazard', qos.STATUS)
    graph.until(lambda: say.get_subscription_count(), 'the node speech', WAIT)
    graph.until(lambda: hazard.get_subscription_count(), 'the node speech', WAIT)
    heard = client.speak(speech_of('Guide me to the red cup.'), WAIT)
    assert (heard.text, heard.outcome) == ('guide me to the red cup', Transcript.INSTRUCTION)
    asked = 'guide me to the red cup'
    graph.until(lambda: any(r.data == asked for r in requests), 'the request', WAIT)
    assert not [plan for plan in client.plans if plan.instruction == asked]
    long = 'A bench on the left, three metres; a door ahead, five metres; a sign on the right.'
    say.publish(String(data=long))
    client.until(lambda: long in client.said and client.speaking, WAIT, 'narration')
    hazard.publish(String(data='A pole ahead; stop.'))
    client.until(lambda: 'A pole ahead; stop.' in client.said, 5.0, 'the hazard, at once')
    assert graph.call(Trigger, '/speech/stop', Trigger.Request(), True).success
    graph.until(lambda: requests[-1].data == 'stop', 'the stop', WAIT)
