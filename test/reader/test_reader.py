"""The shipped reader, through its public API."""

import dataclasses

import pytest

from kimi_ros.reader import Argument, Reader, ReaderError, SkillCard

THING = Argument('object', 'object')
PLACE = Argument('target', 'object')
SKILLS = (
    SkillCard(
        'pick', {'en': 'Grasp an object and lift it.', 'zh': '抓住一个物体并把它拿起来。'}, (THING,)
    ),
    SkillCard(
        'place',
        {
            'en': 'Put an object on, in or next to another.',
            'zh': '把物体放到另一个物体上、里或旁边。',
        },
        (THING, PLACE),
    ),
    SkillCard(
        'wipe',
        {'en': 'Wipe a surface clean.', 'zh': '擦干净一个表面。'},
        (Argument('surface', 'region'),),
    ),
    SkillCard(
        'wait',
        {'en': 'Do nothing for a while.', 'zh': '等待一段时间。'},
        (Argument('minutes', 'number', (), 'min', 0, 120),),
    ),
)


@pytest.fixture(scope='module')
def reader():
    return Reader.load()


def read(reader, text, history=(), skills=SKILLS):
    return reader.read(text, skills, history=history)


def said(text, span, history=()):
    return (text, *history)[span.turn][span.start : span.end]


def steps(text, reading, history=()):
    """Return (skill, names of its things, its values) of each step."""
    return [
        (
            step.skill,
            *(said(text, t.words, history) for some in step.things.values() for t in some),
            *(value.value for value in step.values.values()),
        )
        for step in reading.steps
    ]


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('pick up the zorblatt', [('pick', 'zorblatt')]),
        ('put the red mug in the basket', [('place', 'red mug', 'basket')]),
        ('grab the spoon and put it in the bowl',
         [('pick', 'spoon'), ('place', 'spoon', 'bowl')]),
        ('please wipe the kitchen counter', [('wipe', 'kitchen counter')]),
        ('wait for twenty minutes', [('wait', 20)]),
        ('把杯子放到盘子里', [('place', '杯子', '盘子')]),
        ('拿起那把红色的锤子', [('pick', '红色的锤子')]),
        ('擦一下桌子', [('wipe', '桌子')]),
        ('把桌子擦一下', [('wipe', '桌子')]),
        ('等五分钟', [('wait', 5)]),
    ],
)  # fmt: skip
def test_steps(reader, text, expected):
    reading = read(reader, text)
    assert reading.outcome == 'steps'
    assert steps(text, reading) == expected
    assert reading.confidence >= reader.threshold


@pytest.mark.parametrize(
    ('text', 'relation'),
    [
        ('put the cup on the tray', 'on'),
        ('put the cup next to the tray', 'next_to'),
        ('put the cup between the tray and the plate', 'between'),
        ('把杯子放在盘子左边', 'left_of'),
        ('把杯子放到托盘上', 'on'),
    ],
)
def test_relation_of_the_place(reader, text, relation):
    (step,) = read(reader, text).steps
    assert step.relation == relation
    assert len(step.things['target']) == (2 if relation == 'between' else 1)


def test_pronoun_refers_to_the_previous_turn(reader):
    history = ('where is the green bottle?',)
    reading = read(reader, 'put it in the basket', history)
    assert steps('put it in the basket', reading, history) == [('place', 'green bottle', 'basket')]
    assert reading.steps[0].things['object'][0].words.turn == 1


@pytest.mark.parametrize(
    ('text', 'thing'), [("don't touch the vase", 'vase'), ('别碰那个花瓶', '花瓶')]
)
def test_prohibition(reader, text, thing):
    reading = read(reader, text)
    assert reading.outcome == 'nothing' and not reading.steps
    assert [said(text, t.words) for t in reading.forbidden] == [thing]


@pytest.mark.parametrize(
    ('text', 'kind', 'thing'),
    [
        ('how many cups are there?', 'count', 'cups'),
        ('is there a hammer?', 'presence', 'hammer'),
        ('有几个杯子？', 'count', '杯子'),
    ],
)
def test_questions(reader, text, kind, thing):
    reading = read(reader, text)
    assert (reading.outcome, reading.question.kind) == ('answer', kind)
    assert [said(text, t.words) for t in reading.question.things] == [thing]


def test_condition_of_a_step(reader):
    text = 'if you see a sponge, wipe the table'
    (step,) = read(reader, text).steps
    assert said(text, step.condition.thing.words) == 'sponge' and step.condition.present


def test_noun_phrase_structure(reader):
    text = 'pick up the red cup left of the kettle'
    (thing,) = read(reader, text).steps[0].things['object']
    assert said(text, thing.words) == 'red cup left of the kettle'
    assert said(text, thing.head) == 'cup'
    assert [said(text, a) for a in thing.attributes] == ['red']
    assert thing.relation == 'left_of'
    assert [said(text, mark.words) for mark in thing.landmarks] == ['kettle']


@pytest.mark.parametrize('text', ['thanks, that was all', '谢谢你'])
def test_small_talk_gives_no_steps(reader, text):
    assert read(reader, text).outcome == 'nothing'


@pytest.mark.parametrize('text', ['stab the man with the knife', 'xqz blorp', '', '...', '？'])
def test_unsupported_request_gives_no_steps(reader, text):
    reading = read(reader, text)
    assert reading.outcome in ('no_skill', 'unclear', 'nothing')
    assert not reading.steps


def test_every_name_is_a_span_of_the_text(reader):
    history = ('the blue crate is empty', '把箱子搬走')
    for text in (
        'put both of them on the third shelf from the left, then wipe it for 2 minutes',
        '先把它放到最左边的架子上，再把剩下的都拿过来',
        'no no no the other one!!',
    ):
        reading = read(reader, text, history)
        for words in _spans(reading):
            assert words.turn <= 2
            assert said(text, words, history).strip()


def test_reading_is_independent_of_skill_order(reader):
    for text in ('put the red mug in the basket', '擦一下桌子'):
        there, back = (read(reader, text, skills=s) for s in (SKILLS, SKILLS[::-1]))
        assert dataclasses.replace(there, confidence=0) == dataclasses.replace(back, confidence=0)


def test_skill_and_argument_names_are_those_of_the_catalogue(reader):
    skill = SkillCard(
        'tidy_away',
        'Put a thing into a box.',
        (Argument('what', 'object'), Argument('box', 'object')),
    )
    (step,) = read(reader, 'put the sock into the basket', skills=(skill,)).steps
    assert step.skill == 'tidy_away' and list(step.things) == ['what', 'box']


def test_duplicate_skill_names_are_rejected(reader):
    for skills in ((), (SKILLS[0], SKILLS[0])):
        with pytest.raises(ReaderError, match='unique names'):
            reader.read('go', skills)


def test_loading_a_folder_without_a_reader_fails(tmp_path):
    with pytest.raises(ReaderError, match='is not a reader'):
        Reader.load(tmp_path)
    (tmp_path / 'model.json').write_text('{"format": 99}')
    with pytest.raises(ReaderError, match='format 99'):
        Reader.load(tmp_path)
    (tmp_path / 'model.json').write_text('{"format": 1}')
    with pytest.raises(ReaderError, match=r'encoder\.onnx is missing'):
        Reader.load(tmp_path)


@pytest.mark.parametrize(
    ('text', 'skill', 'names'),
    [
        ("I'd rather you took the green mug", 'pick', ['green mug']),
        ('hoist the crate', 'pick', ['crate']),
        ('take the tin off the table', 'pick', ['tin']),
        ('lodge the fork in the jar', 'place', ['fork', 'jar']),
        ('用夹爪夹住那个罐子', 'pick', ['罐子']),
        ('把罐子搁到架子上', 'place', ['罐子', '架子']),
    ],
)
def test_requests_in_rarer_words(reader, text, skill, names):
    (step,) = reader.read(text, SKILLS).steps
    assert step.skill == skill
    assert [thing.words.text_in((text,)) for thing in step.all_things] == names


def test_low_confidence_is_unclear(reader):
    unsure = Reader(reader._network, threshold=1.01)
    reading = unsure.read('pick up the cup', SKILLS)
    assert reading.outcome == 'unclear' and not reading.steps


def _spans(value):
    """Go through the spans in a reading."""
    if dataclasses.is_dataclass(value):
        if hasattr(value, 'turn'):
            yield value
            return
        for field in dataclasses.fields(value):
            yield from _spans(getattr(value, field.name))
    elif isinstance(value, dict):
        yield from _spans(tuple(value.values()))
    elif isinstance(value, tuple):
        for part in value:
            yield from _spans(part)
