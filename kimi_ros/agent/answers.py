"""The vocabulary of yes/no answers: what models are trained to say, and how any answer is read."""

from __future__ import annotations

import re
from enum import Enum

# (yes, no) by language. Training writes these words, so a trained model answers with them.
PRESENCE_ANSWERS = {'en': ('Yes', 'No'), 'zh': ('有', '没有')}  # "Is there a red cup?"
IDENTITY_ANSWERS = {'en': ('Yes', 'No'), 'zh': ('是', '不是')}  # "Is this a red cup?"

# Whole words and whole Chinese clauses: "yesterday" and 是不是红色我不知道 are no answers.
_YES = {
    'en': frozenset('yes yeah yep correct'.split()),
    'zh': frozenset('是 是的 是啊 对 对的 对啊 没错 有 有的 有啊 在 在的'.split()),
}
_NO = {
    'en': frozenset('no nope'.split()),
    'zh': frozenset('不是 不是的 不对 不 否 无 没 没有 没有的 不在 不在的'.split()),
}
# What takes an answer back, in whatever place it stands.
_DOUBT = re.compile(
    r'\b(?:not (?:sure|certain|clear)|unsure|uncertain|unclear|maybe|perhaps|possibly|'
    r'(?:do not|don.t|cannot|can.t|could not|couldn.t) (?:know|tell|say)|'
    r'(?:cannot|can.t|could not|couldn.t) see|hard to)\b|'
    '不知道|不确定|不清楚|看不清|没看清|说不准|说不清|可能|也许|或许|好像|大概|吗|是不是|有没有|对不对'
)
_AGREEMENT = re.compile(r'\byes\b|^\W*[是对有]的?\W*$')
_NEGATION = re.compile(r"\b(?:no|not|never|\w+n['’]t)\b|[不没]")


class Verdict(Enum):
    """What an answer to a yes/no question says."""

    YES = 'yes'
    NO = 'no'
    UNCLEAR = 'unclear'


def parse_yes_no(text: str, language: str = '') -> Verdict:
    """Read an answer by its first whole word (English) or clause (Chinese).

    UNCLEAR unless the answer begins with a yes or a no and nothing after it takes that back.

    :param language: the one that the answer must be in, 'en' or 'zh'; '' is either.
    """
    text = text.strip().lower()
    match = re.match(r'[^\w]*([a-z]+(?![\w\'’])|[\u4e00-\u9fff]+)', text)
    if not match or _DOUBT.search(text):
        return Verdict.UNCLEAR
    first, rest = match[1], text[match.end() :]
    if language and first.isascii() != (language == 'en'):
        return Verdict.UNCLEAR
    spoken = 'en' if first.isascii() else 'zh'
    if first in _NO[spoken]:
        return Verdict.UNCLEAR if _AGREEMENT.search(rest) else Verdict.NO
    if first in _YES[spoken]:
        return Verdict.UNCLEAR if _NEGATION.search(rest) else Verdict.YES
    return Verdict.UNCLEAR
