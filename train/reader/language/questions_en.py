"""English questions, small talk, words without sense, and what hardly a robot does."""

from __future__ import annotations

from kimi_train.reader.language import spoken
from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.phrase import Phrase

__all__ = ['IMPOSSIBLE', 'IMPOSSIBLE_VERBS', 'TALK', 'ask', 'nonsense']

FORMS = forms('en')

_IMPOSSIBLE = {
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
IMPOSSIBLE_VERBS = tuple(_IMPOSSIBLE)
IMPOSSIBLE = tuple(_IMPOSSIBLE.values())

TALK = FORMS['talk']

_FRAGMENTS = FORMS['fragments']
_BLURRED = FORMS['blurred']


def nonsense(say) -> str:
    """Return words without sense, or a sentence that is cut off."""
    r = say.random()
    if r < 0.4:
        return ' '.join(say.pick(_FRAGMENTS) for _ in range(2 + int(say.random() * 4)))
    if r < 0.6:
        return ' '.join(
            say.pick(_BLURRED if say.random() < 0.7 else _FRAGMENTS)
            for _ in range(1 + int(say.random() * 4))
        )
    noun = say.nouns.lexicon.noun(say.rng, ('any',), say.nouns.part).word
    return say.pick(
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
            f'{noun} {say.nouns.lexicon.noun(say.rng, ("any",), say.nouns.part).word}',
            'more',
            'again maybe',
            'whatever it',
            'left the right',
        )
    )


# What is asked: kind, how, and which phrases it needs.
_WHERE = FORMS['where']
_SEEN = FORMS['seen']
_COUNT = FORMS['count']
_COLOUR = FORMS['colour']
_WHICH = FORMS['which']
_TEXT = FORMS['text']
_WHAT = FORMS['what']
_THIS = FORMS['this']
_DESCRIBE = FORMS['describe']
_OTHER = FORMS['other']
_PICTURED = ('what does {} look like', 'describe {}', 'tell me about {}')
_WHERE += spoken.questions('en', 'where')
_SEEN += spoken.questions('en', 'presence')
_COUNT += spoken.questions('en', 'count')
_COLOUR += tuple(q for q in spoken.questions('en', 'attribute') if '{2}' not in q)
_WHICH += tuple(q for q in spoken.questions('en', 'attribute') if '{2}' in q)
_TEXT += spoken.questions('en', 'text')
_OTHER += tuple(q for q in spoken.questions('en', 'other') if '{2}' not in q)
_DESCRIBE += tuple(q for q in spoken.questions('en', 'describe') if '{' not in q)
_DESCRIBE = tuple(q for q in _DESCRIBE if 'table' not in q)  # that asks for what is on a thing
_PICTURED += tuple(q for q in spoken.questions('en', 'describe') if '{}' in q)
TALK += spoken.small_talk('en')
_RELATED = FORMS['related']
_RELATED_THING = FORMS['related_thing']


def ask(say, draft) -> bool:
    """Fill the draft with a question."""
    r = say.random()
    world, nouns = say.world, say.nouns
    if r < 0.16:
        return _about(say, draft, 'where', _WHERE, 'locate')
    if r < 0.32:
        return _about(say, draft, 'presence', _SEEN, 'locate')
    if r < 0.46:
        return _several(say, draft, 'count', _COUNT)
    if r < 0.58:
        return _about(say, draft, 'attribute', _COLOUR, '')
    if r < 0.62:
        one, two = nouns.simple(('any',), 'the'), nouns.simple(('any',), 'the')
        draft.text = say.pick(_WHICH).replace('{}', one.text).replace('{2}', two.text)
        draft.question = ('attribute', (one, two))
    elif r < 0.70:
        return _about(
            say,
            draft,
            'text',
            _TEXT,
            '',
            ('office', 'food', 'care', 'warehouse', 'any', 'container'),
        )
    elif r < 0.80:
        return _related(say, draft)
    elif r < 0.84:
        if say.random() < 0.35:
            phrase = nouns.phrase(('any',))
            if phrase.plural:
                return False
        else:
            det, _, name = say.pick(_THIS).rpartition(' ')
            head, text = say.marks(name)
            words, text = say.marks(text)
            phrase = Phrase(f'{det} {text}'.strip(), words, head)
            if name in ('thing', 'object') and say.random() < 0.4:
                phrase = nouns.sided(phrase)
        draft.text = say.pick(_WHAT).replace('{this}', phrase.text)
        draft.question = ('what', (phrase,))
    elif r < 0.91:
        if world.has('describe'):
            return False
        if say.random() < 0.35:
            return _about(say, draft, 'describe', _PICTURED, '')
        draft.text = say.pick(_DESCRIBE)
        draft.question = ('describe', ())
    else:
        return _about(say, draft, 'other', _OTHER, '')
    return _finish(say, draft)


def _finish(say, draft):
    draft.outcome = 'answer'
    if draft.text.split(' ', 1)[0] in FORMS['no_question_mark']:
        return True
    draft.text += '?'
    return True


def _about(say, draft, kind, templates, skill, kinds=('any',)):
    template = say.pick(templates)
    if _taken(say, kind, template):
        return False
    if skill and say.world.has(skill) and kind == 'where':
        return False
    if (
        kind == 'presence'
        and say.world.has('locate')
        and 'there' not in template
        and 'have' not in template
    ):
        return False
    if kind == 'presence' and say.world.has('locate') and 'seen' in template:
        return False
    if '{s}' in template or '{a}' in template:
        return _several(say, draft, kind, (template,))
    if (
        template.split(' ')[0] in say.world.verbs
        or kind == 'text'
        and say.world.has('read', 'read_text', 'read_label')
    ):
        return False
    things = ()
    if '{}' in template:
        phrase = say.nouns.phrase(kinds) if say.random() < 0.6 else say.nouns.simple(kinds, 'the')
        things = (phrase,)
        template = _agree(template, phrase).replace('{}', phrase.text)
    draft.text = template
    draft.question = (kind, things)
    return _finish(say, draft)


_KEYS = {
    'count': ('how many', 'count', 'number of'),
    'text': ('read', ' says', 'what does', 'written'),
    'attribute': ('colour', 'color', 'how big', 'how tall', 'how heavy', 'check ', 'is {} '),
    'where': ('where',),
    'other': ('what time', 'how do i', 'weather', 'recipe', 'how much'),
    'describe': ('describe', 'look like', 'tell me about'),
    'relation': ('what is in', 'what is on'),
    'presence': ('is there', 'are there', 'whether'),
}


def _taken(say, kind, template):
    """Tell whether a skill of the catalogue may be meant by the question."""
    return say.world.mentions(*_KEYS[kind])


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


def _several(say, draft, kind, templates):
    nouns = say.nouns
    template = say.pick(templates)
    if template.split(' ')[0] in say.world.verbs or _taken(say, kind, template):
        return False
    noun = nouns.lexicon.noun(say.rng, ('any',), nouns.part)
    adjectives = (nouns.adjective(),) if say.random() < 0.35 else ()
    if '{a}' in template:
        phrase = nouns._build(noun, 'a', adjectives)
    else:
        phrase = nouns._build(
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
        say.random() < 0.3
        and text.endswith(chr(0xEC00 + phrase.words))
        or (text.endswith((' there', ' see', ' are')) and say.random() < 0.4)
    ):
        relation, place, landmarks = nouns.place(static=True, deep=False)
        phrase.relation, phrase.landmarks = relation, landmarks
        text = f'{text} {place}'
    draft.text = text
    draft.question = (kind, (phrase,))
    return _finish(say, draft)


def _related(say, draft):
    relation, place, landmarks = say.nouns.place(static=True, deep=False)
    if say.random() < 0.6:
        template = say.pick(_RELATED)
        word = (
            'anything'
            if 'anything' in template
            else 'something'
            if 'something' in template
            else ('which thing' if 'which' in template else 'what')
        )
        if word == 'which thing':
            head, text = say.marks('thing')
            template = template.replace('thing', '{h}', 1)
        else:
            head, text = say.marks(word)
            template = template.replace(word, '{h}', 1)
        words, text = say.marks(text)
        phrase = Phrase(text, words, head, relation=relation, landmarks=landmarks)
        draft.text = template.replace('{h}', text).replace('{p}', place)
    else:
        template = say.pick(_RELATED_THING)
        phrase = say.nouns.simple(('any',), '' if '{n}' in template else 'the')
        if phrase.plural:
            return False
        phrase.relation, phrase.landmarks = relation, landmarks
        draft.text = (
            template.replace('{}', phrase.text).replace('{n}', phrase.text).replace('{p}', place)
        )
    draft.question = ('relation', (phrase,))
    return _finish(say, draft)
