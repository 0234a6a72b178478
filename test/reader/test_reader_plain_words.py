"""Requests in plain words, and readings of them as readings of what was said."""

import pytest

from kimi_ros.reader import Argument, SkillCard, Span, Step, Thing
from kimi_ros.reader.plain_words import plain_words
from kimi_ros.reader.reading import Reading
from kimi_ros.reader.rewriting import Rewriting

THING = Argument('object', 'object')
FIND = SkillCard('find', {'en': 'Find a thing.', 'zh': '找东西。'}, (THING,))
PICK = SkillCard('pick', {'en': 'Grasp a thing and lift it.', 'zh': '拿起东西。'}, (THING,))
PUT = SkillCard('put', {'en': 'Put a thing somewhere.', 'zh': '放东西。'}, (THING, THING))
HAND = SkillCard('hand_over', {'en': 'Give a thing to somebody.', 'zh': '把东西递给人。'}, (THING,))
HOIST = SkillCard('hoist', 'Hoist a load with the winch.', (THING,))
SKILLS = FIND, PICK, PUT


@pytest.mark.parametrize(
    ('said', 'meant'),
    [
        ("I'd rather you took the green mug", 'take the green mug'),
        ('would you mind taking the mug', 'take the mug'),
        ('could the green mug be passed to me?', 'pick up the green mug'),
        ('can I have the mug?', 'pick up the mug'),
        ("I'm in need of a mug", 'pick up a mug'),
        ('the mug should be placed on the red tray', 'place the mug on the red tray'),
        ('I want the mug to be on the tray', 'put the mug on the tray'),
        ('let me know when you see the mug', 'find the mug'),
        ('does anybody know what happened to the mug', 'where is the mug'),
        ('我够不到那个杯子', '把那个杯子拿起来'),
        ('杯子递到我这边来', '把杯子拿起来'),
        ('跑一趟，把杯子带回来', '把杯子拿起来'),
        ('钥匙怎么不见了？', '钥匙在哪里？'),
        ('对准桌上的罐子', '指出桌上的罐子'),
        ('谁知道钥匙的下落', '钥匙在哪里'),
    ],
)
def test_what_surely_means_the_same(said, meant):
    assert plain_words(said, SKILLS).sure.text == meant


@pytest.mark.parametrize(
    ('said', 'meant'),
    [
        ('hoist the crate', 'pick up the crate'),
        ('then elevate that tin please', 'then pick up that tin please'),
        ('lodge the fork in the jar', 'put the fork in the jar'),
        ('take the tin off the table', 'pick up the tin'),
        ('rid the desk of that tin', 'pick up that tin'),
        ('point your arm at the tin', 'show me the tin'),
        ('put your finger on the tin', 'show me the tin'),
        ('give me tin', 'pick up the tin'),
        ('drop spoon in cup', 'put the spoon in cup'),
        ('用夹爪夹住罐子', '把罐子拿起来'),
        ('把罐子攥住', '把罐子拿起来'),
        ('把罐子举高一点', '把罐子拿起来'),
        ('我急着用罐子', '把罐子拿起来'),
        ('把罐子搁到架子上', '把罐子放到架子上'),
    ],
)
def test_plainest_words(said, meant):
    words = plain_words(said, SKILLS)
    assert (words.sure.text, words.plain.text) == (said, meant)


@pytest.mark.parametrize(
    'said',
    [
        'take the cup',
        'where is the crate?',
        'I love the red mug',
        "I don't want the mug",
        'if I need a spoon I will tell you',
        'the mug should not be placed on the tray',
        'let the guest sit on the chair',
        '把杯子放到桌子上',
        '别递给我',
        '让孩子坐到椅子上',
    ],
)
def test_plain_requests_stay(said):
    assert plain_words(said, (FIND, PUT)).sure.text == said


@pytest.mark.parametrize(
    'said',
    [
        'do not hoist the crate',
        "I'd rather you didn't grab the crate",
        'never lift that crate',
        '不要把杯子递给我',
        '别把杯子攥住',
        '我不想用刀，先拿来',
    ],
)
def test_what_forbids_stays(said):
    words = plain_words(said, SKILLS)
    assert (words.sure.text, words.plain.text) == (said, said)
    assert (
        plain_words("hoist the crate if you don't mind", SKILLS).plain.text == 'pick up the crate'
    )


def test_a_noun_is_no_verb():
    assert plain_words('the hoist is broken', SKILLS).plain.text == 'the hoist is broken'


def test_a_verb_that_is_a_skill_stays():
    assert plain_words('hoist the crate', (*SKILLS, HOIST)).plain.text == 'hoist the crate'


def test_who_can_hand_over_is_asked_to():
    assert plain_words('can I have the mug', (*SKILLS, HAND)).sure.text == 'bring me the mug'
    assert plain_words('我够不到杯子', (*SKILLS, HAND)).sure.text == '把杯子拿给我'


def reading_of(text, verb, name):
    def span(words):
        return Span(text.index(words), text.index(words) + len(words))

    thing = Thing(span(name), span(name.split()[-1]))
    return Reading('steps', (Step('pick', span(verb), {'object': (thing,)}),))


def test_a_reading_is_about_the_words_that_were_said():
    said = "well, I'd rather you took the green mug"
    words = plain_words(said, SKILLS).sure
    (step,) = words.original(reading_of(words.text, 'take', 'green mug')).steps
    assert step.verb.text_in((said,)) == 'took'
    (thing,) = step.things['object']
    assert (thing.words.text_in((said,)), thing.head.text_in((said,))) == ('green mug', 'mug')


def test_a_verb_that_was_not_said_is_none():
    words = plain_words('can I have the mug', SKILLS).sure
    assert words.original(reading_of(words.text, 'pick', 'mug')).steps[0].verb is None


def test_no_name_holds_words_that_were_added_or_lay_apart():
    added = Rewriting('red mug', (None,) * 4 + ((0, 1), (1, 2), (2, 3)))
    assert added.original(reading_of('red mug', 'mug', 'red mug')) is None
    apart = Rewriting('redmug', ((8, 9), (9, 10), (10, 11), (0, 1), (1, 2), (2, 3)))
    assert apart.original(reading_of('redmug', 'mug', 'redmug')) is None
