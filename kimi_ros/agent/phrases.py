"""Messages from the agent (not the model) to a person, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_ros.agent.plan import Reason

_MESSAGES = {
    'not_visible': ('I do not see {}.', '我没有看到{}。'),
    'which': ('I see more than one {0}: {1}. Which one?', '我看到不止一个{0}：{1}。是哪一个？'),
    'really': ('I am not sure. Do you mean {}?', '我不确定。你是指{}吗？'),
    'same_object': (
        'I see only one thing where you named the {} and the {}. What do you mean?',
        '你说的{}和{}，我只看到一个东西。你是指什么？',
    ),
    'holding': ('To do that I would have to hold the {} first.', '我得先拿着{}才能这样做。'),
    'hand_empty': ('To do that my hand would have to be empty.', '我得先把手里的东西放下。'),
    'positioned': ('I cannot measure where the {} is.', '我测不出{}在什么位置。'),
    'precondition': ('I cannot do that in this order.', '按这个顺序我做不到。'),
    'out_of_reach': ('The {} is {:.1f} metres away, out of reach.', '{}离我{:.1f}米，我够不着。'),
    'no_skill': ('I cannot {}: none of my skills does that.', '我不会{}：我没有这样的技能。'),
    'refused': ('I will not do that.', '这件事我不做。'),
    'no_skill_at_all': ('None of my skills does that.', '我没有这样的技能。'),
    'leave_alone': ('I will leave {} alone.', '我不会碰{}。'),
    'not_done': ('I will not do that.', '好的，我不会那样做。'),
    'ready': ('I am here. Tell me what to do.', '我在。请告诉我要做什么。'),
    'where_to': ('Where should I {0} the {1}?', '{1}要{0}到哪里？'),
    'which_thing': ('What should I {}?', '要{}什么？'),
    'out_of_range': (
        'To {}, I need a {} from {} to {} {}. Which one do you want?',
        '要{}，{}得在{}到{}{}之间，要多少？',
    ),
    'too_long': (
        'The {} may have at most {} characters. How should I shorten it?',
        '{}最多{}个字符，怎么缩短？',
    ),
    'which_value': ('To {}, which {} do you want: {}?', '要{}，{}选哪个：{}？'),
    'what_value': ('To {}, what {} do you want?', '要{}，{}是多少？'),
    'not_understood': (
        'I did not understand {}. Please say it differently.',
        '我没听懂{}。请换个说法。',
    ),
    'also_not_understood': ('I did not understand {}.', '我没听懂{}。'),
    'what_about': (
        'I did not understand {}. What should I do about it?',
        '我没听懂{}。这部分要怎么做？',
    ),
    'say_differently': (
        'I did not understand that. Please say it differently.',
        '我没听懂。请换个说法。',
    ),
    'not_said': ('You did not say {}. What do you mean?', '你没有说过{}。你是指什么？'),
    'forbidden': ('You told me to leave the {} alone.', '你说过不要碰{}。'),
    'fewer': (
        'I see fewer {0} than that: {1}. Which do you mean?',
        '{0}没有那么多：{1}。是指哪些？',
    ),
    'no_free_place': ('There is no free place {}.', '{}没有空位。'),
    'disagree': (
        'I am not sure which one is the {0}: {1}. Which one?',
        '我不确定哪一个是{0}：{1}。是哪一个？',
    ),
    'unknown_word': (
        'My model understands English only, and I have no English word for {}.',
        '我的模型只懂英语，我不知道{}用英语怎么说。',
    ),
    'condition_unmet_absent': (
        'I do not see {}, so I do nothing.',
        '我没有看到{}，所以什么都不做。',
    ),
    'condition_unmet_present': ('I see {}, so I do nothing.', '我看到了{}，所以什么都不做。'),
    'yes': ('Yes.', '是的。'),
    'no': ('No.', '不是。'),
    'yes_there': ('Yes.', '有，'),
    'yes_visible': ('Yes, I see {}.', '有，我看到{}。'),
    'no_not_visible': ('No, I do not see {}.', '没有，我没有看到{}。'),
    'here_is': ('Here is {}.', '{}在这里。'),
    'it_is': ('The {} is {}.', '{}是{}的。'),
    'i_see': ('I see {}.', '我看到{}。'),
    'nothing_there': ('I see nothing there.', '那里我什么都没看到。'),
    'cannot_tell': ('I cannot tell.', '我说不准。'),
    'cannot_ask': (
        'I cannot tell: my model understands English only.',
        '我说不准：我的模型只懂英语。',
    ),
    'in_english': ('{}', '我的模型用英语回答：{}'),
    'awaiting_approval': (
        'This waits for your approval. Type: kimi approve {}',
        '要你批准我才做。请输入：kimi approve {}',
    ),
    Reason.DENIED: ('It was not approved, so I do nothing.', '没有得到批准，所以我什么都不做。'),
    Reason.EXPIRED: (
        'Nobody approved it in time, so I do nothing.',
        '没有人及时批准，所以我什么都不做。',
    ),
    Reason.WITHDRAWN: ('It was called off, so I do nothing.', '已经取消，所以我什么都不做。'),
    Reason.SCENE_CHANGED: (
        'Something has moved since I looked, so I do nothing. Please ask again.',
        '东西的位置变了，所以我什么都不做。请再说一遍。',
    ),
    Reason.RULES_CHANGED: (
        'My skills or rules have changed since, so I do nothing. Please ask again.',
        '我的技能或规则变了，所以我什么都不做。请再说一遍。',
    ),
    'label_contradicts': (
        'What is written on the {} does not fit it. Is it really what you mean?',
        '{}上写的字和它不符。真的是指它吗？',
    ),
    'too_many_steps': ('That takes more steps than I may plan.', '这需要的步骤太多了。'),
    Reason.DARK: (
        'The camera shows only darkness. Check its lens cap and the light.',
        '摄像头画面是黑的。请检查镜头盖和光线。',
    ),
    Reason.BLANK: (
        'The camera shows nothing but one even colour. Check the camera.',
        '摄像头画面什么都没有。请检查摄像头。',
    ),
}
# Positions of things in a row: the first, the middle one of three, the last; the n-th of many.
_ACROSS = (
    ('on the left', 'in the middle', 'on the right', 'number {} from the left'),
    ('左边的', '中间的', '右边的', '左起第{}个'),
)
_ALONG = (
    ('in front', 'in the middle', 'at the back', 'number {} from the front'),
    ('前面的', '中间的', '后面的', '前起第{}个'),
)


def say(key: str, language: str, *values: object) -> str:
    """Return a message with its values filled in."""
    return _MESSAGES[key][language == 'zh'].format(*values)


def before(text: str, language: str) -> str:
    """Return a sentence as it stands before another one: English with a space after it."""
    return f'{text} ' if text and language == 'en' else text


def with_article(name: str, language: str) -> str:
    """Return an English name with 'a' or 'an', a Chinese one as it is."""
    if language == 'zh':
        return name
    return f'{"an" if name[:1].lower() in "aeiou" else "a"} {name}'


def join_alternatives(names: Sequence[str], language: str) -> str:
    """Join names as alternatives: a, b or c."""
    if language == 'zh':
        return '、'.join(names)
    return names[0] if len(names) == 1 else f'{", ".join(names[:-1])} or {names[-1]}'


def describe_positions(
    points: Sequence[tuple[float, float]], size: tuple[int, int], language: str
) -> list[str]:
    """Describe where each point is relative to the others, or in the image if it is the only one.

    Lower in the image counts as in front.

    :param points: x, y in pixels.
    :param size: (width, height) of the image in pixels.
    """
    zh = language == 'zh'
    if len(points) == 1:
        third = min(int(3 * points[0][0] / size[0]), 2)
        return [_ACROSS[zh][third]]
    spread = [max(p[i] for p in points) - min(p[i] for p in points) for i in (0, 1)]
    # People look for left and right first: front and back only where they differ clearly more.
    across = spread[0] >= 0.6 * spread[1]
    words = (_ACROSS if across else _ALONG)[zh]
    order = sorted(range(len(points)), key=lambda i: points[i][0] if across else -points[i][1])
    names = {2: [words[0], words[2]], 3: list(words[:3])}.get(
        len(points), [words[3].format(rank + 1) for rank in range(len(points))]
    )
    said = [''] * len(points)
    for rank, index in enumerate(order):
        said[index] = names[rank]
    return said


def with_position(name: str, place: str, language: str) -> str:
    """Return a thing with its place: 'the red cup on the left', '左边的红色的杯子'."""
    return f'{place}{name}' if language == 'zh' else f'the {name} {place}'


def options(
    name: str, points: Sequence[tuple[float, float]], size: tuple[int, int], language: str
) -> tuple[str, ...]:
    """Return the numbered answers to 'which one?'."""
    named = [with_position(name, p, language) for p in describe_positions(points, size, language)]
    return tuple(f'{i}. {text}' for i, text in enumerate(named, 1))


def the(name: str, language: str) -> str:
    """Return an English name with 'the', a Chinese one as it is."""
    return name if language == 'zh' else f'the {name}'


def join_all(parts: Sequence[str], language: str) -> str:
    """Join parts: a, b and c."""
    if language == 'zh':
        return '、'.join(parts)
    return parts[0] if len(parts) == 1 else f'{", ".join(parts[:-1])} and {parts[-1]}'


def quoted(words: Sequence[str], language: str) -> str:
    """Return words in quotation marks: 'on fire' and 'twice'."""
    marks = '“{}”' if language == 'zh' else "'{}'"
    return join_all([marks.format(w) for w in words], language)


def intend(actions: Sequence[str], language: str) -> str:
    """Return what will be done: 'I will pick up the cup and put it on the tray.'"""
    if language == 'zh':
        return f'我来{"，再".join(actions)}。'
    return f'I will {join_all(actions, language)}.'


def announce(actions: Sequence[str], language: str) -> str:
    """Return what will be done, in the skills' own words: 'I will do this: ...; ....'"""
    if language == 'zh':
        return f'我来这样做：{"；".join(actions)}。'
    return f'I will do this: {"; ".join(a[:1].lower() + a[1:] for a in actions)}.'


def with_names(text: str, names: Sequence[str], language: str) -> str:
    """Return a text with the names of what it is about in brackets."""
    if not names:
        return text
    joined = join_all(names, language)
    return f'{text}（{joined}）' if language == 'zh' else f'{text} ({joined})'


def put(thing: str, where: str, language: str) -> str:
    """Return the sentence about putting something somewhere."""
    if language == 'zh':
        return f'我来把{thing}放到{where}。'
    return f'I will put the {thing} {where}.'


def place(relation: str, landmarks: Sequence[str], language: str) -> str:
    """Return a place as it is said: 'between the bowl and the plate', 碗左边."""
    if language == 'zh':
        return f'{"和".join(landmarks)}{relation}'
    return f'{relation} {" and ".join(f"the {mark}" for mark in landmarks)}'


def count(number: int, name: str, language: str) -> str:
    """Return how many things there are: 'I see 3: cup.'"""
    if language == 'zh':
        return f'我看到{number}个{name}。' if number else f'我没有看到{name}。'
    if number == 0:
        return f'I see no {name}.'
    return f'I see {number} {name if number == 1 or name.endswith("s") else plural(name)}.'


def plural(name: str) -> str:
    """Return the regular plural of an English name whose last word is its noun."""
    if name.endswith('fe'):  # knife
        return f'{name[:-2]}ves'
    return f'{name}es' if name.endswith(('s', 'x', 'ch', 'sh')) else f'{name}s'
