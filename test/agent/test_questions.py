"""Questions are answered from boxes and geometry, else by the model, else not at all."""

import pytest
from scripted_reader import Script, ScriptedReader

from kimi_ros.agent import Agent, Frame, Status
from kimi_ros.agent.planners import ReaderPlanner

LEFT, MIDDLE, RIGHT = (0.1, 0.5, 0.2, 0.7), (0.45, 0.5, 0.55, 0.7), (0.8, 0.5, 0.9, 0.7)


@pytest.fixture
def ask(kit, catalogue, policy):
    def make(text, reading, things=None, tasks=('query', 'point', 'detect'), **more):
        languages = more.pop('languages', ('en', 'zh'))
        vlm = kit.FakeVlm(None, things, **more)
        vlm.tasks, vlm.languages = tasks, languages
        planner = ReaderPlanner(catalogue, ScriptedReader(reading))
        plan = Agent(vlm, catalogue, policy, planner=planner).run(Frame(kit.picture()), text)
        assert plan.status is Status.ANSWER and plan.steps == ()
        return plan, vlm

    return make


@pytest.mark.parametrize(
    ('text', 'word', 'say', 'number'),
    [
        ('how many cups are there?', 'cups', 'I see 2 cups.', 2),
        ('桌子上有几个杯子？', '杯子', '我看到2个杯子。', 2),
        ('how many forks are there?', 'forks', 'I see no forks.', 0),
    ],
)
def test_counting(ask, text, word, say, number):
    reading = Script(text).question('count', Script(text).thing(word, word))
    plan, _ = ask(text, reading, {'cups': [LEFT, RIGHT], '杯子': [LEFT, RIGHT]})
    assert plan.say == say and len(plan.objects) == number


@pytest.mark.parametrize(
    ('kind', 'word', 'say'),
    [
        ('presence', 'cup', 'Yes, I see the cup on the left.'),
        ('presence', 'fork', 'No, I do not see a fork.'),
    ],
)
def test_presence(ask, kind, word, say):
    text = f'question about a {word}'
    plan, _ = ask(text, Script(text).question(kind, Script(text).thing(word)), {'cup': [LEFT]})
    assert plan.say == say and [o.label for o in plan.objects] == ['cup'] * (word == 'cup')


@pytest.mark.parametrize(('side', 'say'), [('left', 'Yes.'), ('right', 'No.')])
def test_relation_is_told_from_boxes(ask, side, say):
    text = f'is the cup {side} of the bowl?'
    s = Script(text)
    thing = s.thing(
        f'cup {side} of the bowl', 'cup', relation=f'{side}_of', landmarks=(s.thing('bowl'),)
    )
    plan, vlm = ask(text, s.question('relation', thing), {'cup': [LEFT], 'bowl': [RIGHT]})
    assert plan.say == say and [o.label for o in plan.objects] == ['cup', 'bowl']
    assert vlm.questions == []


def test_what_stands_beside_something(ask):
    text = 'what is right of the bowl?'
    s = Script(text)
    thing = s.thing('what', 'what', relation='right_of', landmarks=(s.thing('bowl'),))
    things = {'cup': [LEFT], 'bowl': [MIDDLE], 'red ball': [RIGHT]}
    plan, _ = ask(
        text,
        s.question('what', thing),
        things,
        tasks=('query', 'plan'),
        description='I see a cup, a bowl and a red ball.',
    )
    assert plan.say == 'I see a red ball.'
    assert [o.label for o in plan.objects] == ['red ball', 'bowl']


def test_colour_is_asked_one_by_one(ask, kit):
    text = 'what colour is the cup?'
    reading = Script(text).question('attribute', Script(text).thing('cup'))

    class Seeing(kit.FakeVlm):
        def query(self, image, question, **more):
            answer = super().query(image, question, **more)
            answer.text = 'Yes' if 'yellow' in question else 'No'
            return answer

    kit.FakeVlm, plain = Seeing, kit.FakeVlm
    try:
        plan, _ = ask(text, reading, {'cup': [LEFT]})
    finally:
        kit.FakeVlm = plain
    assert plan.say == 'The cup is yellow.' and plan.objects[0].label == 'cup'


def test_other_questions_go_to_the_model_in_a_language_that_it_understands(ask):
    text = 'what does the label say?'
    reading = Script(text).question('text', Script(text).thing('label'))
    plan, vlm = ask(text, reading, {'label': [LEFT]}, description='It says milk.')
    assert plan.say == 'It says milk.' and vlm.questions[-1][0] == text
    text = '书上写着什么？'
    reading = Script(text).question('text', Script(text).thing('书', '书'))
    plan, vlm = ask(text, reading, {'book': [LEFT]}, languages=('en',), description='Go.')
    assert plan.say == '我的模型用英语回答：Go.' and vlm.questions[-1][0].endswith('on the book?')
    text = '为什么天是蓝的？'
    plan, vlm = ask(text, Script(text).question('other'), languages=('en',))
    assert plan.reason_codes == ('cannot_tell',) and vlm.questions == []


def test_what_stands_somewhere_is_asked_in_english(ask):
    text = '碗右边是什么？'
    s = Script(text)
    thing = s.thing('什么', '什么', relation='right_of', landmarks=(s.thing('碗', '碗'),))
    plan, vlm = ask(
        text,
        s.question('relation', thing),
        {'bowl': [MIDDLE]},
        languages=('en',),
        description='A ball.',
    )
    assert vlm.questions[-1][0] == 'What is right of the bowl?'
    assert plan.say == '我的模型用英语回答：A ball.'


def test_a_model_taught_a_few_questions_cannot_tell_others(ask):
    text = 'why is the sky blue?'
    plan, vlm = ask(text, Script(text).question('other'), tasks=('query', 'plan'))
    assert plan.say == 'I cannot tell.' and plan.reason_codes == ('cannot_tell',)
    assert vlm.questions == []
