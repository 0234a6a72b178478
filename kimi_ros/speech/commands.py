"""The words that are always live: stop, repeat, more, yes, no; and wake words."""

from __future__ import annotations

import functools
from enum import Enum

from kimi_ros.speech.vocabulary import language_of, normalize, words


class Command(str, Enum):
    """A control word. STOP cancels speech and plans; it is no emergency stop."""

    STOP = 'stop'
    REPEAT = 'repeat'
    MORE = 'more'
    YES = 'yes'
    NO = 'no'


def find_command(text: str) -> Command | None:
    """Return the command that the whole text is, with politeness and repetition allowed.

    >>> find_command('Stop, stop!')
    <Command.STOP: 'stop'>
    >>> find_command('Do not stop') is None
    True
    """
    plain = strip_polite(normalize(text))
    if not plain:
        return None
    if plain in _phrases():
        return _phrases()[plain]
    language = language_of(plain)
    parts = plain.split() if language == 'en' else list(plain)
    if len(parts) > 1 and len(set(parts)) == 1:  # 'stop stop', '停停'
        return _phrases().get(parts[0])
    return None


def contains_stop(text: str) -> bool:
    """Whether 'stop' or 停 is among the words: for what is heard through the robot's own voice."""
    plain = normalize(text)
    return 'stop' in plain.split() or '停' in plain


def strip_polite(plain: str) -> str:
    """Return normalised text without polite words at its beginning and end."""
    language = language_of(plain)
    gap = '' if language == 'zh' else ' '
    polite = sorted(words()['polite'][language], key=len, reverse=True)
    changed = True
    while changed:
        changed = False
        for phrase in polite:
            if plain.startswith(phrase + gap) and plain != phrase:
                plain, changed = plain[len(phrase + gap) :].strip(), True
            elif plain.endswith(gap + phrase) and plain != phrase and language == 'en':
                plain, changed = plain[: -len(gap + phrase)].strip(), True
    return plain


def after_wake_word(text: str, wake_words: tuple[str, ...]) -> str | None:
    """Return what follows a wake word, '' if nothing does; None if there is no wake word."""
    lowered = normalize(text)
    for wake in sorted(map(normalize, wake_words), key=len, reverse=True):
        position = lowered.find(wake)
        # Only near the beginning: 'hey kimi, ...'
        if wake and 0 <= position <= 6:
            return lowered[position + len(wake) :].strip()
    return None


@functools.lru_cache(1)
def _phrases() -> dict[str, Command]:
    return {
        normalize(phrase): Command(name)
        for name, languages in words()['commands'].items()
        for phrases in languages.values()
        for phrase in phrases
    }
