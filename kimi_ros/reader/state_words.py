"""Words for common states (on, off, open, ...), to match enum values by meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kimi_ros.reader.tokenizer import normalize

# A state: its names in catalogues, and words for it. Chinese words match anywhere in a text,
# English ones as whole words.
_STATES: tuple[tuple[str, str], ...] = (
    ('on activate enable enabled active true', 'on start power 打开 开 启动 通电'),
    ('off deactivate disable disabled inactive false', 'off out kill stop cut 关 熄 灭 断电 停'),
    ('open opened unlock unlocked', 'open up apart 开 拉起 敞'),
    ('closed close shut lock locked', 'shut close closed to 关 合 拉上 盖 闭'),
    ('up raise raised upward upwards higher', 'up higher raise lift 上 高 抬 升 拉起'),
    ('down lower lowered downward downwards', 'down lower drop 下 低 降 落'),
    ('left counterclockwise', 'left anticlockwise counterclockwise 左 逆时针'),
    ('right clockwise', 'right clockwise 右 顺时针'),
    ('forward forwards ahead front', 'forward forwards ahead straight 前'),
    ('backward backwards back reverse', 'back backward backwards reverse 后 退 倒'),
    ('high max maximum full strong', 'high full max maximum hardest loudest hottest 最大 大 高 强'),
    ('low min minimum weak gentle', 'low lowest min minimum gentle gently 最小 小 低 弱 轻'),
    ('medium mid middle normal moderate', 'medium middle normal moderate half 中 一般 正常'),
    ('fast quick rapid', 'fast quick quickly hurry 快'),
    ('slow slowly careful', 'slow slowly gently careful 慢'),
)


def match_state(text: str, values: Sequence[str]) -> str | None:
    """Return the value that a text names by a synonym; None if none or several match."""
    normalized = normalize(text)
    found = [
        value for value in values if any(_contains(word, normalized) for word in _synonyms(value))
    ]
    return found[0] if len(found) == 1 else None


def _synonyms(value: str) -> list[str]:
    """Return the words for a value, its own first."""
    name = normalize(value)
    parts = re.split('[_ -]+', name)
    return [
        name,
        *(
            word
            for states, synonyms in _STATES
            if set(parts) & set(states.split())
            for word in synonyms.split()
        ),
    ]


def _contains(word: str, text: str) -> bool:
    if word.isascii():
        return re.search(rf'(?<![a-z]){re.escape(word)}(?![a-z])', text) is not None
    return word in text
