"""Planning by a server of the chat-completions protocol: a real process, asked over HTTP."""

import base64
import io
import json
import logging
import socket
import time
from threading import Barrier, Event, Thread, Timer

import numpy as np
import pytest
from chat_server import ChatServer, pick, plan

from kimi_ros.agent import Agent, Frame, Status
from kimi_ros.agent.draft import DraftPlan
from kimi_ros.agent.errors import RemoteSettingsError
from kimi_ros.agent.planners import PlanRequest, RemotePlanner, RemoteSettings, make_planner
from kimi_ros.vlm.errors import Cancelled

pytest.importorskip('openai', reason='not installed: pip install "kimi_ros[remote]"')

KEY = 'sk-a-secret-that-nobody-may-see'
CUP = plan('I will pick up the red cup.', pick('red cup'))


class Fallback:
    name = 'reader'

    def __init__(self):
        self.asked = 0

    def draft(self, request, on_text=None, cancel=None):
        self.asked += 1
        return DraftPlan(Status.INFEASIBLE, 'The other planner.')


class Remote:
    """A planner with its fallback."""

    def __init__(self, url, catalogue, **settings):
        settings = {'timeout': 60.0, 'model': 'm'} | settings
        self.fallback = Fallback()
        self.settings = RemoteSettings(url, **settings)
        self.planner = RemotePlanner(catalogue, self.settings, self.fallback)

    def draft(self, text='pick up the red cup', language='en', rgb=None, history=(), **more):
        return self.planner.draft(PlanRequest(text, language, history, rgb=rgb), **more)


@pytest.fixture(scope='module')
def shared_server():
    with ChatServer() as server:
        yield server


@pytest.fixture
def server(shared_server):
    shared_server.reset()
    return shared_server


@pytest.fixture
def remote(server, catalogue):
    return lambda **settings: Remote(server.url, catalogue, **settings)


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv('TEST_PLANNER_KEY', KEY)
    return 'TEST_PLANNER_KEY'


def test_a_plan_as_a_whole(server, remote, catalogue):
    draft = remote().draft()
    assert draft.status is Status.OK and [s.skill for s in draft.steps] == ['pick']
    assert draft.names(catalogue) == ['red cup'] and draft.say == 'I will pick up the red cup.'
    assert draft.planner == draft.notice == ''
    assert draft.usage.prompt_tokens == 100 and draft.usage.completion_tokens > 50
    assert draft.usage.attempts == 1 and draft.usage.seconds > 0
    (body,) = server.bodies()
    assert body['response_format']['type'] == 'json_schema' and not body.get('stream')


def test_the_prompt_holds_skills_types_and_the_conversation(server, remote):
    remote().draft('把它放到盘子上', 'zh', history=[('拿起红色的杯子', '我来拿红色的杯子。')])
    system, asked, said, now = server.bodies()[0]['messages']
    assert 'place(object: a thing, target: a thing)' in system['content']
    assert '抓住一个物体并把它拿起来' in system['content'] and 'in Chinese' in system['content']
    assert [asked['content'], now['content']] == ['拿起红色的杯子', '把它放到盘子上']
    assert said == {'role': 'assistant', 'content': '我来拿红色的杯子。'}


def test_the_sentence_is_streamed(server, remote):
    said = []
    draft = remote().draft(on_text=said.append)
    assert draft.status is Status.OK and said[-1] == draft.say == 'I will pick up the red cup.'
    assert len(said) > 2 and all(b.startswith(a) for a, b in zip(said, said[1:], strict=False))
    (body,) = server.bodies()
    assert body['stream'] and draft.usage.completion_tokens > 50


def test_escapes_cut_in_two_are_streamed_whole(server, remote):
    server.script({'text': json.dumps({'status': 'refused', 'say': '我不做。', 'steps': []})})
    said = []
    draft = remote().draft('打他', 'zh', on_text=said.append)
    assert draft.status is Status.REFUSED and said[-1] == '我不做。'
    assert all('我不做。'.startswith(s) for s in said)


@pytest.mark.parametrize(
    ('forms', 'used', 'tries'),
    [
        ('json_schema,json_object,schema,text', 'json_schema', 1),
        ('json_object,schema,text', 'json_object', 3),
        ('json_object,text', 'json_object', 4),
        ('text', 'text', 5),
    ],
)
def test_what_the_server_cannot_restrict_is_found_once(catalogue, forms, used, tries):
    with ChatServer(forms=forms) as server:
        remote = Remote(server.url, catalogue)
        for _ in range(2):
            assert remote.draft().status is Status.OK
        bodies = server.bodies()
        assert len(bodies) == tries + 1 and not remote.fallback.asked
        assert (bodies[-1].get('response_format') or {'type': 'text'})['type'] == used


def test_the_schema_allows_only_words_that_were_said(server, remote):
    import re

    remote().draft('pick up the red cup')
    schema = server.bodies()[0]['response_format']['json_schema']['schema']
    steps = schema['properties']['steps']['items']['anyOf']
    pattern = next(s for s in steps if s['properties']['skill']['const'] == 'pick')
    pattern = pattern['properties']['object']['pattern']
    assert re.search(pattern, 'red cup') and not re.search(pattern, 'blue cup')


def test_a_word_that_nobody_said_is_corrected(server, remote, catalogue):
    server.script({'text': plan('I take it.', pick('shiny red cup'))}, {'text': CUP})
    draft = remote().draft()
    assert draft.names(catalogue) == ['red cup'] and draft.usage.attempts == 2
    told = server.bodies()[1]['messages']
    assert told[-2]['role'] == 'assistant' and "'shiny'" in told[-1]['content']


def test_a_word_that_nobody_said_never_gets_into_a_plan(server, remote, kit, catalogue, policy):
    server.script(*[{'text': plan('I take it.', pick('shiny red cup'))}] * 3)
    vlm = kit.FakeVlm(None, {'shiny red cup': [(0.1, 0.1, 0.3, 0.3)]})
    agent = Agent(vlm, catalogue, policy, planner=remote().planner)
    made = agent.run(Frame(kit.picture()), 'pick up the red cup')
    assert made.status is Status.NEEDS_CLARIFICATION and made.reason_codes == ('not_said',)
    assert 'shiny' in made.say and not made.steps and made.planner == 'remote'


def test_one_name_for_two_arguments_is_corrected(server, remote, catalogue):
    wrong = {'skill': 'place', 'object': 'cup', 'target': 'cup'}
    server.script({'text': plan('Yes.', wrong)}, {'text': plan('Yes.', wrong | {'target': 'tray'})})
    draft = remote().draft('put the cup on the tray')
    assert draft.names(catalogue) == ['cup', 'tray'] and draft.usage.attempts == 2


def test_a_thing_that_the_plan_leaves_out_is_told_back(server, remote):
    server.script({'text': CUP}, {'text': plan('我来拿杯子。', pick('杯子'))})
    assert remote().draft('pick up the red cup and the spoon').left_out == ('spoon',)
    assert remote().draft('拿起杯子和苹果', 'zh').left_out == ('苹果',)


def test_articles_code_blocks_and_thoughts_are_no_faults(server, remote, catalogue):
    answer = plan('I will "take" it.\nNow.', pick('the red cup.'))
    server.script({'text': f'<think>{{"status": 3}}</think>Sure:\n```json\n{answer}\n```'})
    draft = remote().draft()
    assert draft.names(catalogue) == ['red cup'] and draft.say == "I will 'take' it. Now."


@pytest.mark.parametrize(
    ('text', 'target', 'relation', 'landmark'),
    [
        ('put the red cup left of the bowl', 'left of the bowl', 'left_of', 'bowl'),
        ('put the red cup on the bowl', 'on the bowl', '', 'bowl'),
        ('put the red cup next to the bowl', 'bowl', 'next_to', 'bowl'),
        ('把红色的杯子放到碗的左边', '碗的左边', 'left_of', '碗'),
    ],
)
def test_places(server, remote, text, target, relation, landmark):
    thing = 'red cup' if text.isascii() else '红色的杯子'
    step = {'skill': 'place', 'object': thing, 'target': target}
    server.script({'text': plan('Yes.', step)})
    draft = remote().draft(text, 'en' if text.isascii() else 'zh')
    assert [s.skill for s in draft.steps] == ['pick', 'place']  # what was left unsaid is added
    place = draft.steps[1].arguments['target']
    assert place.relation == relation
    assert (place.landmarks[0] if relation else place).head == landmark


def test_questions_are_for_the_model_that_sees(server, remote):
    draft = remote().draft('how many cups are there?')
    assert draft.status is Status.ANSWER and draft.question.kind == 'count'
    assert not server.bodies()
    server.script({'text': plan('A cat, perhaps.', status='answer')})
    draft = remote().draft('does anything here look edible to you')
    assert draft.question.kind == 'other' and draft.say == ''


def test_what_is_forbidden_or_conditional_holds_for_the_server_too(server, remote):
    server.script({'text': CUP}, {'text': CUP})
    draft = remote().draft("pick up the red cup, but don't touch the knife")
    assert [r.text for r in draft.forbidden] == ['knife'] and draft.usage.attempts == 1
    draft = remote().draft('if you see a spoon, pick up the red cup')
    assert draft.steps[0].condition.present and draft.steps[0].condition.reference.head == 'spoon'
    assert remote().draft('do not touch the knife').forbidden and len(server.bodies()) == 2


def test_no_image_leaves_the_machine_unless_told_to(server, remote, kit):
    rgb = kit.picture(1600, 1200)
    remote().draft(rgb=rgb)
    assert 'image' not in json.dumps(server.bodies()[0]['messages'])
    remote(send_image=True, image_size=400).draft(rgb=rgb)
    image, text = server.bodies()[1]['messages'][-1]['content']
    kind, data = image['image_url']['url'].split(',')
    assert kind == 'data:image/jpeg;base64' and text['text'] == 'pick up the red cup'
    from PIL import Image

    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (400, 300)


def test_with_the_image_the_server_may_answer(server, remote):
    server.script({'text': plan('The apple does.', status='answer')})
    rgb = np.zeros((20, 20, 3), np.uint8)
    draft = remote(send_image=True).draft('does anything here look edible to you', rgb=rgb)
    assert draft.status is Status.ANSWER and draft.say == 'The apple does.'


def test_further_fields_of_the_request(server, remote):
    remote(options='{"temperature": 0, "max_tokens": 99}').draft()
    (body,) = server.bodies()
    assert body['temperature'] == 0 and body['max_tokens'] == 99


# Failures.


def fell_back(remote, draft, failure_words):
    assert remote.fallback.asked == 1 and draft.planner == 'reader'
    assert failure_words in draft.notice and draft.say == 'The other planner.'
    return True


def test_a_server_that_is_not_there(catalogue):
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))  # bound, not listening
        url = f'http://127.0.0.1:{nobody.getsockname()[1]}/v1'
        remote = Remote(url, catalogue, retries=1)
        assert fell_back(remote, remote.draft(), 'I cannot reach my planning server')
    assert '连不上规划服务器' in remote.draft('拿起杯子', 'zh').notice


def test_the_wait_that_a_busy_server_asks_for_is_kept(server, remote):
    server.script({'status': 429, 'after': '1'})
    assert remote().draft().status is Status.OK
    first, second = server.state()['requests']
    assert second['at'] - first['at'] >= 1.0


def test_a_wait_longer_than_the_time_left_is_not_begun(server, remote):
    server.script({'status': 503, 'after': '3600'})
    asked = remote(timeout=30.0)
    started = time.monotonic()
    assert fell_back(asked, asked.draft(), 'busy')
    assert time.monotonic() - started < 20.0 and len(server.bodies()) == 1


def test_errors_of_the_server_are_tried_again(server, remote):
    server.script({'status': 500}, {'status': 502})
    draft = remote(retries=2).draft()
    assert draft.status is Status.OK and draft.usage.attempts == 3


def test_errors_that_stay(server, remote):
    server.script(*[{'status': 500}] * 3)
    asked = remote(retries=2)
    assert fell_back(asked, asked.draft(), 'reported an error') and len(server.bodies()) == 3


def test_a_wrong_key_is_not_tried_again_and_not_shown(server, remote, key, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    server.script({'status': 401, 'message': f'Incorrect API key provided: {KEY}'})
    asked = remote(key_env=key)
    draft = asked.draft()
    assert fell_back(asked, draft, 'does not accept my key')
    (request,) = server.state()['requests']
    assert request['authorization'] == f'Bearer {KEY}'
    assert 'Incorrect API key' in caplog.text
    out = capfd.readouterr()
    for text in (caplog.text, out.out, out.err, repr(draft), repr(asked.settings)):
        assert KEY not in text


@pytest.mark.parametrize('streaming', [False, True])
def test_a_server_that_hangs(server, remote, streaming):
    server.script({'hang': 60})
    asked = remote(timeout=1.5)
    started = time.monotonic()
    draft = asked.draft(on_text=print if streaming else None)
    assert fell_back(asked, draft, 'did not answer in time')
    assert time.monotonic() - started < 15.0
    server.wait_for('aborted', 1)


@pytest.mark.parametrize('streaming', [False, True])
@pytest.mark.parametrize('polite', [False, True])
def test_a_connection_cut_in_the_middle_is_a_failure(server, remote, streaming, polite):
    server.script(*[{'cut': 8, 'polite': polite}] * 2)
    asked = remote(retries=1)
    if polite and not streaming:
        pytest.skip('what is sent as a whole has no polite end in the middle')
    draft = asked.draft(on_text=print if streaming else None)
    assert fell_back(asked, draft, 'broke') and len(server.bodies()) == 2


def test_a_cut_after_the_last_brace_is_a_failure_too(server, remote):
    server.script({'cut': 999, 'text': CUP})
    draft = remote(retries=1).draft(on_text=print)
    assert draft.status is Status.OK and len(server.bodies()) == 2


def test_answers_that_are_no_plans(server, remote):
    bad = [
        'I would rather not.',
        '{"status": "ok", "say": "x", "steps": [{"skill": "dance"}]}',
        plan('x', {'skill': 'pick'}),
        plan('x'),
    ]
    server.script(*({'text': text} for text in bad))
    asked = remote(retries=3)
    assert fell_back(asked, asked.draft(), 'no valid plan') and len(server.bodies()) == 4
    faults = [body['messages'][-1]['content'] for body in server.bodies()[1:]]
    assert 'JSON' in faults[0] and 'locate, pick' in faults[1] and 'pick takes object' in faults[2]
    assert all(len(body['messages']) <= 4 for body in server.bodies())


def test_an_answer_cut_at_the_limit_of_tokens(server, remote):
    server.script({'ending': 'length'})
    asked = remote()
    assert fell_back(asked, asked.draft(), 'no valid plan') and len(server.bodies()) == 1


def test_cancelling_in_the_middle_closes_the_connection(server, remote):
    server.script({'text': CUP, 'pause': 1.0})
    asked, cancel, begun = remote(), Event(), Event()

    def on_text(_):
        begun.set()
        cancel.set()

    with pytest.raises(Cancelled):
        asked.draft(on_text=on_text, cancel=cancel)
    assert begun.is_set() and not asked.fallback.asked
    server.wait_for('aborted', 1, seconds=20)


@pytest.mark.parametrize('behaviour', [{'hang': 60}, {'status': 429, 'after': '40'}])
def test_cancelling_a_wait(server, remote, behaviour):
    server.script(behaviour)
    cancel = Event()
    Timer(0.5, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        remote().draft(cancel=cancel)
    assert time.monotonic() - started < 15.0


def test_no_more_requests_at_a_time_than_allowed(catalogue):
    with ChatServer(seconds=0.3) as server:
        remote = Remote(server.url, catalogue, max_concurrent=2)
        drafts = []
        threads = [Thread(target=lambda: drafts.append(remote.draft())) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [d.status for d in drafts] == [Status.OK] * 6
        assert server.state()['most_at_a_time'] <= 2


def ask_at_once(url, catalogue, count, **settings):
    """Return the robots, each with a client of its own, and their drafts."""
    robots = [
        Remote(url, catalogue, options=f'{{"user": "{i}"}}', **settings) for i in range(count)
    ]
    drafts, together = [None] * count, Barrier(count)

    def ask(i):
        together.wait()
        drafts[i] = robots[i].draft(f'pick up the cup {i}')

    threads = [Thread(target=ask, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return robots, drafts


def test_twenty_robots_share_one_server(catalogue):
    """More than it takes at a time: those that it turns away come back, and all get their own."""
    with ChatServer(slots=4, queue=4, seconds=1.0, after=1) as server:
        _, drafts = ask_at_once(server.url, catalogue, 20, timeout=120.0, retries=20)
        state = server.state()
    assert [d.names(catalogue) for d in drafts] == [[f'cup {i}'] for i in range(20)]
    assert not any(d.planner for d in drafts)
    assert state['answered'] == 20 and state['most_at_a_time'] == 4 and state['rejected'] > 0
    assert max(d.usage.attempts for d in drafts) > 1


def test_an_overloaded_server_leaves_each_robot_its_own_plan(catalogue):
    with ChatServer(slots=1, queue=1, seconds=4.0, after=30) as server:
        robots, drafts = ask_at_once(server.url, catalogue, 20, timeout=20.0)
        state = server.state()
    alone = [d for d in drafts if d.planner == 'reader']
    assert all('busy' in d.notice or 'in time' in d.notice for d in alone)
    assert len(alone) == sum(r.fallback.asked for r in robots) >= 10
    assert len(alone) + state['answered'] == 20 and state['most_at_a_time'] == 1


# The plan, and the settings.


def test_the_plan_says_who_planned_and_why(server, kit, catalogue, policy):
    server.script(*[{'status': 500}] * 4)
    settings = RemoteSettings(server.url, 'm', retries=0)
    vlm = kit.FakeVlm(None, {'red cup': [(0.1, 0.1, 0.3, 0.3)]})
    agent = Agent(vlm, catalogue, policy, planner='remote', remote=settings)
    made = agent.run(Frame(kit.picture()), 'pick up the red cup')
    assert made.status is Status.OK and [s.skill for s in made.steps] == ['pick']
    assert made.planner == 'reader' and 'remote_planner_failed' in made.reason_codes
    assert made.say.startswith('My planning server reported an error') and 'cup' in made.say
    assert made.hash == made.content_hash()
    made = agent.run(Frame(kit.picture()), '拿起紫色的长颈鹿')
    assert made.say.startswith('规划服务器出错了') and made.planner == 'reader'


def test_a_plan_of_the_server_through_the_agent(server, kit, catalogue, policy):
    vlm = kit.FakeVlm(None, {'red cup': [(0.1, 0.1, 0.3, 0.3)]})
    settings = RemoteSettings(server.url, 'm')
    agent = Agent(vlm, catalogue, policy, planner='remote', remote=settings)
    made = agent.run(Frame(kit.picture()), 'pick up the red cup')
    assert made.status is Status.OK and made.planner == 'remote'
    assert made.objects[0].label == 'red cup' and made.reason_codes == ()


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({}, 'remote_url'),
        ({'url': 'http://x/v1'}, 'remote_model'),
        ({'url': 'localhost:8000', 'model': 'm'}, 'http://'),
        ({'url': f'http://me:{KEY}@x/v1', 'model': 'm'}, 'remote_key_env'),
        ({'url': 'http://x', 'model': 'm', 'key_env': 'NOT_SET_ANYWHERE'}, 'export NOT_SET'),
        ({'url': 'http://x', 'model': 'm', 'key_env': KEY}, 'not the key'),
        ({'url': 'http://x', 'model': 'm', 'options': '[1]'}, 'JSON object'),
        ({'url': 'http://x', 'model': 'm', 'timeout': 0.0}, 'remote_timeout'),
        ({'url': 'http://x', 'model': 'm', 'language': 'fr'}, 'remote_language'),
    ],
)
def test_settings_that_cannot_work_say_what_to_do(settings, words):
    with pytest.raises(RemoteSettingsError, match=words) as raised:
        RemoteSettings(**settings)
    assert KEY not in str(raised.value)


def test_without_the_package_the_error_says_what_to_type(monkeypatch, catalogue):
    monkeypatch.setitem(__import__('sys').modules, 'openai', None)
    settings = RemoteSettings('http://nowhere/v1', 'm')
    with pytest.raises(RemoteSettingsError, match=r'pip install "kimi_ros\[remote\]"'):
        make_planner('remote', None, catalogue, remote=settings)
