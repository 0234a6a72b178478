"""English questions, small talk, unintelligible text and requests that no skill fulfils."""

from __future__ import annotations

from kimi_train.reader.language import sentence_corpus
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.span_markers import closing_marker

__all__ = [
    'UNSUPPORTED_REQUESTS',
    'UNSUPPORTED_VERBS',
    'SMALL_TALK',
    'generate_question',
    'unintelligible_text',
]

TEMPLATES = sentence_templates('en')

_UNSUPPORTED_REQUESTS = {
    'fly': (' to the ceiling', ' to the moon', ' around the room', ' out of the window'),
    'order': (' a pizza', ' some groceries', ' a taxi', ' me a new phone'),
    'call': (' my mum', ' the doctor', ' a taxi', ' the police', ' my sister'),
    'play': (' some music', ' my favourite song', ' chess with me', ' the radio'),
    'sing': (' me a song', ' a lullaby', ' happy birthday'),
    'dance': (' with me', ' a little', ''),
    'email': (' the report to my boss', ' my colleague'),
    'book': (' a table for two', ' a flight to paris', ' me a hotel'),
    'buy': (' some milk', ' a new lamp', ' me a ticket'),
    'translate': (' this letter', ' the label into french'),
    'swim': (' across the pool', ' a lap'),
    'climb': (' the stairs', ' onto the roof', ' the ladder'),
    'jump': (' over the box', ' up and down'),
    'marry': (' me',),
    'remind': (' me to call the bank', ' me at six'),
    'download': (' the app', ' a film'),
    'invent': (' something new', ' a better lamp'),
    'drive': (' my car to the garage', ' me to the airport'),
    'massage': (' my back', ' my feet'),
    'babysit': (' the kids',),
    'explode': ('', ' the box'),
    'teleport': (' to the kitchen', ' me home'),
    'dissolve': (' the tablet in acid',),
    'shoot': (' the target', ' the ball'),
    'stab': (' him', ' the man'),
    'bake': (' a cake', ' some bread'),
    'knit': (' a scarf', ' me a jumper'),
    'paint': (' the ceiling', ' my portrait'),
    'repair': (' the roof', ' my bicycle'),
    'mow': (' the lawn',),
    'shave': (' my beard',),
    'hypnotise': (' the cat',),
    'google': (' the recipe', ' the weather'),
    'whistle': (' a tune', ''),
    'photograph': (' the birds', ' the car'),
    'solve': (' this equation', ' the puzzle'),
    'predict': (' the weather', ' the lottery numbers'),
    'milk': (' the cow',),
    'iron': (' my shirts', ' the tablecloth'),
    'vaccinate': (' the patient',),
}
UNSUPPORTED_VERBS = tuple(_UNSUPPORTED_REQUESTS)
UNSUPPORTED_REQUESTS = tuple(_UNSUPPORTED_REQUESTS.values())

SMALL_TALK = TEMPLATES['small_talk']

_FRAGMENTS = TEMPLATES['fragments']
_NONWORDS = TEMPLATES['nonwords']


def _noun(generator):
    noun_phrases = generator.noun_phrases
    return noun_phrases.lexicon.noun(generator.rng, ('any',), noun_phrases.split).word


def unintelligible_text(generator) -> str:
    """Return filler words, nonwords or a truncated sentence."""
    r = generator.random()
    if r < 0.4:
        return ' '.join(
            generator.choose(_FRAGMENTS) for _ in range(2 + int(generator.random() * 4))
        )
    if r < 0.6:
        return ' '.join(
            generator.choose(_NONWORDS if generator.random() < 0.7 else _FRAGMENTS)
            for _ in range(1 + int(generator.random() * 4))
        )
    noun = _noun(generator)
    return generator.choose(
        (
            'put the',
            'could you',
            'can you please',
            'I want',
            'put it',
            'the thing with the',
            'please',
            'bring',
            'and then the',
            'if you could just',
            'pick up the',
            'next to the',
            'so the um',
            'when the',
            f'the the {noun}',
            f'{noun} of {noun}',
            f'on the {noun} and',
            f'with the {noun} the',
            'take the um',
            'no the',
            'go to the',
            'do the thing',
            'do it',
            'do that',
            'you know what',
            'the usual',
            'that over there',
            f'{noun} is is',
            'put on on the',
            'hand the to',
            'I need you to the',
            f'{noun} {_noun(generator)}',
            'more',
            'again maybe',
            'whatever it',
            'left the right',
        )
    )


# What is asked: kind, how, and which phrases it needs.
_WHERE = TEMPLATES['where']
_PRESENCE = TEMPLATES['presence']
_COUNT = TEMPLATES['count']
_COLOUR = TEMPLATES['colour']
_WHICH = TEMPLATES['which']
_TEXT = TEMPLATES['text']
_WHAT = TEMPLATES['what']
_THIS = TEMPLATES['this']
_DESCRIBE = TEMPLATES['describe']
_OTHER = TEMPLATES['other']
_DESCRIBE_OBJECT = ('what does {} look like', 'describe {}', 'tell me about {}')
_WHERE += sentence_corpus.questions('en', 'where')
_PRESENCE += sentence_corpus.questions('en', 'presence')
_COUNT += sentence_corpus.questions('en', 'count')
_COLOUR += tuple(q for q in sentence_corpus.questions('en', 'attribute') if '{2}' not in q)
_WHICH += tuple(q for q in sentence_corpus.questions('en', 'attribute') if '{2}' in q)
_TEXT += sentence_corpus.questions('en', 'text')
_OTHER += tuple(q for q in sentence_corpus.questions('en', 'other') if '{2}' not in q)
_DESCRIBE += tuple(q for q in sentence_corpus.questions('en', 'describe') if '{' not in q)
_DESCRIBE = tuple(q for q in _DESCRIBE if 'table' not in q)  # that asks for what is on a thing
_DESCRIBE_OBJECT += tuple(q for q in sentence_corpus.questions('en', 'describe') if '{}' in q)
SMALL_TALK += sentence_corpus.small_talk('en')
_RELATION = TEMPLATES['relation']
_RELATION_OF_OBJECT = TEMPLATES['relation_of_object']


def generate_question(generator, instruction) -> bool:
    """Write a question into the instruction; tell whether it fits the catalogue."""
    r = generator.random()
    catalogue, noun_phrases = generator.catalogue, generator.noun_phrases
    if r < 0.16:
        return _object_question(generator, instruction, 'where', _WHERE, 'locate')
    if r < 0.32:
        return _object_question(generator, instruction, 'presence', _PRESENCE, 'locate')
    if r < 0.46:
        return _plural_question(generator, instruction, 'count', _COUNT)
    if r < 0.58:
        return _object_question(generator, instruction, 'attribute', _COLOUR, '')
    if r < 0.62:
        one, two = noun_phrases.simple(('any',), 'the'), noun_phrases.simple(('any',), 'the')
        instruction.text = generator.choose(_WHICH).replace('{}', one.text).replace('{2}', two.text)
        instruction.question = ('attribute', (one, two))
    elif r < 0.70:
        return _object_question(
            generator,
            instruction,
            'text',
            _TEXT,
            '',
            ('office', 'food', 'care', 'warehouse', 'any', 'container'),
        )
    elif r < 0.80:
        return _relation_question(generator, instruction)
    elif r < 0.84:
        if generator.random() < 0.35:
            phrase = noun_phrases.phrase(('any',))
            if phrase.plural:
                return False
        else:
            det, _, name = generator.choose(_THIS).rpartition(' ')
            head, text = generator.mark(name)
            words, text = generator.mark(text)
            phrase = AnnotatedPhrase(f'{det} {text}'.strip(), words, head)
            if name in ('thing', 'object') and generator.random() < 0.4:
                phrase = noun_phrases.with_side(phrase)
        instruction.text = generator.choose(_WHAT).replace('{this}', phrase.text)
        instruction.question = ('what', (phrase,))
    elif r < 0.91:
        if catalogue.has('describe'):
            return False
        if generator.random() < 0.35:
            return _object_question(generator, instruction, 'describe', _DESCRIBE_OBJECT, '')
        instruction.text = generator.choose(_DESCRIBE)
        instruction.question = ('describe', ())
    else:
        return _object_question(generator, instruction, 'other', _OTHER, '')
    return finish_question(generator, instruction)


def finish_question(generator, instruction) -> bool:
    """Close the question's text; return True."""
    instruction.outcome = 'answer'
    if instruction.text.split(' ', 1)[0] in TEMPLATES['no_question_mark']:
        return True
    instruction.text += '?'
    return True


def _object_question(generator, instruction, kind, templates, skill, noun_classes=('any',)):
    template = generator.choose(templates)
    if may_request_skill(generator, kind, template):
        return False
    if skill and generator.catalogue.has(skill) and kind == 'where':
        return False
    if (
        kind == 'presence'
        and generator.catalogue.has('locate')
        and 'there' not in template
        and 'have' not in template
    ):
        return False
    if kind == 'presence' and generator.catalogue.has('locate') and 'seen' in template:
        return False
    if '{s}' in template or '{a}' in template:
        return _plural_question(generator, instruction, kind, (template,))
    if (
        template.split(' ')[0] in generator.catalogue.verbs
        or kind == 'text'
        and generator.catalogue.has('read', 'read_text', 'read_label')
    ):
        return False
    things = ()
    if '{}' in template:
        phrase = (
            generator.noun_phrases.phrase(noun_classes)
            if generator.random() < 0.6
            else generator.noun_phrases.simple(noun_classes, 'the')
        )
        things = (phrase,)
        template = _agree(template, phrase).replace('{}', phrase.text)
    instruction.text = template
    instruction.question = (kind, things)
    return finish_question(generator, instruction)


_KEYWORDS = {
    'count': ('how many', 'count', 'number of'),
    'text': ('read', ' says', 'what does', 'written'),
    'attribute': ('colour', 'color', 'how big', 'how tall', 'how heavy', 'check ', 'is {} '),
    'where': ('where',),
    'other': ('what time', 'how do i', 'weather', 'recipe', 'how much'),
    'describe': ('describe', 'look like', 'tell me about'),
    'relation': ('what is in', 'what is on'),
    'presence': ('is there', 'are there', 'whether'),
}


def may_request_skill(generator, kind, template) -> bool:
    """Tell whether a skill of the catalogue may be meant by the question."""
    return generator.catalogue.mentions(*_KEYWORDS.get(kind, ('never said',)))


def _agree(template, phrase):
    if not phrase.plural:
        return template
    for one, more in (
        ("where's {}", 'where are {}'),
        ('is {}', 'are {}'),
        ('{} is', '{} are'),
        ('does {}', 'do {}'),
        ('has {}', 'have {}'),
        ('{} says', '{} say'),
    ):
        template = template.replace(one, more)
    return template


def _plural_question(generator, instruction, kind, templates):
    noun_phrases = generator.noun_phrases
    template = generator.choose(templates)
    if template.split(' ')[0] in generator.catalogue.verbs or may_request_skill(
        generator, kind, template
    ):
        return False
    noun = noun_phrases.lexicon.noun(generator.rng, ('any',), noun_phrases.split)
    adjectives = (noun_phrases.adjective(),) if generator.random() < 0.35 else ()
    if '{a}' in template:
        phrase = noun_phrases.build(noun, 'a', adjectives)
    else:
        phrase = noun_phrases.build(
            noun,
            'the' if '{the}' in template else '',
            adjectives,
            number='all' if noun.plural else 'one',
        )
        if not noun.plural and 'how many' in template:
            return False
    text = (
        template.replace('{a}', phrase.text)
        .replace('{s}', phrase.text)
        .replace('{the}', phrase.text)
    )
    if (
        generator.random() < 0.3
        and text.endswith(closing_marker(phrase.words))
        or (text.endswith((' there', ' see', ' are')) and generator.random() < 0.4)
    ):
        relation, place, landmarks = noun_phrases.place(static=True, nested=False)
        phrase.relation, phrase.landmarks = relation, landmarks
        text = f'{text} {place}'
    instruction.text = text
    instruction.question = (kind, (phrase,))
    return finish_question(generator, instruction)


def _relation_question(generator, instruction):
    relation, place, landmarks = generator.noun_phrases.place(static=True, nested=False)
    if generator.random() < 0.6:
        template = generator.choose(_RELATION)
        word = (
            'anything'
            if 'anything' in template
            else 'something'
            if 'something' in template
            else ('which thing' if 'which' in template else 'what')
        )
        if word == 'which thing':
            head, text = generator.mark('thing')
            template = template.replace('thing', '{h}', 1)
        else:
            head, text = generator.mark(word)
            template = template.replace(word, '{h}', 1)
        words, text = generator.mark(text)
        phrase = AnnotatedPhrase(text, words, head, relation=relation, landmarks=landmarks)
        instruction.text = template.replace('{h}', text).replace('{p}', place)
    else:
        template = generator.choose(_RELATION_OF_OBJECT)
        phrase = generator.noun_phrases.simple(('any',), '' if '{n}' in template else 'the')
        if phrase.plural:
            return False
        phrase.relation, phrase.landmarks = relation, landmarks
        instruction.text = (
            template.replace('{}', phrase.text).replace('{n}', phrase.text).replace('{p}', place)
        )
    instruction.question = ('relation', (phrase,))
    return finish_question(generator, instruction)
