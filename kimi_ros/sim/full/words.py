"""How people speak of the full table: descriptions true by the scene's truth, in two languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kimi_ros.sim import language as small
from kimi_ros.sim.full.catalogue import CONTAINERS
from kimi_ros.sim.full.thing import ThingTruth
from kimi_ros.sim.language import center_x

KIND_ZH = {
    **small.KIND_ZH, 'apple': '苹果', 'banana': '香蕉', 'can': '罐子', 'knife': '刀',
    'scissors': '剪刀', 'spoon': '勺子', 'pen': '笔', 'phone': '手机', 'pan': '平底锅',
    'glass': '玻璃杯', 'car': '玩具车', 'sign': '牌子', 'picture': '图片', 'hand': '手',
    'person': '人',
}
KIND_EN = {'car': 'toy car'}
COLOR_ZH = {**small.COLOR_ZH, 'pink': '粉色', 'brown': '棕色'}
SIZE_ZH = {'small': '小', 'medium': '中等', 'large': '大'}
RELATIONS = {
    'left': ('left of', '左边'), 'right': ('right of', '右边'), 'on': ('on', '上'),
    'in': ('in', '里'), 'next': ('next to', '旁边'),
}
SUPERLATIVES = {
    'largest': '最大的', 'smallest': '最小的', 'leftmost': '最左边的', 'rightmost': '最右边的',
    'nearest': '最近的', 'farthest': '最远的',
}
NEXT = 0.16
"""Metres between the centres of two things on the table that are next to each other."""

_MEASURE: dict[str, tuple[Callable, float]] = {
    'largest': (lambda o: -o.size[0] * o.size[1] * o.size[2], 0.10),
    'smallest': (lambda o: o.size[0] * o.size[1] * o.size[2], 0.10),
    'leftmost': (center_x, 0.02),
    'rightmost': (lambda o: -center_x(o), 0.02),
    'nearest': (lambda o: o.distance, 0.03),
    'farthest': (lambda o: -o.distance, 0.03),
}
"""What the superlatives order by, least first, and the share within which two are as good."""


@dataclass(frozen=True)
class Meaning:
    """What a person says to mean some of the objects of the full table.

    A picture of a cup is a `picture`, never a `cup`.

    :ivar kind: a name of `KINDS`, or '' for any.
    :ivar color: a name of `COLORS`, or '' for any.
    :ivar size: 'small', 'medium', 'large' for its kind, or ''.
    :ivar superlative: a key of `SUPERLATIVES`, among what the rest means; or ''.
    :ivar relation: a key of `RELATIONS`, to the one thing that `other` means; or ''.
    """

    kind: str = ''
    color: str = ''
    size: str = ''
    superlative: str = ''
    relation: str = ''
    other: Meaning | None = None

    def name(self, language: str) -> str:
        """Return the plain name, as plans hold it: 'small red cup on the blue book'."""
        if language == 'zh':
            plain = SIZE_ZH.get(self.size, '') + KIND_ZH.get(self.kind, '东西')
            plain = f'{COLOR_ZH[self.color]}的{plain}' if self.color else plain
            plain = SUPERLATIVES.get(self.superlative, '') + plain
            if self.relation:
                plain = f'{self.other.name("zh")}{RELATIONS[self.relation][1]}的{plain}'
            return plain
        words = (self.superlative, self.size, self.color,
                 KIND_EN.get(self.kind, self.kind) or 'object')
        plain = ' '.join(w for w in words if w)
        if self.relation:
            plain = f'{plain} {RELATIONS[self.relation][0]} the {self.other.name("en")}'
        return plain

    def matches(self, objects: Sequence[ThingTruth]) -> list[int]:
        """Return the places in `objects` of those meant, from left to right.

        Where a superlative is nearly shared, all who share it are returned.
        """
        found = [i for i, o in enumerate(objects)
                 if self.kind in ('', o.kind) and self.color in ('', o.color)
                 and self.size in ('', o.size_name)]
        if self.relation:
            others = self.other.matches(objects)
            if len(others) != 1:
                return []
            other = objects[others[0]]
            found = [i for i in found if i != others[0] and _related(
                objects[i], self.relation, other)]
        if self.superlative and found:
            measure, slack = _MEASURE[self.superlative]
            values = [measure(objects[i]) for i in found]
            # Places are held against the width of all that is seen, sizes against themselves.
            across = max(o.box[2] for o in objects) if 'most' in self.superlative else abs(
                min(values))
            found = [i for i, v in zip(found, values, strict=True)
                     if v <= min(values) + slack * across]
        return sorted(found, key=lambda i: center_x(objects[i]))


def _related(one: ThingTruth, relation: str, other: ThingTruth) -> bool:
    if relation in ('on', 'in'):
        return one.support == other.index and one.relation == relation
    if relation == 'next':
        apart = ((one.position[0] - other.position[0]) ** 2
                 + (one.position[1] - other.position[1]) ** 2) ** 0.5
        return apart < NEXT and one.support == other.support == -1
    sign = -1 if relation == 'left' else 1
    return sign * (center_x(one) - center_x(other)) > 0


def spoken(meaning: Meaning, language: str, rng) -> str:
    """Return the description as somebody would say it in a request."""
    name = meaning.name(language)
    if language == 'zh':
        ways = [name, name] if meaning.relation else [name, f'桌子上的{name}', f'桌上的{name}']
        return ways[int(rng.integers(len(ways)))]
    ways = [f'the {name}', f'the {name}']
    if not meaning.relation:
        ways.append(f'the {name} on the table')
    if not (meaning.relation or meaning.superlative):
        ways.append(f'that {name}')
    return ways[int(rng.integers(len(ways)))]


def preposition(target: Meaning, language: str) -> str:
    """Return where a thing goes when it is put there: in a pan, on a book."""
    inside = target.kind in CONTAINERS
    return ('里' if inside else '上') if language == 'zh' else ('in' if inside else 'on')
