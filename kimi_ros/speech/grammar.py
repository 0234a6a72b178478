"""An English grammar of commands, in JSGF, out of the skills and the things seen."""

from __future__ import annotations

from collections.abc import Iterable

from kimi_ros.speech.vocabulary import Vocabulary, words

# Weights: how much likelier a person is to say one than another.
_ARTICLE = '/10/ the | /1/ my | /0.5/ a | /0.5/ an | /0.2/ <NULL>'
_SIZED = 0.02  # a size before it, to none
_PLAIN = 4  # nothing polite, to a polite word
_SEEN = 5  # a thing seen, to another
_CONTROL = ('stop', 'repeat', 'repeat that', 'say that again', 'more', 'more details', 'yes', 'no')
_ASSIST = (
    '(help me find | guide me to) <thing>',
    'what is (on my left | on my right | in front of me)',
    'describe the way',
    'stop guiding | end narration',
)


def command_grammar(vocabulary: Vocabulary, known: Iterable[str], only_seen: bool = False) -> str:
    """Return a grammar whose sentences are the skills with things, and the control words; or ''.

    A skill that names one thing is "VERB THING", one that names two "VERB THING PREPOSITION THING".
    Numbers and texts that a skill may need are left out: kimi asks for them.

    :param known: words that the recogniser can pronounce; phrases with others are left out.
    :param only_seen: no things but those that were seen, or that the user added; '' without any.
    """
    usable = set(known)

    def spoken(phrases: Iterable[str]) -> list[str]:
        return [p for p in dict.fromkeys(phrases) if p and all(w in usable for w in p.split())]

    plain = words()
    colors, sizes = spoken(plain['colors']['en']), spoken(plain['sizes']['en'])
    attributes = {*colors, *sizes}
    common = spoken(plain['things']['en'])
    own = [n for n in spoken(vocabulary.things['en']) if n not in common]
    if only_seen and not own:
        return ''
    # Seen as 'white box', it may be called a box, but no 'blue white box'.
    heads = spoken(_without(n, attributes) for n in own)
    heads = list(dict.fromkeys(heads))
    nouns = [f'/{_SEEN}/ {n}' for n in heads]
    nouns += [f'/1/ {n}' for n in common if n not in heads]
    size = f'(/1/ <NULL> | /{_SIZED}/ {_any(sizes)})'
    name = f'{size} [{_any(colors)}] {_any(nouns)}'
    if only_seen:
        name = _any(dict.fromkeys([*own, *heads]))
    elif attributed := [n for n in own if n not in heads]:
        name = f'/1/ ({name}) | /1/ {_any(attributed)}'
    patterns = ('<VERB>', '<VERB> <thing>', '<VERB> <thing> <where> <thing>')
    rules, names = [], []
    for skill in vocabulary.skills:
        verbs = spoken(skill.verbs['en'])
        if not verbs:
            continue
        rule = f'do_{skill.name}'
        names.append(f'<{rule}>')
        rules.append(f'<{rule}> = {patterns[skill.things].replace("<VERB>", _any(verbs))};')
    if vocabulary.assists:
        names.append('<assist>')
        rules.append(f'<assist> = {" | ".join(_ASSIST)};')
    return '\n'.join(
        [
            '#JSGF V1.0;',
            'grammar commands;',
            f'<thing> = ({_ARTICLE}) ({name});',
            f'<where> = {_any(spoken(plain["prepositions"]["en"]))};',
            *rules,
            f'<control> = {_any(_CONTROL)};',
            f'<before> = /{_PLAIN}/ <NULL> | /1/ (please | could you | can you);',
            f'<after> = /{_PLAIN}/ <NULL> | /1/ please;',
            f'public <command> = <control> | <before> ({" | ".join(names)}) <after>;',
            '',
        ]
    )


def control_grammar() -> str:
    """Return a grammar of the control words alone."""
    return f'#JSGF V1.0;\ngrammar control;\npublic <control> = {_any(_CONTROL)};\n'


def _without(name: str, attributes: set[str]) -> str:
    """Return a name without the attributes that it begins with."""
    words_of = name.split()
    while words_of and words_of[0] in attributes:
        words_of = words_of[1:]
    return ' '.join(words_of)


def _any(phrases: Iterable[str]) -> str:
    return '(' + ' | '.join(phrases) + ')'
