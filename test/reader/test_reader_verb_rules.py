"""Steps whose verb asks for something else than their skill, and steps of taking and putting."""

from dataclasses import replace

import pytest

from kimi_ros.reader import Argument, SkillCard
from kimi_ros.reader.denial_rules import apply_denial_rules
from kimi_ros.reader.handling_rules import apply_handling_rules
from kimi_ros.reader.reading import Reading, Span, Step, Thing, Value
from kimi_ros.reader.tokenizer import normalize
from kimi_ros.reader.verb_rules import apply_verb_rules

THING = Argument('object', 'object')
SIDE = Argument('direction', 'enum', ('left', 'right'))
PUSH = SkillCard('push', 'Push or slide a thing to one side.', (THING, SIDE))
ROTATE = SkillCard('rotate', 'Rotate a thing to one side.', (THING, SIDE))
PICK = SkillCard('pick', 'Grasp a thing and lift it.', (THING,))
PLACE = SkillCard('place', 'Put a thing on another.', (THING, Argument('target', 'object')))
OPEN = SkillCard('open', 'Open a drawer.', (THING,))
GREET = SkillCard('greet', 'Greet a person, say hello.', (Argument('person', 'object'),))
FOLLOW = SkillCard('follow', 'Follow a person.', (Argument('person', 'object'),))
GUIDE = SkillCard('guide', 'Lead a person to a place.', (THING, Argument('target', 'region')))
SAY = SkillCard('say', 'Say something.', (Argument('text', 'string'),))


def span(text, words):
    start = text.index(words)
    return Span(start, start + len(words))


def thing(text, words):
    return Thing(span(text, words), span(text, words.split()[-1]))


def step(text, skill, verb, value='', **things):
    values = {'direction': Value(span(text, value), value)} if value else {}
    named = {slot: (thing(text, words),) for slot, words in things.items()}
    return Step(skill, span(text, verb), named, values)


def ruled(text, steps, *skills):
    texts, cards = (normalize(text),), {card.name: card for card in skills}
    reading = apply_verb_rules(Reading('steps', tuple(steps)), texts, cards)
    return apply_handling_rules(reading, texts, cards)


@pytest.mark.parametrize(
    ('text', 'verb', 'noun', 'side'),
    [
        ('rotate the box to the left', 'rotate', 'box', 'left'),
        ('turn the jar right', 'turn', 'jar', 'right'),
        ('把盒子向left旋转', '旋转', '盒子', 'left'),
    ],
)
def test_rotating_is_not_pushing(text, verb, noun, side):
    rotated = ruled(text, [step(text, 'push', verb, side, object=noun)], PUSH, PICK)
    assert (rotated.outcome, rotated.steps, rotated.verb) == ('no_skill', (), span(text, verb))


def test_a_skill_of_the_right_motion_is_taken_instead():
    text = 'slide right the box'
    (slid,) = ruled(
        text, [step(text, 'rotate', 'slide', 'right', object='box')], ROTATE, PUSH
    ).steps
    assert (slid.skill, slid.values['direction'].value) == ('push', 'right')


@pytest.mark.parametrize(
    ('text', 'skill', 'verb', 'noun', 'card'),
    [
        ('push the box left', 'push', 'push', 'box', PUSH),
        ('turn on the lamp', 'push', 'turn', 'lamp', PUSH),
        ('say hello to the nurse', 'greet', 'say', 'nurse', GREET),
        ('open the chest', 'open', 'open', 'chest', OPEN),
        ('answer the door', 'open', 'answer', 'door', OPEN),
        ('tell the chest to open', 'open', 'tell', 'chest', OPEN),
        ('move the jar left', 'rotate', 'move', 'jar', ROTATE),
    ],
)
def test_other_verbs_are_left_alone(text, skill, verb, noun, card):
    slot = card.arguments[0].name
    assert ruled(text, [step(text, skill, verb, **{slot: noun})], card).steps


@pytest.mark.parametrize(
    ('text', 'verb', 'person'),
    [
        ('answer the question of the nurse', 'answer', 'nurse'),
        ('tell the nurse a story', 'tell', 'nurse'),
        ('meet the nurse at the door', 'meet', 'nurse'),
        ('回答护士的问题', '回答', '护士'),
    ],
)
def test_talk_needs_a_skill_that_talks(text, verb, person):
    steps = [step(text, 'follow', verb, person=person)]
    assert ruled(text, steps, FOLLOW, GREET).outcome == 'no_skill'


def test_a_skill_with_a_text_may_talk():
    text = 'tell the nurse a story'
    told = Step('say', span(text, 'tell'), {}, {'text': Value(span(text, 'a story'), 'a story')})
    assert ruled(text, [told], SAY).steps == (told,)


def test_telling_a_quality_is_a_question():
    text = 'tell me the name of the nurse in the hall'
    told = ruled(text, [step(text, 'greet', 'tell', person='nurse')], GREET)
    assert (told.outcome, told.question.kind) == ('answer', 'attribute')
    assert told.question.things == (thing(text, 'nurse'),)


def test_a_verb_that_names_another_skill_chooses_it():
    text = 'follow the nurse to the hall'
    (step_,) = ruled(
        text, [step(text, 'guide', 'follow', object='nurse', target='hall')], GUIDE, FOLLOW
    ).steps
    assert (step_.skill, step_.things) == ('follow', {'person': (thing(text, 'nurse'),)})


@pytest.mark.parametrize(
    ('text', 'grasp', 'handle', 'open_', 'whole'),
    [
        ('grasp the drawer handle and open it', 'grasp', 'drawer handle', 'open', 'drawer handle'),
        ('grab the handle of the chest, then open the chest', 'grab', 'handle of the chest')
        + ('open', 'chest'),
        ('抓住抽屉的把手打开抽屉', '抓住', '抽屉的把手', '打开', '抽屉'),
    ],
)
def test_taking_the_handle_is_no_step(text, grasp, handle, open_, whole):
    steps = [step(text, 'pick', grasp, object=handle), step(text, 'open', open_, object=whole)]
    assert [s.skill for s in ruled(text, steps, PICK, OPEN).steps] == ['open']


def test_taking_a_thing_before_another_is_a_step():
    text = 'grasp the pan by its handle and open the drawer'
    steps = [
        step(text, 'pick', 'grasp', object='pan by its handle'),
        step(text, 'open', 'open', object='drawer'),
    ]
    assert ruled(text, steps, PICK, OPEN).steps == tuple(steps)


def test_a_place_before_grasping_is_where_the_thing_is():
    text = 'in the chest grasp the red cup'
    (taken,) = ruled(
        text, [step(text, 'place', 'grasp', object='red cup', target='chest')], PLACE, PICK
    ).steps
    assert (taken.skill, taken.things['object'][0].landmarks) == ('pick', (thing(text, 'chest'),))


def test_a_place_after_grasping_is_where_it_goes():
    text = 'grab the red cup and put it in the chest'
    put = step(text, 'place', 'grab', object='red cup', target='chest')
    assert ruled(text, [put], PLACE, PICK).steps == (put,)


def test_a_thing_that_is_put_somewhere_needs_a_skill_with_a_place():
    text = 'store the red block in the drawer'
    (put,) = ruled(text, [step(text, 'pick', 'store', object='drawer')], PICK, PLACE).steps
    named = {'object': (thing(text, 'red block'),), 'target': (thing(text, 'drawer'),)}
    assert (put.skill, put.things, put.relation) == ('place', named, 'in')


def test_a_skill_that_takes_the_thing_needs_no_place():
    text = 'put the cup in the drawer'
    taken = step(text, 'pick', 'put', object='cup')
    assert ruled(text, [taken], PICK, PLACE).steps == (taken,)


def test_a_skill_that_reports_may_be_asked_to_tell():
    text = 'tell me the position of the cup'
    locate = SkillCard('locate', 'Find a thing and report its position.', (THING,))
    found = step(text, 'locate', 'tell', object='cup')
    assert ruled(text, [found], locate).steps == (found,)


def test_a_thing_that_is_of_something_is_handed_over():
    text = 'give me the box of crackers'
    hand_over = SkillCard('hand_over', 'Give an object to the person.', (THING,))
    steps = [step(text, 'hand_over', 'give', object='box of crackers')]
    assert ruled(text, steps, hand_over).steps == tuple(steps)


def test_returning_is_no_turning():
    """A stem counts at the beginning of a word, and a skill without arguments is left alone."""
    text = 'move to the dock'
    dock = SkillCard('dock', 'Return to the dock.', ())
    steps = [step(text, 'dock', 'move')]
    assert ruled(text, steps, dock, SkillCard('halt', 'Stop moving.', ())).steps == tuple(steps)


def test_a_gesture_may_introduce():
    text = 'introduce yourself with a wave'
    wave = SkillCard('wave', 'Wave a hand.', ())
    steps = [step(text, 'wave', 'introduce')]
    assert ruled(text, steps, wave).steps == tuple(steps)


def test_lifting_finds_nothing():
    find = SkillCard('find', 'Find a thing and show where it is.', (THING,))
    text = 'elevate the tin'
    (lifted,) = ruled(text, [step(text, 'find', 'elevate', object='tin')], find, PICK).steps
    assert lifted.skill == 'pick'
    (shown,) = ruled(text, [step(text, 'find', 'elevate', object='tin')], find, GREET).steps
    assert shown.skill == 'find'


@pytest.mark.parametrize('relation', ['left_of', 'on'])
def test_what_is_lifted_beside_something_is_not_put_there(relation):
    text = 'lift the tin left of the jar'
    placed = replace(step(text, 'place', 'lift', object='tin', target='jar'), relation=relation)
    (lifted,) = ruled(text, [placed], PICK, PLACE).steps
    if relation == 'on':  # "lift the lid onto the jar"
        assert lifted == placed
        return
    (tin,) = lifted.things['object']
    assert (lifted.skill, lifted.relation, tin.relation) == ('pick', '', 'left_of')
    assert tin.words.text_in((text,)) == 'tin left of the jar'


@pytest.mark.parametrize(
    ('text', 'verb', 'noun', 'denied'),
    [
        ("I'd rather you didn't take the jar", 'take', 'jar', True),
        ('please never lift the jar', 'lift', 'jar', True),
        ('不要把罐子递给我', '递', '罐子', True),
        ('别再拿罐子', '拿', '罐子', True),
        ("why don't you take the jar", 'take', 'jar', False),
        ("don't wait, take the jar", 'take', 'jar', False),
        ('别忘了拿罐子', '拿', '罐子', False),
        ('别等了，拿罐子', '拿', '罐子', False),
        ('能不能把罐子递给我', '递', '罐子', False),
        ('分别拿罐子', '拿', '罐子', False),
    ],
)
def test_what_is_denied_is_forbidden(text, verb, noun, denied):
    ruled = apply_denial_rules(
        Reading('steps', (step(text, 'pick', verb, object=noun),)), (normalize(text),)
    )
    assert [t.words.text_in((text,)) for t in ruled.forbidden] == ([noun] if denied else [])
    assert (ruled.outcome, len(ruled.steps)) == (('nothing', 0) if denied else ('steps', 1))


def test_chinese_verb_of_one_description_chooses_its_skill():
    grasp = SkillCard('grasp', '抓住一个物体并把它拿起来。', (THING,))
    cut = SkillCard('cut', '用刀切或剪东西。', (THING,))
    text = '拿起刀'
    chosen = ruled(text, [step(text, 'cut', '拿起', object='刀')], grasp, cut)
    assert [s.skill for s in chosen.steps] == ['grasp']
    assert chosen.steps[0].things == {'object': (thing(text, '刀'),)}
    text = '切面包'
    assert ruled(text, [step(text, 'cut', '切', object='面包')], grasp, cut).steps[0].skill == 'cut'
