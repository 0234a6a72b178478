"""How people speak of the table, in English and Chinese: names of things, requests, and what one
would reply.

Training draws sentences from here and evaluation asks them; nothing on the way from a frame to a
plan imports this.
"""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ('en', 'zh')

KIND_ZH = {
    'book': '书',
    'cup': '杯子',
    'bottle': '瓶子',
    'ball': '球',
    'block': '积木',
    'bowl': '碗',
    'plate': '盘子',
    'box': '盒子',
}
MEASURE_ZH = {'book': '本', 'block': '块'}
COLOR_ZH = {
    'red': '红色',
    'orange': '橙色',
    'yellow': '黄色',
    'green': '绿色',
    'blue': '蓝色',
    'purple': '紫色',
    'black': '黑色',
    'white': '白色',
}

LOCATE = {
    'en': (
        'find {}',
        'where is {}?',
        'locate {}',
        'show me {}',
        'point to {}',
        'look for {}',
        'can you see {}?',
        'help me find {}',
    ),
    'zh': (
        '找到{}',
        '帮我找到{}',
        '{}在哪里？',
        '指一下{}',
        '请找{}',
        '帮我找{}',
        '{}在哪儿？',
    ),
}
PICK = {
    'en': (
        'pick up {}',
        'grab {}',
        'take {}',
        'get me {}',
        'please pick up {}',
        'bring me {}',
        'pick {} up',
    ),
    'zh': ('拿起{}', '把{}拿起来', '帮我拿{}', '抓住{}', '请拿起{}', '把{}拿给我', '给我{}'),
}
PLACE = {
    'en': (
        'put {} {} {}',
        'place {} {} {}',
        'please put {} {} {}',
        'move {} {} {}',
        'pick up {} and put it {} {}',
    ),
    'zh': ('把{0}放到{2}{1}', '将{0}放在{2}{1}', '请把{0}放到{2}{1}', '拿起{0}放到{2}{1}'),
}
DESCRIBE = {
    'en': (
        'describe the table',
        'what do you see?',
        'describe what you see',
        'what is on the table?',
        'tell me what is in front of me',
    ),
    'zh': (
        '描述一下桌子',
        '你看到了什么？',
        '桌子上有什么？',
        '描述你看到的东西',
        '我面前有什么？',
    ),
}
CONTAINERS = ('bowl', 'box', 'cup')


@dataclass(frozen=True)
class Description:
    """What a person says to mean some of the objects: a kind, a colour or both, and possibly a
    side.

    :ivar kind: a name of `KINDS`, or '' for any.
    :ivar color: a name of `COLORS`, or '' for any.
    :ivar side: 'left' or 'right' of the object `other`, or ''.
    """

    kind: str = ''
    color: str = ''
    side: str = ''
    other: Description | None = None

    def name(self, language: str) -> str:
        """Return the plain name, as plans hold it: 'red cup', '红色的杯子'."""
        if language == 'zh':
            plain = KIND_ZH.get(self.kind, '东西')
            if self.color:
                plain = f'{COLOR_ZH[self.color]}的{plain}'
            if self.side:
                side = '左边' if self.side == 'left' else '右边'
                plain = f'{self.other.name("zh")}{side}的{plain}'
            return plain
        plain = f'{self.color} {self.kind or "object"}'.strip()
        if self.side:
            plain = f'{plain} {self.side} of the {self.other.name("en")}'
        return plain

    def matches(self, objects) -> list[int]:
        """Return the indices of the objects meant, from left to right.

        :param objects: things with `kind`, `color` and `box` (x_min, y_min, x_max, y_max).
        """
        found = [
            i
            for i, o in enumerate(objects)
            if self.kind in ('', o.kind) and self.color in ('', o.color)
        ]
        if self.side:
            others = self.other.matches(objects)
            if len(others) != 1:
                return []
            edge = center_x(objects[others[0]])
            sign = -1 if self.side == 'left' else 1
            found = [
                i for i in found if i != others[0] and sign * (center_x(objects[i]) - edge) > 0
            ]
        return sorted(found, key=lambda i: center_x(objects[i]))


def center_x(thing) -> float:
    """Return the middle of the box, in the box's units."""
    return (thing.box[0] + thing.box[2]) / 2


def with_article(name: str) -> str:
    """Return the English name with 'a' or 'an'."""
    return f'{"an" if name[0] in "aeiou" else "a"} {name}'


def spoken(description: Description, language: str, rng) -> str:
    """Return the description as somebody would say it in a request.

    :param rng: numpy Generator that chooses among the ways.
    """
    name = description.name(language)
    if language == 'en':
        ways = [f'the {name}', f'the {name}', f'the {name} on the table', name]
        if not description.side:
            ways += [with_article(name), f'that {name}']
        return str(rng.choice(ways))
    ways = [name, name, f'桌子上的{name}', f'桌上的{name}']
    if not description.side and description.kind:
        noun = KIND_ZH[description.kind]
        that = f'那{MEASURE_ZH.get(description.kind, "个")}'
        ways.append(f'{that}{name}')
        if description.color:
            color = COLOR_ZH[description.color]
            ways += [
                f'{color}{noun}',
                f'{color}的{that}{noun}',
                f'桌子上{color}的{that}{noun}',
                f'{that}{color}{noun}',
            ]
    return str(rng.choice(ways))


def preposition(target: Description, language: str) -> str:
    """Return where a thing goes when it is put there: in a bowl, on a book."""
    inside = target.kind in CONTAINERS
    if language == 'zh':
        return '里' if inside else '上'
    return 'in' if inside else 'on'


def caption(objects, length: str) -> str:
    """Describe the objects from left to right: 'short', 'normal' or 'long' (boxes in 0-1)."""
    ordered = sorted(objects, key=center_x)
    names = [f'{o.color} {o.kind}' for o in ordered]
    listed = _listed([with_article(n) for n in names], ' and ')
    if length == 'short':
        return f'{listed[0].upper()}{listed[1:]} on a table.'
    count = f'There are {len(names)} objects on the table'
    if length == 'normal':
        return f'{count}: {listed}.'
    places = [f'{with_article(n)} {_place_en(o)}' for n, o in zip(names, ordered, strict=True)]
    return f'{count}: {_listed(places, " and ")}.'


def answer_describe(objects, language: str) -> str:
    """Answer 'what do you see?', from left to right."""
    ordered = sorted(objects, key=center_x)
    if language == 'en':
        listed = _listed([with_article(f'{o.color} {o.kind}') for o in ordered], ' and ')
        return f'I see {listed}.'
    listed = '、'.join(f'{COLOR_ZH[o.color]}的{KIND_ZH[o.kind]}' for o in ordered)
    return f'我看到{listed}。'


def _listed(names: list[str], last: str) -> str:
    return names[0] if len(names) == 1 else ', '.join(names[:-1]) + last + names[-1]


def _place_en(thing) -> str:
    x, y = center_x(thing), (thing.box[1] + thing.box[3]) / 2
    across = 'on the left' if x < 1 / 3 else 'on the right' if x > 2 / 3 else 'in the middle'
    return f'far {across}' if y < 0.4 else across
