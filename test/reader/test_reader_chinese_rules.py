"""Chinese verbs of two meanings, and nouns that run together."""

import pytest

from kimi_ros.reader import Argument, SkillCard
from kimi_ros.reader.chinese_rules import apply_chinese_rules
from kimi_ros.reader.reading import Reading, Span, Step, Thing

THING = Argument('object', 'object')
PLACE = Argument('target', 'object')


def card(name, told, *arguments):
    return SkillCard(name, {'en': name, 'zh': told}, arguments or (THING,))


SKILLS = (
    card('open', '打开抽屉或门。'),
    card('close', '关上抽屉或门。'),
    card('turn_on', '打开电器。'),
    card('turn_off', '关掉电器。'),
    card('place', '把拿着的物体放到某物上。', THING, PLACE),
    card('push', '在桌上把物体推到某处。', THING, PLACE),
)


def step(text, skill, verb, *things):
    def span(words):
        return Span(text.index(words), text.index(words) + len(words))

    named = zip(('object', 'target'), things, strict=False)
    return Step(skill, span(verb), {slot: (Thing(span(t), span(t)),) for slot, t in named})


def ruled(text, *steps, skills=SKILLS):
    cards = {card.name: card for card in skills}
    reading = apply_chinese_rules(Reading('steps', steps), (text,), cards)
    return [
        (s.skill, *(thing.words.text_in((text,)) for thing in s.all_things)) for s in reading.steps
    ]


@pytest.mark.parametrize(
    ('text', 'skill', 'verb', 'thing', 'meant'),
    [
        ('打开抽屉', 'turn_on', '打开', '抽屉', 'open'),
        ('把柜门关上', 'turn_off', '关上', '柜门', 'close'),
        ('打开阀门', 'turn_on', '打开', '阀门', 'turn_on'),
        ('打开音箱', 'turn_on', '打开', '音箱', 'turn_on'),
        ('打开台灯', 'turn_on', '打开', '台灯', 'turn_on'),
    ],
)
def test_what_has_a_door_is_opened_and_not_switched_on(text, skill, verb, thing, meant):
    assert ruled(text, step(text, skill, verb, thing)) == [(meant, thing)]


def test_a_verb_chooses_the_one_skill_that_is_described_by_it():
    text = '把盘子推到炉子'
    read = step(text, 'place', '推', '盘子', '炉子')
    assert ruled(text, read) == [('push', '盘子', '炉子')]
    assert ruled(text, read, skills=SKILLS[:-1]) == [('place', '盘子', '炉子')]


def test_one_noun_is_not_two_things():
    text = '把奶油奶酪和黄油放进篮子'
    steps = [step(text, 'place', '放', thing, '篮子') for thing in ('奶油', '奶酪', '黄油')]
    assert ruled(text, *steps) == [('place', '奶油奶酪', '篮子'), ('place', '黄油', '篮子')]
