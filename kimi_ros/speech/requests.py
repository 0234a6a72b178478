"""What people say to be guided, and to have the surroundings told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from kimi_ros.speech.commands import strip_polite
from kimi_ros.speech.vocabulary import language_of, normalize


class Wish(Enum):
    """What is wanted."""

    GUIDE = 'guide'
    NARRATE = 'narrate'
    SIDE = 'side'
    END = 'end'


@dataclass(frozen=True)
class AssistRequest:
    """A request that was understood.

    :ivar name: GUIDE: of the thing. SIDE: 'left', 'right' or 'ahead'.
    :ivar language: 'en' or 'zh'.
    """

    wish: Wish
    language: str
    name: str = ''


_GUIDE = {
    'en': re.compile(
        r'(?:help me (?:to )?(?:find|reach|get|look for)|guide me to|lead me to|take me to|'
        r'guide my hand to|bring my hand to)(?: the| my| a| an)? (?P<name>.+)'
    ),
    'zh': re.compile(
        r'(?:(?:你)?帮我?找(?:一下|一找|找|到)?|(?:带|引导|领)我(?:去)?(?:找到?|拿到?|到)?|'
        r'把我的手(?:带|引)到)(?P<name>.+?)(?:在哪里?|那里|那儿)?'
    ),
}
_NARRATE = {
    'en': re.compile(
        r'(?:(?:start|keep) )?(?:narrat(?:e|ing)|describ(?:e|ing) (?:the way|my way|'
        r'the surroundings|my surroundings|what is around me)|tell(?:ing)? me what is around me)'
    ),
    'zh': re.compile(
        '(?:开始|一直|持续)(?:讲解|描述|播报)|(?:讲解|描述|播报)(?:一下)?(?:周围|四周|路况|路上)'
    ),
}
_SIDE = {
    'en': re.compile(
        r"what(?:'s| is| s)(?: there)? (?:(?:on|to|at) (?:my|the) (?P<side>left|right)|"
        r'(?P<ahead>ahead|ahead of me|in front of me))'
    ),
    'zh': re.compile(
        '我?的?(?:(?P<side>[左右])(?:边|面|侧|手边)|(?P<ahead>正?前(?:面|方)))(?:有|是)(?:些)?什么'
    ),
}
_END = {
    'en': re.compile(r'(?:stop|end) (?:guiding|guidance|narrating|narration|describing)(?: me)?'),
    'zh': re.compile('(?:停止|结束|不用)(?:引导|讲解|描述|播报)了?'),
}
_SIDES_ZH = {'左': 'left', '右': 'right'}


def parse_request(text: str) -> AssistRequest | None:
    """Return what a sentence wants of guidance or narration; None: it is for somebody else.

    >>> parse_request('Please help me find the red book.')
    AssistRequest(wish=<Wish.GUIDE: 'guide'>, language='en', name='red book')
    >>> parse_request('Find the red book.') is None
    True
    """
    plain = normalize(text)
    language = language_of(plain)
    # 'help me' and 帮我 are polite in other sentences, and the request here.
    for said in dict.fromkeys((_without_please(plain), strip_polite(plain))):
        if found := _GUIDE[language].fullmatch(said):
            return AssistRequest(Wish.GUIDE, language, found['name'])
        if _NARRATE[language].fullmatch(said):
            return AssistRequest(Wish.NARRATE, language)
        if found := _SIDE[language].fullmatch(said):
            side = 'ahead' if found['ahead'] else found['side']
            return AssistRequest(Wish.SIDE, language, _SIDES_ZH.get(side, side))
        if _END[language].fullmatch(said):
            return AssistRequest(Wish.END, language)
    return None


def _without_please(plain: str) -> str:
    return re.sub('^(?:please |could you |can you |请你?|麻烦你?)|(?: please)$', '', plain)
