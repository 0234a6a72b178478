"""Just enough grammar, English and Chinese, to tell a dog from a dog's bowl."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# Words after which a name says where a thing is or what it is like, not what it is.
_RELATIONS = frozenset(
    'left right of on in at by with from near next behind beside under over above below inside '
    'onto into to between that which who wearing holding for'.split()
)
# After a noun these show that the phrase was whole: in 'the dog bowl' another noun follows.
_FOLLOWERS = _RELATIONS | frozenset(
    'and or then up down please now away back out it here there too off the a an my your his '
    'her this first quickly slowly gently again'.split()
)
# After these a thing is only a landmark: the cup behind the man.
_LANDMARKS = frozenset(
    'of behind beside near by with from between for under like next close'.split()
)
_PLACES = frozenset('to at on onto in into over'.split())
_ZH_PLACE = re.compile(r'^.*(?:[左右前后上下里外旁]|中间|附近|对面)[边面方]?的')
_ZH_AFTER = re.compile(
    r'(?:身上|头上|上面|上|里面|里|那里|那边|起来|手里|手上)?(?:吧|呢|好吗)?(?:$|[^\w])'
)
_ZH_VERB = re.compile(r'(?:身上|头上)?(?:拿|放|抓|举|推|打|移|搬|带|丢|扔|给|提|抱)')


def plain_name(label: str) -> str:
    """Return the name without where the thing is: 'red cup left of the plate' -> 'red cup'."""
    if _is_chinese(label):
        return _ZH_PLACE.sub('', label) or label
    words = label.split()
    cut = next((i for i, w in enumerate(words) if i and w.lower() in _RELATIONS), len(words))
    return ' '.join(words[:cut])


def names_any(label: str, nouns: Sequence[str], exempt: Sequence[str] = ()) -> bool:
    """Tell whether a name means one of the nouns: its last word, or its last characters, do.

    :param exempt: English words that make it something else when they stand before it ('toy dog'),
        and Chinese words that end alike ('机器人').
    """
    name = plain_name(label)
    if _is_chinese(name):
        end = len(name)
        return any(
            name.endswith(n) and not _covered(name, end - len(n), end, exempt) for n in nouns
        )
    tokens = _tokens(name)
    return any(end == len(tokens) for _, end in _found(tokens, nouns, exempt))


def aims_at_any(instruction: str, nouns: Sequence[str], exempt: Sequence[str] = ()) -> bool:
    """Tell whether an instruction wants something done to, or brought to, one of the nouns.

    Coarse on purpose: 'pick up the dog' and 'put it on the dog' do, 'the dog bowl' and 'the cup
    behind the dog' do not. It only looks at words, so that no model can talk it out of a rule.
    """
    if _is_chinese(instruction):
        return any(_aims_chinese(instruction, n, exempt) for n in nouns)
    tokens = _tokens(instruction)
    for start, end in _found(tokens, nouns, exempt):
        follower = tokens[end] if end < len(tokens) else '.'
        if follower[0].isalpha() and follower not in _FOLLOWERS:
            continue
        if not _is_landmark(tokens[:start]):
            return True
    return False


def _aims_chinese(text: str, noun: str, exempt: Sequence[str]) -> bool:
    for match in re.finditer(re.escape(noun), text):
        start, end = match.span()
        if _covered(text, start, end, exempt):
            continue
        clause = re.split(r'[，。；！？,.;!?]', text[:start])[-1]
        given = re.search(r'[把将]', clause) and '的' not in text[end : end + 3]
        if (given and _ZH_VERB.match(text[end:])) or (
            _ZH_AFTER.match(text[end:]) and re.search(r'[拿抓举推打放扔丢给移搬带提抱]', clause)
        ):
            return True
    return False


def _is_landmark(before: Sequence[str]) -> bool:
    """Tell whether the noun after these tokens only says where something else is."""
    for i in range(len(before) - 1, max(len(before) - 5, -1), -1):
        word = before[i]
        if word in _LANDMARKS:
            return True
        if word in _PLACES:
            return i > 0 and before[i - 1] in _LANDMARKS
        if not word[0].isalpha():
            return False
    return False


def _found(
    tokens: Sequence[str], nouns: Sequence[str], exempt: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Yield where (start, end) the nouns stand, in the singular or a regular plural."""
    for noun in nouns:
        wanted = _tokens(noun)
        for start in range(len(tokens) - len(wanted) + 1):
            end = start + len(wanted)
            *first, last = tokens[start:end]
            if first == wanted[:-1] and last in (wanted[-1], f'{wanted[-1]}s', f'{wanted[-1]}es'):
                if start == 0 or tokens[start - 1] not in exempt:
                    yield start, end


def _tokens(text: str) -> list[str]:
    """Return lower-case words and, one by one, the marks between them."""
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]", text.lower())


def _covered(text: str, start: int, end: int, exempt: Sequence[str]) -> bool:
    """Tell whether text[start:end] is inside an exempt word."""
    return any(
        m.start() <= start and end <= m.end()
        for e in exempt
        for m in re.finditer(re.escape(e), text)
    )


def _is_chinese(text: str) -> bool:
    return any('\u4e00' <= c <= '\u9fff' for c in text)
