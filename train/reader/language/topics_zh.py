"""Chinese requests whose object is the topic, without 把: 豆腐切丁, 讲义给订一下, 洗碗机停了吧."""

from __future__ import annotations

import functools
import re

from kimi_train.reader.language.request_templates import VERB_CLOSE, VERB_OPEN

__all__ = ['add_final_particle', 'topic_and_comment', 'without_value_links']

# The three shapes of a request that can lose its object: 把X切碎, 打开X, 给X上油. What follows the
# object may be no part of its phrase, nor another phrase.
_SHAPES = (
    re.compile(r'(?:把|将)\{(\w+)\}()(.+)'),
    re.compile(rf'()({VERB_OPEN}[^{VERB_CLOSE}]+{VERB_CLOSE}[^{{}}，。在给到]?)(.*)'),
    re.compile(rf'给\{{(\w+)\}}()((?!的).*{VERB_OPEN}.+)'),
)
_AFTER_VERB = re.compile(r'\{(\w+)\}(?![{的里上下中内外旁边前后那这吗呢])(.*)')
_LINK = re.compile(rf'(?<=[^{VERB_OPEN}])[成到为至]({VERB_CLOSE}?)\{{(\w+)\}}')


@functools.cache
def topic_and_comment(text: str) -> tuple[str, str]:
    """Return the slot that can be the topic of a request template, and the text without it.

    Two times '' if it has none.
    """
    if match := _SHAPES[0].fullmatch(text) or _SHAPES[2].fullmatch(text):
        return match[1], match[3]
    match = _SHAPES[1].fullmatch(text)
    rest = match and _AFTER_VERB.fullmatch(match[3])
    return (rest[1], match[2] + rest[2]) if rest else ('', '')


def without_value_links(text: str, names) -> str:
    """Return the text without 成 or 到 before values: 切{shape} for 切成{shape}.

    :param names: of the arguments with values.
    """
    return _LINK.sub(
        lambda match: match[1] + '{' + match[2] + '}' if match[2] in names else match[0], text
    )


def add_final_particle(text: str, choose) -> str:
    """Return a request with a particle as in speech: 切吧, 订一下, 停了吧."""
    if text.endswith(VERB_CLOSE) and '一' not in text:
        return text + choose(('', '', '一下', '一下', '一下吧', '了吧', '了', '吧'))
    if text.endswith(('了', '吧', '吗', '着')):
        return text
    return text + choose(('', '', '', '', '', '吧', '呗'))
