"""Plain placements, "put the pen in the drawer", recognised by their form.

The network finds the skill by what its description says. Of `stow` or `lay_down` it sometimes does
not see that they put things somewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kimi_ros.reader.function_words import (
    CHINESE_RELATIONS,
    DESTINATIONS,
    DETERMINER,
    ENGLISH_RELATIONS,
    any_of,
)
from kimi_ros.reader.reading import Reading, Span, Step, Thing
from kimi_ros.reader.skill_card import SkillCard
from kimi_ros.reader.tokenizer import detect_language, normalize

_RELATIONS = {**ENGLISH_RELATIONS, **DESTINATIONS, **CHINESE_RELATIONS}
_ENGLISH = any_of(words for words in _RELATIONS if words.isascii())
_CHINESE = any_of(words for words in _RELATIONS if not words.isascii())
# What a noun phrase without a place or another clause does not hold.
_WORD = (
    rf'(?!(?:{DETERMINER}|in|on|into|onto|to|and|so|of|from|over|down|off|out|until|when|there|it|what|'
    r"hold|eyes|sights|towards?|with|at)\b)[\w'-]+"
)
_NOUN = rf'{_WORD}(?:(?: of(?: {DETERMINER})?)? {_WORD}){{0,4}}?'
_THE = rf'(?:{DETERMINER} )?'
_PUT = (
    r'(?P<verb>put|place|set|move|lay|stand|leave|drop|position|shift|stick|pop|stow|stash|'
    r'shove|tuck)(?: down)?'
)
# What may follow a request of which nothing is left out.
_AFTER = 'please|now|again|for me|to cool|to dry|will you|would you'
_AFTER_ZH = '(?:去|来|吧|好吗|可以吗|行吗|吗|就行|就好|一下|呗|啊)*'
_END = re.compile(rf'(?:,? (?:{_AFTER}))*[.!?]?|{_AFTER_ZH}[。.！!？?]?')
_PLACE = (
    rf' (?:(?P<relation>{_ENGLISH}) {_THE}(?P<place>{_NOUN})'
    rf'|(?:in )?between {_THE}(?P<one>{_NOUN}) and {_THE}(?P<other>{_NOUN}))'
    rf'(?=$|[,.!?]| (?:{_AFTER}|thanks?|ta|cheers|if|when|as soon|'
    r"i'd|i would|i am|i'm)\b)"
)
# Somebody's own hand or arm is no thing to be put: "put your arm ...".
_THING = rf'(?!your\b){_THE}(?P<thing>{_NOUN})'
_START = (
    r'(?:^(?:(?:please|kindly|now|then|just|could you|can you|would you|will you|and|so|er|um),? )*'
    r'|[,:;.!?] ?|\b(?:please|kindly|now|then|you) )'
)
_FORMS = tuple(
    re.compile(_START + form + _PLACE)
    for form in (
        rf'{_PUT} {_THING}(?: (?:back|down|away|over|gently|carefully|so that it is|so it is))*',
        rf'(?:take|grab|pick up|get|lift) {_THING},? (?:and |then )+{_PUT} it(?: down)?',
        rf'{_THING} (?P<verb>should go|goes|belongs|must go)',
    )
)
_WISH = re.compile(rf"\b(?P<verb>i(?: want|'d like| would like| need)) {_THING}{_PLACE}")
_NOUN_ZH = '(?:[那这]把|拖把|把手|[^\\W放拿把将到在之该就]){1,12}?'
_THING_ZH = f'(?P<thing>{_NOUN_ZH})(?:应?该|(?:好好|慢慢|轻轻|稳稳|小心)地?)?(?:给我)?'
_PUT_ZH = (
    '(?P<verb>摆放|[放摆搁塞收扔]|(?:[移挪]动?|搬|拿)(?=[回到进去至]))[回到在进去至]*'
    f'(?:(?P<place>{_NOUN_ZH})的?(?P<relation>{_CHINESE})'
    f'|(?P<one>{_NOUN_ZH})[和与跟、](?P<other>{_NOUN_ZH})的?(?:中间|之间))'
    f'(?={_AFTER_ZH}(?:$|[，,。.！!？?]))'
)
_START_ZH = '(?:请|帮我|帮忙|麻烦你?|给我|你|那就|然后|现在|再|让)*'
_FORMS_ZH = tuple(
    re.compile(form + _PUT_ZH)
    for form in (
        f'(?:^{_START_ZH})?[把将]{_THING_ZH}',
        f'(?:^{_START_ZH})?(?:拿起|拿|取|抓起){_THING_ZH}[，,]?(?:再|然后|并)?把?它?',
        f'(?:^|[，,：:]){_START_ZH}{_THING_ZH}',
    )
)
_UNNAMED = frozenset('it them one ones that this thing things'.split())
_PUTS = re.compile(r'(?:put|place|lay|stow|set|load|stack|store|deposit|shelve)(?:_|\b)')
_PUTS_ZH = re.compile('放|摆|搁|收回|装到|码')


class Placement(NamedTuple):
    """A request to put a thing somewhere, in spans of what was said.

    :ivar whole: from what leads up to the request to its last noun.
    :ivar thing: the noun phrase without its determiner.
    :ivar relation: one of `kimi_ros.reader.reading.RELATIONS`.
    :ivar landmarks: noun phrases without determiners: two for 'between', else one.
    """

    whole: Span
    verb: Span
    thing: Span
    relation: str
    landmarks: tuple[Span, ...]


def find_placement(text: str, wish: bool = False) -> Placement | None:
    """Return the first placement in a text that may say more, or None.

    :param wish: look for "I want the cup next to the bowl", which may also name a cup that stands
        there.
    """
    text = normalize(text)
    forms = (_WISH,) if wish else _FORMS_ZH if detect_language(text) == 'zh' else _FORMS
    for form in forms:
        if (found := form.search(text)) and _is_named(found):
            names = ('place',) if found['relation'] else ('one', 'other')
            return Placement(
                Span(*found.span()),
                Span(*found.span('verb')),
                Span(*found.span('thing')),
                _RELATIONS[found['relation']] if found['relation'] else 'between',
                tuple(Span(*found.span(name)) for name in names),
            )
    return None


def read_placement(instruction: str, skills: Sequence[SkillCard]) -> Reading | None:
    """Return the reading of a placement, where one skill puts a thing at a place, or None.

    Only of an instruction that says nothing else, and in English has a determiner before each noun.
    """
    puts = [card for card in skills if len(card.grounded) == len(card.arguments) == 2]
    puts = [card for card in puts if _puts(card)]
    placement = find_placement(instruction)
    if len(puts) != 1 or placement is None or not _is_all(placement, normalize(instruction)):
        return None
    (card,) = puts
    thing, place = card.grounded
    things: dict[str, tuple[Thing, ...]] = {
        thing: (_thing(placement.thing, instruction),),
        place: tuple(_thing(words, instruction) for words in placement.landmarks),
    }
    return Reading('steps', (Step(card.name, placement.verb, things, {}, placement.relation),))


def _is_named(found: re.Match[str]) -> bool:
    return not _UNNAMED.intersection(found.group('thing', 'place', 'one', 'other'))


def _is_all(placement: Placement, text: str) -> bool:
    """Tell whether a placement is all that is said, of things that are determined."""
    if placement.whole.start or not _END.fullmatch(text, placement.whole.end):
        return False
    if detect_language(text) == 'zh':
        return True
    nouns = (placement.thing, *placement.landmarks)
    return all(re.search(rf'\b{DETERMINER} $', text[: noun.start]) for noun in nouns)


def _thing(words: Span, text: str) -> Thing:
    said = words.text_in((text,)).split(' of ')[0]
    return Thing(words, Span(words.start + said.rfind(' ') + 1, words.start + len(said)))


def _puts(card: SkillCard) -> bool:
    """Tell whether its name or its description begins with putting, or its Chinese one tells it."""
    return any(_PUTS.match(text) or _PUTS_ZH.search(text) for text in map(normalize, card.texts))
