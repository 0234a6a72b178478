"""An English grammar of commands, in JSGF, out of the skills and the things seen."""

from __future__ import annotations

from collections.abc import Iterable

from kimi_ros.speech.vocabulary import Vocabulary, words

_ARTICLES = ('the', 'a', 'an', 'my')
_HEARD = ('stop', 'repeat', 'repeat that', 'say that again', 'more', 'more details', 'yes', 'no')


_ASSIST = (
    '(help me find | guide me to) <thing>',
    'what is (on my left | on my right | in front of me)',
    'describe the way',
    'stop guiding | end narration',
)


def command_grammar(vocabulary: Vocabulary, known: Iterable[str]) -> str:
    """Return a grammar whose sentences are the skills with things, and the control words.

    A skill that names one thing is "VERB THING", one that names two "VERB THING PREPOSITION THING".
    Numbers and texts that a skill may need are left out: kimi asks for them.

    :param known: words that the recogniser can pronounce; phrases with others are left out.
    """
    usable = set(known)

    def spoken(phrases: Iterable[str]) -> list[str]:
        return [p for p in dict.fromkeys(phrases) if p and all(w in usable for w in p.split())]

    plain = words()
    nouns = spoken(vocabulary.things['en'])
    colors, sizes = spoken(plain['colors']['en']), spoken(plain['sizes']['en'])
    prepositions = spoken(plain['prepositions']['en'])
    # What was seen as 'white box' is no noun: it would be heard as 'the blue white box'.
    attributes = {*colors, *sizes}
    named = [n for n in nouns if n.split()[0] in attributes]
    nouns = [n for n in nouns if n not in named]
    named = [n for n in named if _without(n, attributes) not in nouns]
    thing = f'[{_any(sizes)}] [{_any(colors)}] {_any(nouns)}'
    thing = ' | '.join([thing, *named])
    patterns = ('<VERB>', '<VERB> <thing>', '<VERB> <thing> <where> <thing>')
    rules, names = [], []
    for skill in vocabulary.skills:
        verbs = spoken(skill.verbs['en'])
        if not verbs:
            continue
        name = f'do_{skill.name}'
        names.append(f'<{name}>')
        rules.append(f'<{name}> = {patterns[skill.things].replace("<VERB>", _any(verbs))};')
    if vocabulary.assists:
        names.append('<assist>')
        rules.append(f'<assist> = {" | ".join(_ASSIST)};')
    return '\n'.join(
        [
            '#JSGF V1.0;',
            'grammar commands;',
            f'<thing> = [{_any(_ARTICLES)}] ({thing});',
            f'<where> = {_any(prepositions)} ;',
            *rules,
            f'<control> = {_any(_HEARD)};',
            '<before> = please | could you | can you;',
            f'public <command> = <control> | [<before>] ({" | ".join(names)}) [please];',
            '',
        ]
    )


def _without(name: str, attributes: set[str]) -> str:
    """Return a name without the attributes that it begins with."""
    words_of = name.split()
    while words_of and words_of[0] in attributes:
        words_of = words_of[1:]
    return ' '.join(words_of)


def _any(phrases: Iterable[str]) -> str:
    return '(' + ' | '.join(phrases) + ')'
