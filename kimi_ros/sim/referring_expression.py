"""Referring expressions: names of objects in a scene, in English and Chinese."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kimi_ros.sim.full.object_classes import CONTAINERS, PEOPLE
from kimi_ros.sim.truth import ObjectTruth

LANGUAGES = ('en', 'zh')
CATEGORY_ZH = {
    'book': '书',
    'cup': '杯子',
    'bottle': '瓶子',
    'ball': '球',
    'block': '积木',
    'bowl': '碗',
    'plate': '盘子',
    'box': '盒子',
    'apple': '苹果',
    'banana': '香蕉',
    'can': '罐子',
    'knife': '刀',
    'scissors': '剪刀',
    'spoon': '勺子',
    'pen': '笔',
    'phone': '手机',
    'pan': '平底锅',
    'glass': '玻璃杯',
    'car': '玩具车',
    'sign': '牌子',
    'picture': '图片',
    'hand': '手',
    'person': '人',
}
CATEGORY_EN = {'car': 'toy car'}
COLOR_ZH = {
    'red': '红色',
    'orange': '橙色',
    'yellow': '黄色',
    'green': '绿色',
    'blue': '蓝色',
    'purple': '紫色',
    'black': '黑色',
    'white': '白色',
    'pink': '粉色',
    'brown': '棕色',
}
SIZE_ZH = {'small': '小', 'medium': '中等', 'large': '大'}
RELATIONS = {
    'left': ('left of', '左边'),
    'right': ('right of', '右边'),
    'on': ('on', '上'),
    'in': ('in', '里'),
    'next': ('next to', '旁边'),
}
SUPERLATIVES = {
    'largest': '最大的',
    'smallest': '最小的',
    'leftmost': '最左边的',
    'rightmost': '最右边的',
    'nearest': '最近的',
    'farthest': '最远的',
}
NEXT_TO_DISTANCE = 0.16
"""Metres between the centres of two objects on the table that are next to each other."""
SIDE_MARGIN, NEXT_TO_MARGIN = 0.03, 0.03
"""Margins around "beside" (of the image's width) and "next to" (metres): ambiguous within."""


def attribute_name(attribute: str, language: str) -> str:
    """Return the word for a colour or a size."""
    return {**COLOR_ZH, **SIZE_ZH}[attribute] if language == 'zh' else attribute


def relation_name(relation: str, language: str) -> str:
    """Return the words for a relation: 'left of', '左边'."""
    return RELATIONS[relation][language == 'zh']


def center_x(thing: ObjectTruth) -> float:
    """Return the middle of the box, in the box's units."""
    return (thing.box[0] + thing.box[2]) / 2


def _log_volume(thing: ObjectTruth) -> float:
    return math.log(max(thing.size[0] * thing.size[1] * thing.size[2], 1e-9))


_MEASURE: dict[str, tuple[Callable, float, float]] = {
    'largest': (lambda o: -_log_volume(o), 0.34, 0.40),
    'smallest': (_log_volume, 0.34, 0.40),
    'leftmost': (center_x, 0.02, 0.04),
    'rightmost': (lambda o: -center_x(o), 0.02, 0.04),
    'nearest': (lambda o: o.distance, 0.03, 0.06),
    'farthest': (lambda o: -o.distance, 0.03, 0.06),
}
"""What the superlatives order by, least first; two objects closer than the first
number are ties, those farther apart than the second clearly differ. Volumes by their logarithms
(sizes of one name are ties), sides as shares of the width of all that is seen, distances as shares
of the nearest."""


@dataclass(frozen=True)
class ReferringExpression:
    """A description that refers to some of the objects on the table.

    A picture of a cup is a `picture`, never a `cup`.

    :ivar category: a name of `CATEGORIES`, or '' for any that is no person.
    :ivar color: a name of `COLORS`, or '' for any.
    :ivar size: 'small', 'medium', 'large' for its category, or ''.
    :ivar superlative: a key of `SUPERLATIVES`, among what the rest means; or ''.
    :ivar relation: a key of `RELATIONS`, to the one object that `other` means; or ''.
    """

    category: str = ''
    color: str = ''
    size: str = ''
    superlative: str = ''
    relation: str = ''
    other: ReferringExpression | None = None

    @property
    def is_container(self) -> bool:
        """Return whether things are put into it, and not onto it."""
        return self.category in CONTAINERS

    def noun(self, language: str) -> str:
        """Return the word for the category."""
        if language == 'zh':
            return CATEGORY_ZH.get(self.category, '东西')
        return CATEGORY_EN.get(self.category, self.category) or 'object'

    def name(self, language: str) -> str:
        """Return the plain name, as plans hold it: 'small red cup on the blue book'."""
        if language == 'zh':
            plain = SIZE_ZH.get(self.size, '') + self.noun('zh')
            plain = f'{COLOR_ZH[self.color]}的{plain}' if self.color else plain
            plain = SUPERLATIVES.get(self.superlative, '') + plain
            if self.relation:
                plain = f'{self.other.name("zh")}{relation_name(self.relation, "zh")}的{plain}'
            return plain
        words = (
            self.superlative,
            self.size,
            self.color,
            self.noun('en'),
        )
        plain = ' '.join(w for w in words if w)
        if self.relation:
            plain = f'{plain} {relation_name(self.relation, "en")} the {self.other.name("en")}'
        return plain

    def plain(self, objects: Sequence[ObjectTruth]) -> list[int]:
        """Return the places in `objects` of what category, colour and size mean, in their order."""
        return [
            i
            for i, o in enumerate(objects)
            if (self.category == o.category if self.category else o.category not in PEOPLE)
            and self.color in ('', o.color)
            and self.size in ('', o.size_name)
        ]

    def matches(self, objects: Sequence[ObjectTruth]) -> list[int]:
        """Return the indices of the objects referred to, from left to right.

        Where a superlative is nearly shared, all who share it are returned.
        """
        found = self._related(objects)
        if self.superlative and found:
            same, _, behind = self._ordered(objects, found)
            found = [i for i, v in zip(found, behind, strict=True) if v <= same]
        return sorted(found, key=lambda i: center_x(objects[i]))

    def is_clear_cut(self, objects: Sequence[ObjectTruth]) -> bool:
        """Return whether no object is a borderline case of the expression."""
        found = self._related(objects)
        if self.superlative and found:
            same, clear, behind = self._ordered(objects, found)
            if any(same / 2 < v < clear for v in behind):
                return False
        if not self.relation:
            return True
        others = self.other.matches(objects)
        if len(others) != 1 or not self.other.is_clear_cut(objects):
            return not others
        other = objects[others[0]]
        for i in self.plain(objects):
            one = objects[i]
            aside = abs(center_x(one) - center_x(other)) / max(o.box[2] for o in objects)
            if self.relation in ('left', 'right') and i != others[0] and aside < SIDE_MARGIN:
                return False
            if (
                self.relation == 'next'
                and abs(_apart(one, other) - NEXT_TO_DISTANCE) < NEXT_TO_MARGIN
            ):
                return False
        return True

    def _related(self, objects: Sequence[ObjectTruth]) -> list[int]:
        found = self.plain(objects)
        if not self.relation:
            return found
        others = self.other.matches(objects)
        if len(others) != 1:
            return []
        return [
            i
            for i in found
            if i != others[0] and related(objects[i], self.relation, objects[others[0]])
        ]

    def _ordered(self, objects: Sequence[ObjectTruth], found: Sequence[int]):
        """Return the superlative's two limits, and how far each object is behind the first."""
        measure, same, clear = _MEASURE[self.superlative]
        values = [measure(objects[i]) for i in found]
        scale = 1.0
        if 'most' in self.superlative:
            scale = max(o.box[2] for o in objects)
        elif self.superlative in ('nearest', 'farthest'):
            scale = abs(min(values)) or 1.0
        return same, clear, [(v - min(values)) / scale for v in values]


def related(one: ObjectTruth, relation: str, other: ObjectTruth) -> bool:
    """Return whether one object is 'left', 'right', 'on', 'in' or 'next' (to) another."""
    if relation in ('on', 'in'):
        return one.support == other.index and one.relation == relation
    if relation == 'next':
        return _apart(one, other) < NEXT_TO_DISTANCE and one.support == other.support == -1
    sign = -1 if relation == 'left' else 1
    return sign * (center_x(one) - center_x(other)) > 0


def _apart(one: ObjectTruth, other: ObjectTruth) -> float:
    return (
        (one.position[0] - other.position[0]) ** 2 + (one.position[1] - other.position[1]) ** 2
    ) ** 0.5
