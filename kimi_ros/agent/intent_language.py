"""A small language for what people ask for: patterns over words, in English and Chinese.

A pattern is a sequence of words and lists of words: 'point .. <weapon> .. at .. <person>'.

==============  ===========================================================================
``word``        the word, or one of its regular forms: point, points, pointed, pointing
``<list>``      an entry of a list of words; the entries of lists are patterns, too
``(a|b <c>)``   one of these
``(a|b)?``      or nothing
``$``           the end of a clause
``^``           the beginning of a clause: nothing, please, or you before it
``_``           up to three words, as articles and adjectives
``..``          up to ten words (or twelve Chinese characters) of the same clause
``...``         anything that follows, in the same instruction or in a later one
==============  ===========================================================================

English words are matched whole, Chinese ones character by character. Neighbours in a pattern are
neighbours in the text; articles between English neighbours are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from kimi_ros.agent.noun_matching import normalize_text

_TOKEN = re.compile(r"[a-z0-9]+n't\b|[a-z0-9]+|'s\b|[\u4e00-\u9fff]|[,.;:!?|。]")
_CLAUSE_END = frozenset(',.;:!?|。')
TURN = '|'  # between the instructions of a conversation
_ARTICLES = frozenset('the a an some any this that these those'.split())
_OPENERS = frozenset('please and but then you now just so robot kindly to'.split()) | set(
    '请你并再'
)
_PRONOUNS = frozenset(('it', 'them', 'this', 'that', 'those', 'these', '它'))
_SHORT, _LONG, _LONG_CHINESE = 3, 10, 12
_IRREGULAR = {
    'beat': 'beaten', 'bind': 'bound', 'bite': 'bit bitten', 'break': 'broke broken',
    'burn': 'burnt', 'child': 'children', 'choose': 'chose chosen', 'drive': 'drove driven',
    'drown': 'drowning', 'fall': 'fell fallen', 'feed': 'fed', 'fling': 'flung', 'foot': 'feet',
    'get': 'got', 'give': 'gave given', 'go': 'went gone', 'hang': 'hung', 'hide': 'hid hidden',
    'hold': 'held', 'hurl': 'hurled', 'knife': 'knives', 'knock': 'knocked', 'lay': 'laid',
    'leave': 'left', 'let': 'letting', 'light': 'lit', 'make': 'made', 'man': 'men',
    'mouse': 'mice', 'policeman': 'policemen', 'put': 'putting', 'run': 'ran', 'set': 'setting',
    'shake': 'shook', 'shoot': 'shot', 'sleep': 'slept', 'slay': 'slain', 'slit': 'slitting',
    'steal': 'stole stolen', 'stick': 'stuck', 'strike': 'struck', 'swing': 'swung',
    'take': 'took taken', 'throw': 'threw thrown', 'tooth': 'teeth', 'wake': 'woke',
    'wife': 'wives', 'woman': 'women',
}  # fmt: skip


class PatternError(ValueError):
    """A pattern cannot be read; the message says why."""


@dataclass(frozen=True)
class Text:
    """What is matched: tokens in order, English words and Chinese characters alike."""

    tokens: tuple[str, ...]

    @property
    def last_turn(self) -> int:
        """Return where the last instruction begins."""
        turns = [i for i, token in enumerate(self.tokens) if token == TURN]
        return turns[-1] + 1 if turns else 0

    def clause_end(self, start: int) -> int:
        """Return where the clause of a token ends."""
        ends = (i for i in range(start, len(self.tokens)) if self.tokens[i] in _CLAUSE_END)
        return next(ends, len(self.tokens))

    @classmethod
    def of(cls, *turns: str) -> Text:
        """Return the text of an instruction, after the earlier ones of its conversation."""
        tokens: list[str] = []
        for turn in turns:
            plain = normalize_text(turn).replace('\u2019', "'").replace('cannot', "can't")
            tokens += [TURN] * bool(tokens) + _TOKEN.findall(plain)
        return cls(tuple(tokens))

    def without(self, spans: Iterable[tuple[int, int]]) -> Text:
        """Return the text with these tokens replaced by nothing that a word could match."""
        gone = {i for start, end in spans for i in range(start, end)}
        return Text(tuple('.' if i in gone else t for i, t in enumerate(self.tokens)))


@dataclass(frozen=True)
class _Element:
    """One part of a pattern: one of `choices`, or a gap of at most `gap` words.

    :ivar gap: -1 for no gap, 0 for one without limits.
    :ivar begins: only the beginning of a clause; `ends`: its end.
    """

    choices: tuple[tuple[_Element, ...], ...] = ()
    word: str = ''
    listed: str = ''
    gap: int = -1
    optional: bool = False
    begins: bool = False
    ends: bool = False


Pattern = tuple[_Element, ...]
_PART = re.compile(r"\.\.\.|\.\.|_|\^|\$|<[a-z_]+>|[()|?]|[a-z0-9']+|[\u4e00-\u9fff]+|\s+")


@lru_cache(maxsize=8192)
def parse_pattern(text: str) -> Pattern:
    """Read a pattern; raises PatternError."""
    parts, at = [], 0
    for match in _PART.finditer(plain := normalize_text(text)):
        if match.start() != at:
            break
        at = match.end()
        if not match[0].isspace():
            parts.append(match[0])
    if at != len(plain):
        raise PatternError(f'{text!r}: {plain[at:]!r} is not part of a pattern')
    pattern, rest = _sequence(parts, text)
    if rest:
        raise PatternError(f'{text!r}: {rest[0]!r} has no beginning')
    if all(e.optional or e.begins or e.ends or e.gap >= 0 for e in pattern):
        raise PatternError(f'{text!r}: needs at least one word or list')
    return pattern


def lists_named(pattern: Pattern) -> Iterator[str]:
    """Yield the names of the lists that a pattern uses."""
    for element in pattern:
        if element.listed:
            yield element.listed
        for choice in element.choices:
            yield from lists_named(choice)


@dataclass(frozen=True)
class WordList:
    """Words and phrases with one role.

    :ivar entries: patterns.
    :ivar exempt: patterns; an entry inside what one of them matches does not count.
    :ivar not_before: words after which an entry is only part of a name: dog, before 'bowl'.
    :ivar refers: 'it' stands for an entry that was named before.
    """

    entries: tuple[Pattern, ...]
    exempt: tuple[Pattern, ...] = ()
    not_before: tuple[Pattern, ...] = ()
    refers: bool = False


@dataclass(eq=False)
class Lexicon:
    """Lists of words by name, and the words that end a gap.

    :ivar breaks: no gap within a clause goes across one of these.
    """

    lists: Mapping[str, WordList]
    breaks: frozenset[str] = frozenset()
    _index: dict[str, dict[str, list[Pattern]]] = field(default_factory=dict)

    def candidates(self, name: str, token: str) -> Sequence[Pattern]:
        """Return the entries of a list that may begin with a token."""
        if name not in self._index:
            index: dict[str, list[Pattern]] = {}
            for entry in self.lists[name].entries:
                for first in self._firsts(entry):
                    index.setdefault(first, []).append(entry)
            self._index[name] = index
        found = self._index[name]
        return [*found.get(token, ()), *found.get('', ())]

    def _firsts(self, pattern: Pattern) -> set[str]:
        """Return the tokens that a pattern may begin with; '' stands for any."""
        first = pattern[0]
        if first.word and not first.optional:
            return set(_forms(first.word)) if first.word.isascii() else {first.word[0]}
        return {''}


class Matcher:
    """Matches patterns against one text; what a list matches at a place is found out once."""

    def __init__(self, lexicon: Lexicon, text: Text):
        self._lexicon = lexicon
        self._tokens = text.tokens
        self._known: dict[tuple[str, int], frozenset[int]] = {}
        self._exempt: dict[str, list[tuple[int, int]]] = {}
        self._known_tokens = frozenset(self._tokens)
        self._places: dict[str, list[int]] = {}

    def spans(self, pattern: Pattern) -> Iterator[tuple[int, int]]:
        """Yield where a pattern matches: for each start, the longest match; in tokens."""
        if not all(self._occurs(element) for element in pattern):
            return
        for start in range(len(self._tokens)):
            if ends := self.sequence(pattern, start):
                yield start, max(ends)

    def _occurs(self, element: _Element) -> bool:
        """Tell whether a part that a match must have can be anywhere in the text."""
        if element.optional:
            return True
        if element.listed:
            return bool(self._starts(element.listed))
        if element.choices:
            return any(all(map(self._occurs, choice)) for choice in element.choices)
        if element.word.isascii():
            return not element.word or not self._known_tokens.isdisjoint(_forms(element.word))
        return element.word[0] in self._known_tokens

    def _starts(self, name: str) -> list[int]:
        if name not in self._places:
            found = [at for at in range(len(self._tokens)) if self._listed(name, at)]
            self._places[name] = found
        return self._places[name]

    def listed_spans(self, name: str) -> Iterator[tuple[int, int]]:
        """Yield where an entry of a list stands, its exceptions left out."""
        for start in self._starts(name):
            yield start, max(self._listed(name, start))

    def matches(self, pattern: Pattern, after: int = 0, chinese: bool = False) -> bool:
        """Tell whether a pattern matches anywhere, with its end beyond the token `after`.

        :param chinese: one of the tokens must be Chinese, else one of them must not be.
        """
        return any(
            end > after
            and any(t.isascii() != chinese for t in self._tokens[start:end] if t != '。')
            for start, end in self.spans(pattern)
        )

    def sequence(self, pattern: Pattern, start: int) -> set[int]:
        """Return where matches of a pattern that begin at a token end."""
        ends, skip = {start}, False
        for number, element in enumerate(pattern):
            following: set[int] = set()
            for end in ends:
                # An article may stand before any English word but the first.
                starts = self._past_articles(end) if number and not skip else [end]
                for at in starts:
                    following |= self._element(element, at)
            if element.optional:
                following |= ends
            ends, skip = following, element.gap >= 0
            if not ends:
                break
        return ends

    def _past_articles(self, at: int) -> list[int]:
        starts = [at]
        while at < len(self._tokens) and self._tokens[at] in _ARTICLES:
            at += 1
            starts.append(at)
        return starts

    def _element(self, element: _Element, at: int) -> set[int]:
        if element.gap >= 0:
            return self._gap(element.gap, at)
        if element.begins:
            before = self._tokens[at - 1] if at else TURN
            return {at} if before in _CLAUSE_END or before in _OPENERS else set()
        if element.ends:
            return {at} if at >= len(self._tokens) or self._tokens[at] in _CLAUSE_END else set()
        if element.choices:
            return set().union(*(self.sequence(choice, at) for choice in element.choices))
        if element.listed:
            return set(self._listed(element.listed, at))
        return self._word(element.word, at)

    def _word(self, word: str, at: int) -> set[int]:
        if word.isascii():
            matched = at < len(self._tokens) and self._tokens[at] in _forms(word)
            return {at + 1} if matched else set()
        end = at + len(word)
        return {end} if tuple(self._tokens[at:end]) == tuple(word) else set()

    def _gap(self, most: int, at: int) -> set[int]:
        if most == 0:
            return set(range(at, len(self._tokens) + 1))
        ends, left = {at}, float(most)
        while at < len(self._tokens) and left > 0:
            token = self._tokens[at]
            if token in _CLAUSE_END or token in self._lexicon.breaks:
                break
            left -= most / _LONG_CHINESE if not token.isascii() and most == _LONG else 1
            at += 1
            ends.add(at)
        return ends

    def _listed(self, name: str, at: int) -> frozenset[int]:
        key = name, at
        if key not in self._known:
            self._known[key] = frozenset()  # a list that names itself matches nothing
            self._known[key] = frozenset(self._ends(name, at))
        return self._known[key]

    def _ends(self, name: str, at: int) -> Iterator[int]:
        if at >= len(self._tokens):
            return
        words = self._lexicon.lists[name]
        token = self._tokens[at]
        for entry in self._lexicon.candidates(name, token):
            for end in self.sequence(entry, at):
                if not self._is_exempt(name, words, at, end):
                    yield end
        if words.refers and token in _PRONOUNS and self._was_named(name, at):
            yield at + 1

    def _is_exempt(self, name: str, words: WordList, start: int, end: int) -> bool:
        if name not in self._exempt:
            self._exempt[name] = [
                (begin, stop)
                for pattern in words.exempt
                for begin in range(len(self._tokens))
                for stop in self.sequence(pattern, begin)
            ]
        return any(begin <= start and end <= stop for begin, stop in self._exempt[name]) or any(
            self.sequence(pattern, end) for pattern in words.not_before
        )

    def _was_named(self, name: str, at: int) -> bool:
        return any(self._listed(name, earlier) for earlier in range(at))


@lru_cache(maxsize=16384)
def _forms(word: str) -> frozenset[str]:
    """Return an English word with its regular forms, and the irregular ones that are known."""
    forms = {
        word,
        f'{word}s',
        f'{word}es',
        f'{word}ed',
        f'{word}ing',
        *_IRREGULAR.get(word, '').split(),
    }
    if len(word) > 2:
        if word.endswith('e'):
            forms |= {f'{word}d', f'{word[:-1]}ing'}
        if word.endswith('y'):
            forms |= {f'{word[:-1]}ies', f'{word[:-1]}ied'}
        if re.search('[aeiou][bdgklmnprt]$', word):
            forms |= {f'{word}{word[-1]}ing', f'{word}{word[-1]}ed'}
    else:
        forms = {word}
    return frozenset(forms)


def _sequence(parts: Sequence[str], text: str) -> tuple[Pattern, Sequence[str]]:
    """Read parts up to a ')' or '|' that belongs to somebody else; return what is left."""
    elements: list[_Element] = []
    while parts and parts[0] not in ('|', ')'):
        part, *parts = parts
        if part == '?':
            raise PatternError(f'{text!r}: "?" stands after a group: (a|b)?')
        if part == '(':
            choices = []
            while True:
                choice, parts = _sequence(parts, text)
                if not choice:
                    raise PatternError(f'{text!r}: a group has an empty part')
                choices.append(choice)
                if not parts:
                    raise PatternError(f'{text!r}: a group has no end')
                end, *parts = parts
                if end == ')':
                    break
            optional = bool(parts) and parts[0] == '?'
            parts = parts[1:] if optional else parts
            elements.append(_Element(choices=tuple(choices), optional=optional))
        elif part in ('_', '..', '...'):
            elements.append(_Element(gap={'_': _SHORT, '..': _LONG, '...': 0}[part]))
        elif part in '^$':
            elements.append(_Element(begins=part == '^', ends=part == '$'))
        elif part.startswith('<'):
            elements.append(_Element(listed=part[1:-1]))
        else:
            elements.append(_Element(word=part))
    return tuple(elements), parts
