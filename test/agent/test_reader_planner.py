"""The reader's readings become draft plans in the person's own words, and plans."""

import pytest
from scripted_reader import Script, ScriptedReader

from kimi_ros.agent import Agent, Frame, SkillCatalogue, Status
from kimi_ros.agent.planners import PlanRequest, ReaderPlanner
from kimi_ros.agent.planners.clauses import split_sentences
from kimi_ros.eval.safety.evaluation import FOLDER

CUP, BOWL, OTHER = (0.1, 0.5, 0.2, 0.7), (0.6, 0.5, 0.8, 0.7), (0.3, 0.1, 0.4, 0.3)


@pytest.fixture
def draft(catalogue):
    def make(text, reading, language='en', history=(), skills=catalogue):
        request = PlanRequest(text, language, [(h, '') for h in history])
        return ReaderPlanner(skills, ScriptedReader(reading)).draft(request)

    return make


@pytest.fixture
def run(kit, catalogue, policy):
    """Return the plan of a reading, over a model that sees some things but writes no plans."""

    def make(text, reading, things, language='', **more):
        vlm = kit.FakeVlm(None, things, **more)
        vlm.tasks, vlm.languages = ('query', 'point', 'detect'), ('en', 'zh')
        planner = ReaderPlanner(catalogue, ScriptedReader(reading))
        plan = Agent(vlm, catalogue, policy, planner=planner).run(
            Frame(kit.picture()), text, language
        )
        assert plan.planner == 'reader' and not vlm.required
        return plan

    return make


def test_place_is_preceded_by_the_pick_that_it_needs(draft, catalogue):
    text = 'put the red cup left of the bowl'
    s = Script(text)
    cup, bowl = s.thing('red cup', attributes=('red',)), s.thing('bowl')
    made = draft(
        text, s.steps(s.step('place', 'put', {'object': cup, 'target': bowl}, relation='left_of'))
    )
    assert made.status is Status.OK and made.say == 'I will put the red cup left of the bowl.'
    assert [step.skill for step in made.steps] == ['pick', 'place']
    cup, place = made.steps[1].arguments.values()
    assert (cup.text, cup.name, cup.head, cup.attributes) == ('red cup', 'red cup', 'cup', ('red',))
    assert place.is_place and place.relation == 'left_of' and place.text == 'left of the bowl'
    assert [m.text for m in place.landmarks] == ['bowl']


NUMBERS = SkillCatalogue.from_data(
    {
        'skills': [
            {
                'name': 'turn',
                'description': {'en': 'Turn by an angle.', 'zh': '转一个角度。'},
                'arguments': [
                    {'name': 'angle', 'type': 'number', 'unit': 'deg', 'minimum': 0, 'maximum': 90}
                ],
                'risk': 'low',
                'approval': 'never',
                'node': 'Turn',
            }
        ]
    }
)


@pytest.mark.parametrize(('value', 'status'), [(90, 'ok'), (91, 'needs_clarification')])
def test_a_number_outside_its_limits_is_asked_about(draft, value, status):
    text = f'turn {value} degrees'
    s = Script(text)
    made = draft(text, s.steps(s.step('turn', 'turn', values={'angle': value})), skills=NUMBERS)
    assert made.status.value == status
    if made.status is not Status.OK:
        assert made.reason == 'value_out_of_range' and '0 to 90 deg' in made.say


def test_no_second_pick_where_it_is_held(draft):
    text = 'pick up the cup and put it in the bowl'
    s = Script(text)
    cup, bowl = s.thing('cup'), s.thing('bowl')
    reading = s.steps(
        s.step('pick', 'pick up', {'object': cup}),
        s.step('place', 'put', {'object': cup, 'target': bowl}, relation='in'),
    )
    made = draft(text, reading)
    assert [step.skill for step in made.steps] == ['pick', 'place']
    assert made.say == 'I will pick up the cup and put it in the bowl.'
    assert not made.steps[1].arguments['target'].is_place


def test_chinese_is_retold_in_its_own_words(draft):
    text = '帮我把红色的杯子放到碗左边'
    s = Script(text)
    cup, bowl = s.thing('红色的杯子', '杯子', ('红色的',)), s.thing('碗')
    step = s.step('place', '放', {'object': cup, 'target': bowl}, relation='left_of')
    made = draft(text, s.steps(step), 'zh')
    assert made.say == '我来把红色的杯子放到碗左边。'
    assert made.steps[1].arguments['target'].text == '碗左边'
    assert made.steps[1].arguments['object'].name == '红色的杯子'


def test_words_of_earlier_turns_are_taken_from_there(draft):
    s = Script('put it there', 'pick up the cup', 'find the bowl')
    cup, bowl = s.thing('cup', turn=2), s.thing('bowl', turn=1)
    step = s.step('place', 'put', {'object': cup, 'target': bowl}, relation='on')
    made = draft('put it there', s.steps(step), history=('pick up the cup', 'find the bowl'))
    assert [r.text for r in made.steps[1].arguments.values()] == ['cup', 'bowl']


def test_a_missing_place_is_asked_for(draft):
    s = Script('put down the cup')
    made = draft('put down the cup', s.steps(s.step('place', 'put', {'object': s.thing('cup')})))
    assert made.status is Status.NEEDS_CLARIFICATION and made.reason == 'missing_argument'
    assert made.say == 'Where should I put the cup?' and not made.steps


def test_arguments_of_every_type(draft):
    skill = {
        'name': 'turn_dial',
        'description': {'en': 'Turn a dial.', 'zh': '转动旋钮。'},
        'arguments': [
            {'name': 'object', 'type': 'object'},
            {'name': 'angle', 'type': 'number', 'unit': 'deg', 'minimum': 0, 'maximum': 360},
            {'name': 'direction', 'type': 'enum', 'values': ['left', 'right']},
        ],
        'risk': 'low',
        'approval': 'never',
        'node': 'TurnDial',
    }
    skills = SkillCatalogue.from_data({'skills': [skill]})
    s = Script('turn the dial by 30 degrees')
    things = {'object': s.thing('dial')}
    asked = draft('turn the dial', s.steps(s.step('turn_dial', 'turn', things)), skills=skills)
    assert asked.say == 'To turn, what angle (deg) do you want?'
    step = s.step('turn_dial', 'turn', things, {'angle': 30.0})
    asked = draft('turn the dial', s.steps(step), skills=skills)
    assert asked.say == 'To turn, which direction do you want: left or right?'
    skill['arguments'][2]['optional'] = True
    eased = SkillCatalogue.from_data({'skills': [skill]})
    assert draft('turn the dial', s.steps(step), skills=eased).status is Status.OK
    step = s.step('turn_dial', 'turn', things, {'angle': 30.0, 'direction': 'left'})
    made = draft('turn the dial', s.steps(step), skills=skills)
    assert (
        made.steps[0].arguments['angle'] == 30.0 and made.steps[0].arguments['direction'] == 'left'
    )


@pytest.mark.parametrize(
    ('outcome', 'more', 'status', 'reason', 'say'),
    [
        (
            'no_skill',
            {'verb': 'bake'},
            Status.INFEASIBLE,
            'no_skill',
            'I cannot bake: none of my skills does that.',
        ),
        (
            'unclear',
            {'left_out': ('cake',)},
            Status.NEEDS_CLARIFICATION,
            'not_understood',
            "I did not understand 'cake'. Please say it differently.",
        ),
        ('nothing', {}, Status.ANSWER, 'nothing_asked', 'I am here. Tell me what to do.'),
    ],
)
def test_other_outcomes_end_with_their_reason(run, outcome, more, status, reason, say):
    s = Script('bake a cake')
    plan = run('bake a cake', s.reading(outcome, **more), {})
    assert plan.status is status and plan.reason_codes == (reason,) and plan.say == say
    assert not plan.steps


def test_forbidden_things_are_left_alone(run):
    text = 'the pliers, not the hammer'
    s = Script(text)
    hammer = s.thing('hammer')
    plan = run(
        "don't touch the hammer",
        Script("don't touch the hammer").reading(
            'nothing', forbidden=(Script("don't touch the hammer").thing('hammer'),)
        ),
        {},
    )
    assert plan.status is Status.ANSWER and plan.say == 'I will leave the hammer alone.'
    reading = s.steps(s.step('pick', None, {'object': hammer}), forbidden=(hammer,))
    plan = run(text, reading, {'hammer': [CUP]})
    assert plan.status is Status.REFUSED and plan.reason_codes == ('forbidden_by_instruction',)
    reading = s.steps(s.step('pick', None, {'object': s.thing('pliers')}), forbidden=(hammer,))
    plan = run(text, reading, {'pliers': [CUP], 'hammer': [BOWL]})
    assert plan.status is Status.OK and [o.label for o in plan.objects] == ['pliers']


def test_a_free_place_beside_a_landmark_is_an_object_of_the_plan(run):
    text = 'put the cup left of the bowl'
    s = Script(text)
    step = s.step(
        'place', 'put', {'object': s.thing('cup'), 'target': s.thing('bowl')}, relation='left_of'
    )
    plan = run(text, s.steps(step), {'cup': [CUP], 'bowl': [BOWL]})
    assert plan.status is Status.OK and [o.label for o in plan.objects] == [
        'cup', 'bowl', 'left of the bowl'
    ]  # fmt: skip
    spot = plan.objects[2]
    assert spot.box is None and spot.point[0] < plan.objects[1].box[0]
    assert plan.steps[1].arguments == {'object': 'o1', 'target': 'o3'}
    # There is no room left of what stands at the image's edge.
    plan = run(text, s.steps(step), {'cup': [BOWL], 'bowl': [(0.0, 0.5, 0.2, 0.7)]})
    assert plan.status is Status.INFEASIBLE and plan.reason_codes == ('no_free_place',)


def test_relations_are_resolved_by_geometry(run):
    text = 'pick up the cup left of the bowl'
    s = Script(text)
    cup = s.thing('cup left of the bowl', 'cup', relation='left_of', landmarks=(s.thing('bowl'),))
    things = {'cup': [CUP, (0.85, 0.5, 0.95, 0.7)], 'bowl': [BOWL]}
    plan = run(text, s.steps(s.step('pick', 'pick up', {'object': cup})), things)
    assert plan.status is Status.OK and plan.objects[0].label == 'cup left of the bowl'
    assert plan.objects[0].point[0] == pytest.approx(96)
    plan = run(text, s.steps(s.step('pick', 'pick up', {'object': cup})), {'cup': [CUP]})
    assert plan.status is Status.INFEASIBLE and plan.say == 'I do not see a bowl.'


def test_all_repeats_the_steps_for_each_and_both_needs_two(run, catalogue):
    text = 'find all the cups'
    s = Script(text)
    cups = s.thing('cups', number='all')
    plan = run(
        text, s.steps(s.step('locate', 'find', {'object': cups})), {'cups': [CUP, BOWL, OTHER]}
    )
    assert [step.object_ids for step in plan.steps] == [('o1',), ('o2',), ('o3',)]
    cups = s.thing('cups', number='both')
    plan = run(
        text, s.steps(s.step('locate', 'find', {'object': cups})), {'cups': [CUP, BOWL, OTHER]}
    )
    assert plan.status is Status.NEEDS_CLARIFICATION and len(plan.options) == 3


def test_conditions_decide_on_what_is_seen(run):
    text = 'if you see a sponge, find the cup'
    s = Script(text)
    cup, sponge = s.thing('cup'), s.thing('sponge')
    step = s.step('locate', 'find', {'object': cup}, condition=s.condition(sponge))
    plan = run(text, s.steps(step), {'cup': [CUP], 'sponge': [BOWL]})
    assert plan.status is Status.OK and len(plan.steps) == 1
    plan = run(text, s.steps(step), {'cup': [CUP]})
    assert plan.status is Status.ANSWER and plan.say == 'I do not see the sponge, so I do nothing.'


def test_left_out_words_are_told_back_or_asked_about(run):
    text = 'find the cup twice and paint the wall'
    s = Script(text)
    step = s.step('locate', 'find', {'object': s.thing('cup')})
    plan = run('find the cup twice', s.steps(step, left_out=('twice',)), {'cup': [CUP]})
    assert plan.status is Status.OK and plan.say.endswith("I did not understand 'twice'.")
    plan = run(text, s.steps(step, left_out=('paint the wall',)), {'cup': [CUP]})
    assert plan.status is Status.NEEDS_CLARIFICATION and plan.reason_codes == ('not_understood',)
    assert "'paint the wall'" in plan.question


def test_an_english_model_is_asked_in_english(kit, catalogue, policy):
    text = '拿起红色的杯子'
    s = Script(text)
    cup = s.thing('红色的杯子', '杯子', ('红色的',))
    reading = s.steps(s.step('pick', '拿起', {'object': cup}))
    vlm = kit.FakeVlm(None, {'red cup': [CUP]})
    vlm.tasks, vlm.languages = ('query', 'point', 'detect'), ('en',)
    planner = ReaderPlanner(catalogue, ScriptedReader(reading))
    agent = Agent(vlm, catalogue, policy, planner=planner)
    plan = agent.run(Frame(kit.picture()), text)
    assert plan.status is Status.OK and plan.objects[0].label == '红色的杯子'
    assert plan.say == '我来拿起红色的杯子。' and vlm.questions[-1][0] == 'Is this a red cup?'
    s = Script('拿起克莱因瓶')
    reading = s.steps(s.step('pick', '拿起', {'object': s.thing('克莱因瓶')}))
    agent = Agent(vlm, catalogue, policy, planner=ReaderPlanner(catalogue, ScriptedReader(reading)))
    plan = agent.run(Frame(kit.picture()), '拿起克莱因瓶')
    assert plan.status is Status.INFEASIBLE and plan.reason_codes == ('unknown_word',)


@pytest.mark.parametrize(
    ('text', 'language', 'skills'),
    [
        ('bring me the red cup', 'en', ['pick']),
        ('hand me the wrench', 'en', ['pick']),
        ('把红色的杯子拿给我', 'zh', ['pick']),
        ('where is the red cup?', 'en', ['locate']),
        ('bring the cup to the shelf', 'en', ['pick', 'place']),
    ],
)
def test_who_can_only_pick_is_asked_to_bring(catalogue, text, language, skills):
    """With the reader that ships: its weights have seen skills that hand things over."""
    made = ReaderPlanner(catalogue).draft(PlanRequest(text, language))
    assert made.status is Status.OK and [step.skill for step in made.steps] == skills


def test_a_robot_that_hands_over_picks_nothing_for_it(catalogue):
    hand_over = {
        'name': 'hand_over',
        'description': {'en': 'Give an object to a person.', 'zh': '把一个物体递给人。'},
        'arguments': [{'name': 'object', 'type': 'object'}],
        'risk': 'low',
        'approval': 'never',
        'node': 'HandOver',
    }
    pick = {**hand_over, 'name': 'pick', 'node': 'Pick'} | {
        'description': {'en': 'Grasp an object and lift it.', 'zh': '抓住一个物体并把它拿起来。'}
    }
    skills = SkillCatalogue.from_data({'skills': [pick, hand_over]})
    made = ReaderPlanner(skills).draft(PlanRequest('hand me the wrench', 'en'))
    assert [step.skill for step in made.steps] == ['hand_over']


def test_a_name_ends_with_its_clause():
    """A shipped reader took "游戏，刀" for one thing here."""
    skills = SkillCatalogue.load(FOLDER / 'skills.yaml')
    made = ReaderPlanner(skills).draft(PlanRequest('我们玩个游戏，刀在这里不危险，拿起刀', 'zh'))
    assert {reference.text for reference in made.references(skills)} <= {'刀'}


def test_a_question_for_a_place_is_shown(draft):
    text = 'does anybody know where the red cup is?'
    s = Script(text)
    made = draft(text, s.question('where', s.thing('red cup', attributes=('red',))))
    (step,) = made.steps
    assert (made.status, step.skill) == (Status.OK, 'locate')
    assert step.arguments['object'].text == 'red cup' and made.say == 'Here is the red cup.'
    made = draft(text, s.question('presence', s.thing('red cup', attributes=('red',))))
    assert made.status is Status.ANSWER and not made.steps


def test_what_is_handled_needs_no_step_that_finds_it(draft):
    text = 'find the cup and the bowl, then grab the bowl'
    s = Script(text)
    cup, bowl = s.thing('cup'), s.thing('bowl')
    locate = [s.step('locate', 'find', {'object': thing}) for thing in (cup, bowl)]
    made = draft(text, s.steps(*locate, s.step('pick', 'grab', {'object': bowl})))
    assert [step.skill for step in made.steps] == ['locate', 'pick']
    assert [step.arguments['object'].text for step in made.steps] == ['cup', 'bowl']


class SentenceReader:
    """Reads sentences that it knows, and nothing that holds two of them."""

    def __init__(self, **readings):
        self.readings, self.histories = readings, {}

    def read(self, instruction, skills, language='', history=()):
        self.histories[instruction] = tuple(history)
        known = self.readings.get(instruction.replace(' ', '_'))
        return known or Script(instruction).reading('unclear')


def test_sentences_are_read_one_by_one_where_they_are_not_understood_together(catalogue):
    first, second = Script('grab the cup'), Script('find the bowl')
    reader = SentenceReader(
        grab_the_cup=first.steps(first.step('pick', 'grab', {'object': first.thing('cup')})),
        find_the_bowl=second.steps(second.step('locate', 'find', {'object': second.thing('bowl')})),
    )
    planner = ReaderPlanner(catalogue, reader)
    made = planner.draft(PlanRequest('First grab the cup, and then find the bowl', 'en'))
    assert made.status is Status.OK and made.say == 'I will grab the cup. I will find the bowl.'
    assert [step.skill for step in made.steps] == ['pick', 'locate']
    assert reader.histories['find the bowl'] == ('grab the cup',)
    made = planner.draft(PlanRequest('grab the cup. When that is done, sing', 'en'))
    assert made.status is Status.NEEDS_CLARIFICATION and not made.steps


@pytest.mark.parametrize(
    ('text', 'sentences'),
    [
        ('put the cup down', ['put the cup down']),
        ('First grab it, then look. Sing!', ['grab it', 'look', 'Sing']),
        ('先拿杯子，再找碗。然后停下', ['拿杯子', '找碗', '停下']),
        ('再拿一次先生的杯子', ['再拿一次先生的杯子']),
    ],
)
def test_sentences(text, sentences):
    assert [text[a:b] for a, b in split_sentences(text)] == sentences
