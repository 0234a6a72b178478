"""English questions, small talk, words without sense, and what hardly a robot does."""

from __future__ import annotations

from kimi_train.reader.language import spoken
from kimi_train.reader.language.phrase import Phrase

__all__ = ['IMPOSSIBLE', 'IMPOSSIBLE_VERBS', 'TALK', 'ask', 'nonsense']

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
    'marry': (' me',), 'remind': (' me to call the bank', ' me at six'),
    'download': (' the app', ' a film'), 'invent': (' something new', ' a better lamp'),
    'drive': (' my car to the garage', ' me to the airport'), 'massage': (' my back', ' my feet'),
    'babysit': (' the kids',), 'explode': ('', ' the box'), 'teleport': (' to the kitchen', ' me home'),
    'dissolve': (' the tablet in acid',), 'shoot': (' the target', ' the ball'), 'stab': (' him', ' the man'),
    'bake': (' a cake', ' some bread'), 'knit': (' a scarf', ' me a jumper'), 'paint': (' the ceiling', ' my portrait'),
    'repair': (' the roof', ' my bicycle'), 'mow': (' the lawn',), 'shave': (' my beard',), 'hypnotise': (' the cat',),
    'google': (' the recipe', ' the weather'), 'whistle': (' a tune', ''), 'photograph': (' the birds', ' the car'),
    'solve': (' this equation', ' the puzzle'), 'predict': (' the weather', ' the lottery numbers'),
    'milk': (' the cow',), 'iron': (' my shirts', ' the tablecloth'), 'vaccinate': (' the patient',),
}
IMPOSSIBLE_VERBS = tuple(_IMPOSSIBLE)
IMPOSSIBLE = tuple(_IMPOSSIBLE.values())

TALK = tuple('''hello|hi|hi there|good morning|good evening|how are you|how are you today|what's up|thanks|thank you
thank you very much|thanks a lot|well done|good job|great|great work|nice|nice work|perfect|that's perfect|awesome|cool|ok|okay
all right|alright|fine|yes|no|maybe|sure|I see|got it|never mind|nevermind|forget it|forget about it|it's fine|that's fine|sorry
my name is anna|I'm tired|I'm hungry|I am bored|I am so happy today|it's raining again|the weather is lovely today|what a day
my sister is coming tomorrow|I had a long day|you are funny|you are very helpful|I like you|you're the best|good robot|bad robot
good night|goodbye|bye|see you later|see you tomorrow|have a nice day|welcome back|pleased to meet you|nice to meet you
that was quick|you did well|that's enough|that will be all|that's all for now|nothing else|nothing, thanks|no thanks|no thank you
don't do anything|do nothing|let me think|wait a moment, I'm thinking|hmm let me see|I was just talking to myself
I wasn't talking to you|I didn't say anything|just kidding|only joking|I was talking on the phone|the kids are at school
we had pasta yesterday|I love this song|this is a nice kitchen|my back hurts today|I slept badly|it's my birthday
the meeting was boring|I can't believe it's monday already|it is cold outside|the train was late again|we moved here last year
she said she would call|he is on holiday|I think it's fine as it is|everything is fine|looks good|looks good to me
don't worry|don't worry about it|no problem|no worries|you're welcome|my pleasure|cheers|congratulations|happy new year
merry christmas|oh dear|oh no|wow|haha|lol|ha ha very funny|that's funny|how sweet of you|I appreciate it|much appreciated
are you okay|are you ready|can you hear me|are you there|are you listening|who are you|what's your name|how old are you
do you like music|where are you from|who made you|are you a robot|do you dream|can I trust you|what can you do
what are you able to do|testing, testing|one two three|is this thing on|talk to you later|I'll be right back|back in a minute'''
             .replace('\n', '|').split('|'))

_FRAGMENTS = ('the', 'um', 'uh', 'and', 'of', 'to', 'it', 'that', 'on', 'with', 'so', 'well', 'like', 'for', 'a', 'is', 'then', 'no')
_BLURRED = ('blorp', 'zzz', 'asdf', 'qwerty', 'mmmh', 'fnord', 'wibble', 'grmbl', 'xkcd', 'flurb', 'hjkl', 'dfg', 'ghhh', 'tss')


def nonsense(say) -> str:
    """Return words without sense, or a sentence that is cut off."""
    r = say.random()
    if r < 0.4:
        return ' '.join(say.pick(_FRAGMENTS) for _ in range(2 + int(say.random() * 4)))
    if r < 0.6:
        return ' '.join(say.pick(_BLURRED if say.random() < 0.7 else _FRAGMENTS)
                        for _ in range(1 + int(say.random() * 4)))
    noun = say.nouns.lexicon.noun(say.rng, ('any',), say.nouns.part).word
    return say.pick((
        'put the', 'could you', 'can you please', 'I want', 'put it', 'the thing with the', 'please', 'bring', 'and then the',
        'if you could just', 'pick up the', 'next to the', 'so the um', 'when the', f'the the {noun}', f'{noun} of {noun}',
        f'on the {noun} and', f'with the {noun} the', 'take the um', 'no the', 'go to the', 'do the thing', 'do it', 'do that',
        'you know what', 'the usual', 'that over there', f'{noun} is is', 'put on on the', 'hand the to', 'I need you to the',
        f'{noun} {say.nouns.lexicon.noun(say.rng, ("any",), say.nouns.part).word}', 'more', 'again maybe', 'whatever it', 'left the right'))


# What is asked: kind, how, and which phrases it needs.
_WHERE = ('where is {}', 'where is {}', "where's {}", 'where did I put {}', 'where can I find {}', 'do you know where {} is',
          'can you tell me where {} is', 'any idea where {} is', 'tell me where {} is', 'find {}', 'locate {}', 'where did {} go',
          'look for {}', 'show me {}', 'show me where {} is', 'point at {}', 'have you any idea where {} might be',
          "I can't find {}", 'where have you put {}', 'which way is {}', 'on which side is {}', "I'm looking for {}")
_SEEN = ('can you see {}', 'do you see {}', 'have you seen {}', 'is {} here', 'is {} in view', 'do you see {} anywhere',
         'is {} on the table', 'is there {a}', 'is there {a} here', 'are there any {s}', 'do we have {a}', 'have we got {a}',
         'do we have any {s}', 'is there {a} anywhere', 'are there {s} on the table', 'is there {a} somewhere', 'any {s} left',
         'do we still have {s}', 'is {} still there', 'did you see {}', 'have we run out of {s}', 'are you seeing {a}',
         'is {} there', 'tell me if you see {a}', 'check whether there is {a}', 'is {a} visible', "isn't there {a} here")
_COUNT = ('how many {s} are there', 'how many {s} do you see', 'how many {s} can you see', 'how many {s}', 'count {the}',
          'count the {s}', 'how many {s} have we got', 'how many {s} are left', 'tell me how many {s} there are',
          'can you count the {s}', 'what number of {s} do you see', 'how many {s} do we have', 'give me the number of {s}',
          'how many {s} are on the table', 'how many {s} are in view', "what's the count of {s}", 'number of {s}?')
_COLOUR = ('what colour is {}', 'what color is {}', 'which colour is {}', "what's the colour of {}", 'what is the color of {}',
           'tell me the colour of {}', 'how big is {}', 'what is {} made of', 'what size is {}', 'is {} open', 'is {} closed',
           'is {} empty', 'is {} full', 'is {} dirty', 'is {} clean', 'is {} hot', 'what shape is {}', 'how tall is {}',
           'is {} broken', 'what condition is {} in', 'is {} on or off', 'is {} switched on', 'how full is {}', 'is {} red',
           'how heavy is {}', 'how old is {}', 'what brand is {}', 'does {} have a lid', 'is {} ripe', 'what material is {}',
           'how long is {}', 'is {} wet or dry', 'is {} made of wood', 'what kind of thing is {}')
_WHICH = ('which is bigger, {} or {2}', 'which is smaller, {} or {2}', 'is {} bigger than {2}', 'is {} taller than {2}',
          'which one is heavier, {} or {2}', 'is {} the same colour as {2}', 'are {} and {2} the same size',
          'what is the difference between {} and {2}', 'is {} closer than {2}', 'which is nearer, {} or {2}',
          'which is longer, {} or {2}', 'is {} longer than {2}', 'which is newer: {} or {2}', 'do {} and {2} match')
_TEXT = ('what does {} say', 'read {}', 'read the label on {}', 'read the label of {}', 'what is written on {}', 'read out {}',
         "what's written on {}", 'can you read {}', 'read me {}', 'what does it say on {}', 'what text is on {}',
         'read what is on {}', 'what does the label on {} say', 'please read the text on {}', 'could you read {} to me',
         "what's the number on {}", 'what is the expiry date on {}', 'tell me what {} says', 'what name is on {}')
_WHAT = ('what is {this}', "what's {this}", 'what is {this} called', 'do you know what {this} is', 'what do you call {this}',
         'what is {this} for', 'tell me what {this} is', 'what kind of thing is {this}', 'can you tell me what {this} is')
_THIS = ('that', 'this', 'this thing', 'that thing', 'this object', 'it', 'the thing', 'that object', 'the object')
_DESCRIBE = ('what do you see', 'what can you see', 'what is there', "what's there", 'describe the scene', 'describe what you see',
             "what's in front of you", 'what is on the table', 'what do you see on the table', 'tell me what you see', 'look around',
             'what have we got here', 'describe your surroundings', 'give me an overview', 'what objects are there', "what's around you",
             'what does it look like there', 'list everything you see', 'name the things in front of you', 'what things are here',
             'what are you looking at', 'describe the room', "what's going on there", 'what have you got in view', 'what is in view')
_OTHER = ('what time is it', 'how do I make pancakes', 'how do I fix {}', 'what is the recipe', 'who is the president',
          'when does the shop open', 'why is the sky blue', 'how much does {} cost', 'who left {} here', 'whose is {}',
          'how does {} work', 'what day is it', 'how do I use {}', 'when is dinner', 'what should I cook', 'why is {} here',
          'is it going to rain', 'how far is it to the station', 'what is the capital of france', 'what is two plus two',
          'who moved {}', 'when did you last clean {}', 'should I throw {} away', 'can I eat {}', 'is {} dangerous',
          'what do I need {} for', 'where do we usually keep {s}', 'how long does it take', 'what is for lunch', 'how hot is it',
          'what can I do with {}', 'do you like {s}', 'is {} expensive', 'how often should I water {}', "what's the weather like",
          'who does {} belong to', 'what happened to {}', 'why did you move {}', 'when does {} expire', 'what is the best {s}')
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
_RELATED = ('what is {p}', "what's {p}", 'what do you see {p}', 'what is there {p}', 'which thing is {p}', 'what is lying {p}',
            'what is standing {p}', 'what can you see {p}', 'tell me what is {p}', "what's there {p}", 'what have we got {p}',
            'is there anything {p}', 'is anything {p}', 'is there something {p}', 'what object is {p}')
_RELATED_THING = ('is {} {p}', 'is {} {p}', 'which {n} is {p}', 'what {n} is {p}', 'is {} standing {p}', 'does {} stand {p}')


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
        return _about(say, draft, 'text', _TEXT, '', ('office', 'food', 'care', 'warehouse', 'any', 'container'))
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
    if draft.text.split(' ', 1)[0] in ('tell', 'find', 'read', 'count', 'describe', 'look', 'show', 'point', 'locate', 'list',
                                       'name', 'give', 'check', 'please'):
        return True
    draft.text += '?'
    return True


def _about(say, draft, kind, templates, skill, kinds=('any',)):
    template = say.pick(templates)
    if _taken(say, kind, template):
        return False
    if skill and say.world.has(skill) and kind == 'where':
        return False
    if kind == 'presence' and say.world.has('locate') and 'there' not in template and 'have' not in template:
        return False
    if kind == 'presence' and say.world.has('locate') and 'seen' in template:
        return False
    if '{s}' in template or '{a}' in template:
        return _several(say, draft, kind, (template,))
    if template.split(' ')[0] in say.world.verbs or kind == 'text' and say.world.has('read', 'read_text', 'read_label'):
        return False
    things = ()
    if '{}' in template:
        phrase = say.nouns.phrase(kinds) if say.random() < 0.6 else say.nouns.simple(kinds, 'the')
        things = (phrase,)
        template = _agree(template, phrase).replace('{}', phrase.text)
    draft.text = template
    draft.question = (kind, things)
    return _finish(say, draft)


_KEYS = {'count': ('how many', 'count', 'number of'), 'text': ('read', ' says', 'what does', 'written'),
         'attribute': ('colour', 'color', 'how big', 'how tall', 'how heavy', 'check ', 'is {} '),
         'where': ('where',), 'other': ('what time', 'how do i', 'weather', 'recipe', 'how much'),
         'describe': ('describe', 'look like', 'tell me about'), 'relation': ('what is in', 'what is on'), 'presence': ('is there', 'are there', 'whether')}


def _taken(say, kind, template):
    """Tell whether a skill of the catalogue may be meant by the question."""
    return say.world.mentions(*_KEYS[kind])


def _agree(template, phrase):
    if not phrase.plural:
        return template
    for one, more in (("where's {}", 'where are {}'), ('is {}', 'are {}'), ('{} is', '{} are'), ('does {}', 'do {}'),
                      ('has {}', 'have {}'), ('{} says', '{} say')):
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
        phrase = nouns._build(noun, 'the' if '{the}' in template else '', adjectives, number='all' if noun.plural else 'one')
        if not noun.plural and 'how many' in template:
            return False
    text = template.replace('{a}', phrase.text).replace('{s}', phrase.text).replace('{the}', phrase.text)
    if say.random() < 0.3 and text.endswith(chr(0xEC00 + phrase.words)) or (
            text.endswith((' there', ' see', ' are')) and say.random() < 0.4):
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
        word = 'anything' if 'anything' in template else 'something' if 'something' in template else (
            'which thing' if 'which' in template else 'what')
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
        draft.text = template.replace('{}', phrase.text).replace('{n}', phrase.text).replace('{p}', place)
    draft.question = ('relation', (phrase,))
    return _finish(say, draft)
