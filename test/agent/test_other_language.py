"""Asked to answer in the other language, the agent does so whoever plans; names stay as said."""

import re

import pytest
from scripted_reader import Script, ScriptedReader

from kimi_ros.agent import Agent, Frame, Status

CUP, BOWL = (0.1, 0.5, 0.2, 0.7), (0.6, 0.5, 0.8, 0.7)
NAMES = {'red cup', 'bowl', 'cup', 'green box', '红色的杯子', '碗', '绿色的盒子', '杯子'}


def foreign_words(say, language):
    """Return what of a sentence is in another language, the names apart."""
    for name in sorted(NAMES, key=len, reverse=True):
        say = say.replace(name, '')
    return re.findall('[A-Za-z]+' if language == 'zh' else '[\u4e00-\u9fff]+', say)


MODEL = [
    ('pick up the red cup', 'zh', 'ok', '抓住一个物体并把它拿起来（red cup）'),
    ('拿起红色的杯子', 'en', 'ok', 'grasp an object and lift it (红色的杯子)'),
    ('put the red cup in the bowl', 'zh', 'ok', '（red cup、bowl）'),
    ('把红色的杯子放到碗里', 'en', 'ok', 'on or into another one (红色的杯子 and 碗)'),
    ('pick up the green box', 'zh', 'infeasible', '我没有看到green box。'),
    ('拿起绿色的盒子', 'en', 'infeasible', 'I do not see a 绿色的盒子.'),
]


@pytest.mark.parametrize(('instruction', 'language', 'status', 'part'), MODEL)
def test_model_is_heard_in_the_language_asked_for(
    kit, make_agent, instruction, language, status, part
):
    names = [n for n in sorted(NAMES, key=len, reverse=True) if n in instruction]
    steps = [kit.pick(names[0])]
    if len(names) > 1 and ('bowl' in names or '碗' in names):
        steps.append(kit.place(names[0], 'bowl' if 'bowl' in names else '碗'))
    written = {'status': status, 'say': instruction, 'steps': steps if status == 'ok' else []}
    things = {'red cup': [CUP], 'bowl': [BOWL], '红色的杯子': [CUP], '碗': [BOWL]}
    vlm = kit.FakeVlm(written, things, kit.ok(instruction, *steps))
    told = []
    plan = make_agent(vlm).run(Frame(kit.picture()), instruction, language, on_text=told.append)
    assert plan.status.value == status and plan.language == language
    assert part in plan.say and not foreign_words(plan.say, language)
    assert not any(foreign_words(text, language) for text in told)


@pytest.mark.parametrize('status', ['refused', 'needs_clarification', 'infeasible'])
@pytest.mark.parametrize(('instruction', 'language'), [('fly away', 'zh'), ('飞走', 'en')])
def test_what_a_model_declines_is_declined_in_the_language_asked_for(
    kit, make_agent, status, instruction, language
):
    vlm = kit.FakeVlm({'status': status, 'say': instruction, 'steps': []}, supposed='{}')
    plan = make_agent(vlm).run(Frame(kit.picture()), instruction, language)
    assert plan.status is not Status.OK and plan.say
    quoted = re.sub("“[^”]*”|'[^']*'", '', plan.say)  # words said are repeated as said
    assert not foreign_words(quoted, language)


@pytest.mark.parametrize(
    ('text', 'verb', 'name', 'language', 'say'),
    [
        ('grab the cup', 'grab', 'cup', 'zh', '我来这样做：抓住一个物体并把它拿起来（cup）。'),
        ('抓住杯子', '抓住', '杯子', 'en', 'I will do this: grasp an object and lift it (杯子).'),
    ],
)
def test_reader_is_heard_in_the_language_asked_for(
    kit, catalogue, policy, text, verb, name, language, say
):
    from kimi_ros.agent.planners import ReaderPlanner

    script = Script(text)
    reading = script.steps(script.step('pick', verb, {'object': script.thing(name)}))
    vlm = kit.FakeVlm(None, {name: [CUP]})
    vlm.tasks, vlm.languages = ('query', 'point', 'detect'), ('en', 'zh')
    planner = ReaderPlanner(catalogue, ScriptedReader(reading))
    plan = Agent(vlm, catalogue, policy, planner=planner).run(Frame(kit.picture()), text, language)
    assert plan.status is Status.OK and plan.say == say
