"""Whether an instruction needs the turns before it: "the other one, too", 也把它拿起来.

A planner that is given turns it does not need may mix them into the plan; so it gets them only
where the instruction's form refers back.
"""

from __future__ import annotations

import re

from kimi_ros.agent.noun_matching import is_chinese

_AFTER_ONE = (
    r'too|also|as|on|in|into|to|at|from|behind|next|near|with|please|instead|and|back|down|up|then'
)
_EN = re.compile(
    r'^(?:and|then|also|no|not|nope|actually|now)\b'
    r'|\b(?:too|also|as well|again|instead|likewise)\b'
    r'|\bsame\b(?! (?:colou?r|size|shape|kind|place))'
    r'|\b(?:another|the others?|what about|how about|undo)\b'
    rf'|\bones?\b(?=$|[,.;!?]| (?:{_AFTER_ONE})\b)',
    re.IGNORECASE,
)
_EN_PRONOUN = re.compile(
    r'\b(?:it|them|(?:that|this|those|these)(?=$|[,.;!?]| (?:too|up|down|back|away|on|in|to)\b))',
    re.IGNORECASE,
)
# A thing named before a pronoun is what the pronoun stands for: "take the cup and wash it".
_EN_NAME = re.compile(r'\b(?:the|a|an|my|your|our|his|her|some|any|every|all) \w', re.IGNORECASE)
_ZH = re.compile(
    '^(?:然后|接着|还有|也|再|不对|不是|那|那么)'
    '|[也另](?!门)|其[他它余]|别的|剩下|一样|同样|照样|换一?个|再来'
    '|[这那][个只本把块支瓶件些](?=$|[，。！？呢吧也放给])|的(?:[那这]?[一]?[个只本把块支瓶件])?[吧呢]?[。！？]?$'
)
_ZH_PRONOUN = re.compile('^[^，。；！？]{0,4}(?:它们?|他们?|她们?)')


def refers_back(instruction: str) -> bool:
    """Tell whether an instruction cannot be understood without the one before it."""
    text = instruction.strip()
    if is_chinese(text):
        return bool(_ZH.search(text) or _ZH_PRONOUN.search(text))
    if _EN.search(text):
        return True
    pronoun = _EN_PRONOUN.search(text)
    return pronoun is not None and not _EN_NAME.search(text[: pronoun.start()])
