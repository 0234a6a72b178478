"""Referring expressions: noun phrases with the structure that geometry needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from kimi_ros.agent.noun_matching import is_chinese
from kimi_ros.reader.function_words import CHINESE_RELATIONS, ENGLISH_RELATIONS, any_of

_EN_RELATIONS = {
    **ENGLISH_RELATIONS,
    'at the back of': 'behind',
    'over': 'above',
    'nearest to': 'nearest_to',
    'closest to': 'nearest_to',
    'in between': 'between',
    'between': 'between',
}
_ZH_RELATIONS = {**CHINESE_RELATIONS, '之间': 'between', '中间': 'between'}
_ORDERS = frozenset(
    'largest biggest smallest littlest leftmost rightmost nearest closest farthest furthest '
    'tallest shortest topmost bottommost larger bigger smaller nearer closer farther further '
    'taller shorter first second third fourth fifth last middle'.split()
)
_ZH_ORDER = re.compile(
    r'(?:离[^的]{1,6}|靠)?最(?:大|小|高|矮|近|远|前|后|上|下|左|右)(?:边|面)?的(?:那?[个只本把块支])?'
    r'|第[一二两三四五六七八九十\d]+(?:个|只|本|把|块|支)(?:的)?'
)
_ZH_DETERMINER = re.compile('[那这](?:[个只本把块支张条部辆台瓶根双件]|一[个只本把块支])?')
_ARTICLES = frozenset('the a an that this those these my your his her their our some'.split())
_EN_RELATION = re.compile(
    rf'\s(?:(?:that|which) (?:is|are|stands?|lies?) )?({any_of(_EN_RELATIONS)})\s+'
)
_ZH_RELATION = re.compile(f'(.+?)的?({any_of(_ZH_RELATIONS)})的(.+)')


@dataclass(frozen=True)
class Reference:
    """A noun phrase as it was said, or, without a head, a place in relation to its landmarks.

    :ivar text: the whole phrase without its article: 'smaller red cup left of the kettle'.
    :ivar head: 'cup'; '' for a place: 'left of the bowl', to put something there.
    :ivar attributes: 'red', 'with the yellow grip'.
    :ivar order: a superlative, comparative or ordinal: 'smaller', 'second from the left', 最左边的.
    :ivar number: 'one', 'all', 'both', 'other', or digits.
    :ivar relation: a relation of `kimi_ros.agent.relations` to the landmarks, or ''.
    :ivar landmarks: one, or two of 'between'.
    :ivar name: what the detector is asked for: the phrase without order and relation.
    :ivar query: the whole phrase as the model that wrote it calls it; '' where that is `text`.
    """

    text: str
    head: str = ''
    attributes: tuple[str, ...] = ()
    order: str = ''
    number: str = 'one'
    relation: str = ''
    landmarks: tuple[Reference, ...] = ()
    name: str = ''
    query: str = ''

    @property
    def is_place(self) -> bool:
        """Tell whether it refers to a free spot, not to an object."""
        return not self.head and bool(self.relation)

    @property
    def is_plain(self) -> bool:
        """Tell whether the detector alone can resolve it."""
        return not (self.order or self.relation)

    @property
    def without_place(self) -> Reference:
        """Return the reference to everything that the phrase names: its head with attributes."""
        name = self.name or self.text
        query = name if self.query else ''
        return Reference(name, self.head, self.attributes, name=name, query=query)

    @property
    def said(self) -> tuple[str, ...]:
        """Return the phrases that somebody must have said: its own, or a place's landmarks."""
        return tuple(mark.text for mark in self.landmarks) if self.is_place else (self.text,)

    @property
    def nouns(self) -> tuple[str, ...]:
        """Return the phrases that the policy must judge: its own, or a place's landmarks."""
        if self.is_place:
            return tuple(noun for mark in self.landmarks for noun in mark.nouns)
        return (self.text, self.query) if self.query else (self.text,)


def place_reference(relation: str, landmarks: tuple[Reference, ...], text: str) -> Reference:
    """Return the reference to a free spot in relation to landmarks."""
    return Reference(text=text, relation=relation, landmarks=landmarks)


def parse_reference(text: str) -> Reference:
    """Return a noun phrase with its order, relation and landmark told apart by their words."""
    phrase = text.strip()
    parse = _parse_chinese if is_chinese(phrase) else _parse_english
    return replace(parse(phrase), text=text)


def _parse_english(phrase: str) -> Reference:
    match = _EN_RELATION.search(phrase)
    if match:
        relation = _EN_RELATIONS[match[1]]
        after = phrase[match.end() :]
        parts = re.split(r'\s+and\s+', after) if relation == 'between' else [after]
        landmarks = tuple(_parse_english(part) for part in parts[:2])
        one = _parse_english(phrase[: match.start()])
        return replace(one, text=phrase, relation=relation, landmarks=landmarks)
    noun, *with_what = re.split(r'\s(?=with\s|made of\s)', phrase, maxsplit=1)
    words = noun.split()
    while len(words) > 1 and words[0].lower() in _ARTICLES:
        words = words[1:]
    order = [w for w in words[:-1] if w.lower() in _ORDERS]
    kept = [w for w in words if w not in order] if order else words
    plain = ' '.join([*kept, *with_what])
    return Reference(
        text=' '.join([*words, *with_what]),
        head=kept[-1] if kept else '',
        attributes=(*kept[:-1], *with_what),
        order=' '.join(order),
        name=plain,
    )


def _parse_chinese(phrase: str) -> Reference:
    order = _ZH_ORDER.match(phrase)
    match = None if order else _ZH_RELATION.fullmatch(phrase)
    if match:
        relation = _ZH_RELATIONS[match[2]]
        parts = re.split('[和与跟、]', match[1]) if relation == 'between' else [match[1]]
        landmarks = tuple(_parse_chinese(part) for part in parts[:2])
        one = _parse_chinese(match[3])
        return replace(one, text=phrase, relation=relation, landmarks=landmarks)
    plain = _ZH_DETERMINER.sub('', phrase[order.end() :] if order else phrase) or phrase
    *attributes, head = re.split('(?<=的)', plain) if '的' in plain[:-1] else [plain]
    return Reference(
        text=phrase,
        head=head,
        attributes=tuple(attributes),
        order=order[0] if order else '',
        name=plain,
    )
