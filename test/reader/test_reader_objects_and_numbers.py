"""Objects that stand before their places, and numbers with all of their words."""

import pytest

from kimi_ros.reader import Argument, Reader, SkillCard
from kimi_ros.reader.meant_numbers import widen_quantity
from kimi_ros.reader.placements import read_placement
from kimi_ros.reader.reading import Span
from kimi_ros.reader.tokenizer import tokenize

SKILLS = (
    SkillCard(
        'press_button',
        {'en': 'Press a button.', 'zh': '按一个按钮。'},
        (Argument('object', 'point'),),
    ),
    SkillCard(
        'water_plant', {'en': 'Water a plant.', 'zh': '浇花。'}, (Argument('object', 'object'),)
    ),
    SkillCard(
        'set_conveyor',
        {'en': 'Set the speed of the conveyor belt.', 'zh': '设定传送带速度。'},
        (Argument('speed', 'number', (), 'm/s', 0, 2),),
    ),
)


@pytest.fixture(scope='module')
def reader():
    return Reader.load()


@pytest.mark.parametrize(
    ('said', 'name', 'relation', 'place'),
    [
        ('push the red button on the coffee machine', 'red button', 'on', 'coffee machine'),
        ('press the button next to the door', 'button', 'next_to', 'door'),
        ('water the orchid on the windowsill', 'orchid', 'on', 'windowsill'),
    ],
)
def test_a_thing_is_not_taken_for_its_place(reader, said, name, relation, place):
    (step,) = reader.read(said, SKILLS).steps
    (thing,) = step.all_things
    assert thing.head.text_in((said,)) in name and name in said
    assert thing.relation == relation
    assert [landmark.words.text_in((said,)) for landmark in thing.landmarks] == [place]


@pytest.mark.parametrize(
    ('said', 'speed'),
    [
        ('slow the belt down to 0.3 m/s', 0.3),
        ('run the belt at one point two metres a second', 1.2),
        ('传送带开到一点二米每秒', 1.2),
    ],
)
def test_a_number_is_read_with_all_of_its_words(reader, said, speed):
    (step,) = reader.read(said, SKILLS).steps
    assert step.values['speed'].value == pytest.approx(speed)


@pytest.mark.parametrize(
    ('said', 'found', 'unit', 'whole'),
    [
        ('a timer for an hour and a quarter', 'an hour', 'min', 'an hour and a quarter'),
        ('开到一点二米每秒', '二米', 'm/s', '一点二米每秒'),
        ('每秒半米就行', '半米', 'm/s', '每秒半米'),
        ('put 3 cups on table 5', '3', '', '3'),
        ('wait ten minutes', 'ten minutes', 'min', 'ten minutes'),
    ],
)
def test_a_quantity_is_widened_to_its_whole(said, found, unit, whole):
    start = said.index(found)
    words = widen_quantity(said, Span(start, start + len(found)), tokenize(said), unit)
    assert words.text_in((said,)) == whole


@pytest.mark.parametrize(
    ('said', 'things', 'relation'),
    [
        ('put my rosary next to the picture', ['rosary', 'picture'], 'next_to'),
        ('Could you tuck the chisel back in the roll, please?', ['chisel', 'roll'], 'in'),
        ('把那把刷子放在铲子和水桶的中间吧', ['那把刷子', '铲子', '水桶'], 'between'),
        ('put the chisel in the roll and close it', None, ''),
        ('put chisel in roll', None, ''),
        ('put the chisel back in the roll', ['chisel', 'roll'], 'in'),
        ('扳手放到说明书旁边', ['扳手', '说明书'], 'next_to'),
        ('put it in the roll', None, ''),
        ('put the kettle on', None, ''),
    ],
)
def test_a_plain_placement_is_read_for_any_skill_that_puts(said, things, relation):
    stow = SkillCard(
        'stow',
        {'en': 'Put the tool back in its place.', 'zh': '把工具收回该放的地方。'},
        (Argument('object', 'object'), Argument('target', 'object')),
    )
    reading = read_placement(said, (*SKILLS, stow))
    if things is None:
        assert reading is None
        return
    (step,) = reading.steps
    assert step.skill == 'stow' and step.relation == relation
    assert [thing.words.text_in((said,)) for thing in step.all_things] == things
    assert read_placement(said, SKILLS) is None  # nothing puts
    assert read_placement(said, (*SKILLS, stow, stow._replace(name='lay'))) is None
