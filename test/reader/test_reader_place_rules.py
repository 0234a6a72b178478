"""Rules for places and recipients that the network leaves out."""

import pytest

from kimi_ros.reader import Argument, Question, Reading, SkillCard, Span, Step, Thing
from kimi_ros.reader.features import Features, TokenizedInstruction
from kimi_ros.reader.place_rules import (
    add_object_place,
    add_place_relation,
    add_question_place,
    add_recipient,
)
from kimi_ros.reader.tokenizer import tokenize


def tokenized(text):
    tokens = tokenize(text)
    return TokenizedInstruction(tokens, [0] * len(tokens), Features(*[()] * 8))


def thing(text, words):
    span = Span(text.index(words), text.index(words) + len(words))
    return Thing(span, span)


def words(text, span):
    return text[span.start : span.end]


@pytest.mark.parametrize(
    ('text', 'noun', 'relation', 'landmark'),
    [
        ('how many plates are on the dresser?', 'plates', 'on', 'dresser'),
        ('is the wrench in front of my tool chest', 'wrench', 'in_front_of', 'tool chest'),
        ('柜子里有几个杯子？', '杯子', 'in', '柜子'),
        ('how many plates are on the table?', 'plates', '', ''),
        ('how many plates are there?', 'plates', '', ''),
    ],
)
def test_add_question_place(text, noun, relation, landmark):
    reading = Reading('answer', question=Question('count', (thing(text, noun),)))
    (found,) = add_question_place(reading, text, tokenized(text)).question.things
    assert found.relation == relation
    assert [words(text, mark.words) for mark in found.landmarks] == [landmark] * bool(landmark)


@pytest.mark.parametrize(
    ('text', 'noun', 'verb', 'person'),
    [
        ('hand the cup to the old lady', 'cup', 'hand', 'old lady'),
        ('把杯子递给奶奶', '杯子', '递', '奶奶'),
        ('hand the cup to me', 'cup', 'hand', None),
    ],
)
def test_add_recipient(text, noun, verb, person):
    skill = SkillCard(
        'give', 'Give it.', (Argument('object', 'object'), Argument('person', 'object'))
    )
    step = Step('give', thing(text, verb).words, {'object': (thing(text, noun),)})
    (found,) = add_recipient(Reading('steps', (step,)), text, (skill,), tokenized(text)).steps
    told = [words(text, t.words) for t in found.things.get('person', ())]
    assert told == ([person] if person else [])


@pytest.mark.parametrize(
    ('text', 'noun', 'place'),
    [
        ('follow the woman pointing left in the kitchen', 'woman pointing left', 'kitchen'),
        ('follow the man at the front desk now', 'man', 'front desk'),
        ('follow the man now, it is warm in the kitchen', 'man', None),
    ],
)
def test_add_object_place(text, noun, place):
    skill = SkillCard('follow', 'Follow somebody.', (Argument('person', 'object'),))
    step = Step('follow', thing(text, 'follow').words, {'person': (thing(text, noun),)})
    (found,) = add_object_place(Reading('steps', (step,)), text, (skill,), tokenized(text)).steps
    (person,) = found.things['person']
    assert [words(text, mark.words) for mark in person.landmarks] == ([place] if place else [])


@pytest.mark.parametrize(
    ('text', 'noun', 'place', 'relation'),
    [
        ('stow the chisel in the roll', 'chisel', 'roll', 'in'),
        ('slide the drum onto a pallet', 'drum', 'pallet', 'on'),
        ('凿子放回工具卷里', '凿子', '工具卷', 'in'),
        ('take the chisel to the bench', 'chisel', 'bench', ''),
    ],
)
def test_add_place_relation(text, noun, place, relation):
    skill = SkillCard('stow', 'Put away.', (Argument('part', 'object'), Argument('slot', 'object')))
    things = {'part': (thing(text, noun),), 'slot': (thing(text, place),)}
    (found,) = add_place_relation(
        Reading('steps', (Step('stow', None, things),)), text, (skill,)
    ).steps
    assert found.relation == relation
