"""Plain placements, "put the pen in the drawer", for whatever a robot calls its skill that puts.

The network finds the skill by what its description says. Of `stow` or `lay_down` it sometimes does
not see that they put things somewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kimi_ros.reader.place_rules import CHINESE_RELATIONS, ENGLISH_RELATIONS, INTO
from kimi_ros.reader.reading import Reading, Span, Step, Thing
from kimi_ros.reader.skill_card import SkillCard
from kimi_ros.reader.tokenizer import detect_language, normalize

_PUTS = re.compile(r'(?:put|place|lay|stow|set|load|stack|store|deposit|shelve)(?:_|\b)')
_PUTS_ZH = re.compile('放|摆|搁|收回|装到|码')
_ENGLISH = dict((*ENGLISH_RELATIONS, *INTO))
del _ENGLISH['at']  # it may mean anything: on, in front of, next to
_CHINESE = dict(CHINESE_RELATIONS)
_NOUN = r"(?:[a-z0-9'-]+ ){0,4}?[a-z0-9'-]+"
_DETERMINER = r'(?:the|an?|my|your|our|his|her|their|this|that|these|those)'
_PUT = re.compile(
    r'(?:(?:please|kindly|now|then|just|could you|can you|would you|will you|and|so|er|um),? )*'
    r'(?P<verb>put|place|set|lay|stick|pop|stow|stash|stand|shove|tuck)(?: down)? '
    rf'{_DETERMINER} (?P<thing>{_NOUN})(?: (?:back|down|away))? '
    rf'(?P<relation>{"|".join(sorted(_ENGLISH, key=len, reverse=True))}) '
    rf'{_DETERMINER} (?P<place>{_NOUN})'
    r'(?: (?:please|now|again|for me|to cool|to dry|will you|would you))*[.!?]?$'
)
_PUT_ZH = re.compile(
    r'(?:请|帮我|帮忙|麻烦你?|给我|你|那就|然后|再)*(?:把|将)?(?P<thing>[^\W\d_，。]{1,8}?)(?:给我)?'
    r'(?P<verb>放|搁|摆|塞|收|扔)(?:回|到|在|进|去)*(?P<place>[^\W\d_，。]{1,8}?)'
    rf'(?P<relation>{"|".join(sorted(_CHINESE, key=len, reverse=True))})'
    r'(?:去|吧|就行|就好|好吗|一下|呗|啊|来)*[。！？]?$'
)
_UNNAMED = frozenset('it them one ones that this thing things'.split())


def read_placement(instruction: str, skills: Sequence[SkillCard]) -> Reading | None:
    """Return the reading of a plain placement, where one skill puts a thing at a place, or None."""
    puts = [card for card in skills if len(card.grounded) == len(card.arguments) == 2]
    puts = [card for card in puts if _puts(card)]
    text = normalize(instruction)
    chinese = detect_language(instruction) == 'zh'
    found = (_PUT_ZH if chinese else _PUT).match(text)
    if len(puts) != 1 or not found or found['thing'] in _UNNAMED or found['place'] in _UNNAMED:
        return None
    (card,) = puts
    relation = (_CHINESE if chinese else _ENGLISH)[found['relation']]
    thing, place = card.grounded
    things: dict[str, tuple[Thing, ...]] = {
        thing: (_thing(found, 'thing'),),
        place: (_thing(found, 'place'),),
    }
    return Reading('steps', (Step(card.name, Span(*found.span('verb')), things, {}, relation),))


def _thing(found: re.Match[str], name: str) -> Thing:
    start, end = found.span(name)
    return Thing(Span(start, end), Span(start + found[name].rfind(' ') + 1, end))


def _puts(card: SkillCard) -> bool:
    """Tell whether its name or its description begins with putting, or its Chinese one tells it."""
    return any(_PUTS.match(text) or _PUTS_ZH.search(text) for text in map(normalize, card.texts))
