"""Is this text a command to the robot, and which of its words were probably misheard?"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable
from dataclasses import dataclass

from kimi_ros.speech.commands import strip_polite
from kimi_ros.speech.errors import require
from kimi_ros.speech.vocabulary import Vocabulary, language_of, normalize, words

_ALIKE = 0.66  # of difflib's ratio, for an English word that may have been another
_FUNCTION_WORDS = frozenset(
    'a an the my your this that these those it is are there of to and or with from for me you '
    'up down one ones all any what where which how many do does can see i please not no yes '
    'left right front behind near side top middle center first second last other in on'.split()
)
# What a Chinese request begins with whose verb comes after what it is about.
_LATE = ('把', '将', '给')
_FUNCTION_CHARACTERS = '的把那这个一本只支块我你它了吗呢在和到面边里上有看'
# Syllables that Mandarin speakers and recognisers mix up, as spelling: what is written is replaced.
_CONFUSED = (('zh', 'z'), ('ch', 'c'), ('sh', 's'), ('ng', 'n'), ('l', 'n'), ('h', 'f'))


@dataclass(frozen=True)
class Match:
    """What a text was matched with.

    :ivar text: normalised, with misheard words corrected.
    :ivar addressed: it begins as an instruction does, or is a question about the view.
    :ivar known: it names something of the vocabulary, or needs nothing named.
    :ivar corrected: a word was replaced by one that sounds alike: not sure.
    :ivar complete: every word is an expected one.
    """

    text: str
    addressed: bool
    known: bool
    corrected: bool
    complete: bool


def match(text: str, vocabulary: Vocabulary) -> Match:
    """Return how a text fits the vocabulary."""
    plain = normalize(text)
    language = language_of(plain)
    fixed, corrected = _correct_chinese(plain, vocabulary) if language == 'zh' else (plain, False)
    core = strip_polite(fixed)
    verb = _verb(core, language, vocabulary)
    question = verb is None and _question(core, language)
    if language == 'en' and (verb is not None or question):
        fixed, corrected = _correct_english(plain, vocabulary)
        core = strip_polite(fixed)
    terms = _contained(core, vocabulary.things[language], language)
    whole = verb is not None and any(
        skill.things == 0 and verb in skill.verbs[language] for skill in vocabulary.skills
    )
    complete = not corrected and _complete(fixed, language, vocabulary)
    return Match(fixed, verb is not None or question, bool(terms) or whole, corrected, complete)


def _verb(core: str, language: str, vocabulary: Vocabulary) -> str | None:
    for verb in vocabulary.verbs(language):
        if language == 'en' and (core == verb or core.startswith(verb + ' ')):
            return verb
        # 把...放到...: the verb may come late, but the sentence must begin as a request does.
        if language == 'zh' and (core.startswith(verb) or (core[:1] in _LATE and verb in core)):
            return verb
        if language == 'zh' and verb.startswith('在哪') and verb in core:
            return verb
    return None


def _question(core: str, language: str) -> bool:
    asked = words()['questions'][language]
    if language == 'en':
        return any(core.startswith(q + ' ') for q in asked)
    return any(q in core for q in asked)


def _contained(core: str, terms: Iterable[str], language: str) -> list[str]:
    if language == 'zh':
        return [t for t in terms if t in core]
    padded = f' {core} '
    return [t for t in terms if f' {t} ' in padded or f' {t}s ' in padded or f' {t}es ' in padded]


def _complete(plain: str, language: str, vocabulary: Vocabulary) -> bool:
    if language == 'en':
        known = {w for t in vocabulary.terms('en') for w in t.split()} | _grammar_words(vocabulary)
        return all(w in known or w.rstrip('s') in known for w in plain.split())
    rest = plain
    kinds = ('prepositions', 'questions', 'polite')
    phrases = [*vocabulary.terms('zh'), *vocabulary.verbs('zh')]
    phrases += [p for kind in kinds for p in words()[kind]['zh']]
    for phrase in sorted(phrases, key=len, reverse=True):
        rest = rest.replace(phrase, '')
    return not rest.strip(_FUNCTION_CHARACTERS)


# English: by spelling.


def _correct_english(plain: str, vocabulary: Vocabulary) -> tuple[str, bool]:
    terms = {w for t in vocabulary.terms('en') for w in t.split()}
    known = terms | _grammar_words(vocabulary)
    result, corrected = [], False
    for word in plain.split():
        singular = word.rstrip('s') if len(word) > 3 else word
        if word in known or singular in known or word.isdigit():
            result.append(word)
            continue
        similar = difflib.get_close_matches(word, sorted(terms), 1, _ALIKE)
        corrected = corrected or bool(similar)
        result.append(similar[0] if similar else word)
    return ' '.join(result), corrected


def _grammar_words(vocabulary: Vocabulary) -> set[str]:
    found = {w for v in vocabulary.verbs('en') for w in v.split()} | _FUNCTION_WORDS
    for kind in ('prepositions', 'questions', 'polite'):
        found |= {w for phrase in words()[kind]['en'] for w in phrase.split()}
    return found


# Chinese: by sound.


def _correct_chinese(plain: str, vocabulary: Vocabulary) -> tuple[str, bool]:
    """Replace spans that sound as a term: exactly so without doubt, nearly so with."""
    candidates = [*vocabulary.terms('zh'), *vocabulary.verbs('zh')]
    candidates += words()['prepositions']['zh']
    candidates = [c for c in dict.fromkeys(candidates) if len(c) > 1]
    candidates.sort(key=len, reverse=True)
    characters = list(plain)
    sounds = syllables(plain)
    if len(sounds) != len(characters):
        return plain, False
    taken = [False] * len(characters)
    corrected = False
    for exact in (True, False):
        for term in candidates:
            wanted = syllables(term)
            for start in range(len(characters) - len(term) + 1):
                span = slice(start, start + len(term))
                if any(taken[span]) or not _alike(sounds[span], wanted, exact):
                    continue
                if ''.join(characters[span]) != term:
                    characters[span] = term
                    corrected = corrected or not exact
                taken[span] = [True] * len(term)
    return ''.join(characters), corrected


def _alike(heard: tuple[str, ...], wanted: tuple[str, ...], exact: bool) -> bool:
    if exact or heard == wanted:
        return heard == wanted
    return all(_plain(a) == _plain(b) for a, b in zip(heard, wanted, strict=True))


def _plain(syllable: str) -> str:
    for several, one in _CONFUSED:
        syllable = syllable.replace(several, one)
    return syllable


@functools.lru_cache(4096)
def syllables(text: str) -> tuple[str, ...]:
    """Return the syllables of Chinese text in pinyin without tones."""
    pypinyin = require('pypinyin', 'compares Chinese words by their sound')
    return tuple(pypinyin.lazy_pinyin(text, errors=lambda other: list(other)))
