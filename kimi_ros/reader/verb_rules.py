"""Rules for steps whose verb contradicts their skill.

A skill's name and description are evidence of what it does. "Rotate the block to the left" is no
request for a skill that only pushes things, however well the direction fits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kimi_ros.reader.reading import Question, Reading, Span, Step
from kimi_ros.reader.skill_card import SkillCard
from kimi_ros.reader.tokenizer import normalize


def _stems(words: str) -> re.Pattern[str]:
    """Return what finds words that begin so ("turn", not "return"); Chinese ones anywhere."""
    return re.compile(rf'(?<![a-z])(?:{words})')


class _VerbClass(NamedTuple):
    """Verbs of one meaning.

    :ivar verbs: what such a verb begins with.
    :ivar evidence: words in the text of a skill that such a verb may ask for.
    :ivar against: words in the text of a skill that it does not ask for, unless there is evidence;
        None for any text.
    :ivar vague: whether such a verb may ask for nearly anything ("move your head"): it chooses
        between skills, but refuses none.
    """

    verbs: re.Pattern[str]
    evidence: re.Pattern[str]
    against: re.Pattern[str] | None = None
    vague: bool = False


_ROTATION = r'rotat|spin|swivel|pivot|twist|旋|转|扭|拧'
_TRANSLATION = r'push|slid|shov|nudg|sweep|shift|mov|推|滑|移|挪'
_TELLING = _VerbClass(
    re.compile(r'tell|say|explain|inform|announc|告诉|解释|通知'),
    _stems(
        r'tell|say|explain|inform|announ|notif|report|speak|talk|read|remind|messag|call|ask|'
        r'describ|count|find|look|search|告|说|讲|通知|报|读|念|提醒|描述|找|叫'
    ),
)
_VERB_CLASSES = (
    _VerbClass(
        re.compile(
            r'(?:pick|lift|elevat|hoist|heav|rais|grab|grasp|grip|clutch|clasp|seiz|snatch)'
        ),
        _stems(r'pick|lift|elevat|hoist|rais|grab|grasp|grip|tak|hold|fetch|bring|拿|抓|取|举'),
        _stems(r'find|locat|show|look|point|找|指'),
        vague=True,
    ),
    _VerbClass(
        re.compile(rf'turn|{_ROTATION}'),
        _stems(rf'turn|roll|screw|angle|orient|{_ROTATION}'),
        _stems(r'push|slid|shov|nudg|推|滑'),
    ),
    _VerbClass(
        re.compile(r'push|slid|shov|nudg|shift|mov|推|滑|移|挪'),
        _stems(_TRANSLATION + r'|drag|pull|put|plac|carry|bring|放|拖|拉|搬'),
        _stems(rf'turn|{_ROTATION}'),
        vague=True,
    ),
    _VerbClass(
        re.compile(r'answer|repl(?:y|ies)|introduc|apologi[sz]|interview|回答|介绍|采访|道歉'),
        _stems(
            r'answer|repl|respon|introduc|apolog|interview|ask|question|wav|bow|gestur|nod|'
            r'答|介绍|采访|歉|问|挥|鞠躬|点头'
        ),
    ),
    _TELLING,
    _VerbClass(
        re.compile(r'meet\b|meeting\b'),
        _stems(r'meet|greet|welcom|introduc|receiv|pick up|fetch|join'),
    ),
)
# Greetings need no skill that talks.
_GREETING = re.compile(
    r'\b(?:say|says|saying)\s+(?:(?:a|an|my|our|the|your)\s+)?(?:\w+\s+)?'
    r'(?:hello|hi|hey|good|goodbye|bye|farewell|welcome|thanks|thank|sorry)\b'
    r'|说.{0,2}(?:你好|您好|再见|早上好|晚安|谢谢|声好)'
)
# "Answer the door", "tell the oven to heat up".
_IDIOM = re.compile(
    r'answer\w*\s+(?:\w+\s+)?(?:door|phone|telephone|call|bell|intercom)\b'
    r'|tell\b.*?\bto\s+(?!(?:the|an?|my|his|her|our|your|their)\b)'
)
_TURN_SWITCH = re.compile(r'\s*(?:\S+\s+){0,6}?(?:on|off|up|down|over|into)\b')
_TELL_ME = re.compile(
    r'\b(?:tell\s+(?:me|us)\s+(?:the|his|her|their|its)\s+(?:\w+\s+){1,2}'
    r'|(?:give|show)\s+(?:me|us)\s+(?:the|his|her|their|its)\s+(?:\w+\s+)?'
    r'(?:name|age|colou?r|size|shape|height|weight|number|position|location|pose|gesture|job)\s+)'
    r'of\b'
)
# Verbs that say little: another skill's name tells no more.
_LIGHT_VERBS = frozenset(
    'take get put give bring make turn move set place hand pick go do let have find'.split()
)


def apply_verb_rules(
    reading: Reading, texts: Sequence[str], cards: Mapping[str, SkillCard]
) -> Reading:
    """Return the reading with steps that its verbs allow.

    :param texts: the instruction and the turns before it, the newest first, normalized.
    :param cards: the robot's skills by name.
    """
    if not reading.steps:
        return reading
    if question := _asked_attribute(reading, texts[0], cards):
        return question
    steps = []
    for step in reading.steps:
        step = _named_by_verb(step, texts, cards)
        if meant := _contradicted(step, texts, cards[step.skill]):
            other = _by_evidence(step, meant, cards)
            if other is None and not meant.vague:
                return replace(reading, outcome='no_skill', steps=(), verb=step.verb)
            step = other or step
        steps.append(step)
    return replace(reading, steps=tuple(steps))


def _asked_attribute(
    reading: Reading, instruction: str, cards: Mapping[str, SkillCard]
) -> Reading | None:
    """Return the question that a request to tell something is, where no skill tells it.

    "Tell me the name of the woman in the hall" asks for no greeting.
    """
    if len(reading.steps) != 1 or not (asked := _TELL_ME.search(instruction)):
        return None
    (step,) = reading.steps
    if step.verb != Span(asked.start(), asked.start() + 4) or step.values:
        return None
    if _speaks(cards[step.skill]):
        return None
    question = Question('attribute', step.all_things)
    return replace(reading, outcome='answer', steps=(), question=question)


def _contradicted(step: Step, texts: Sequence[str], card: SkillCard) -> _VerbClass | None:
    """Return what the verb of a step means, if that is something else than its skill."""
    if not step.verb:
        return None
    verb, text = step.verb.text_in(texts), _GREETING.sub('', _description(card))
    rest = texts[step.verb.turn][step.verb.start :]
    meant = next((meaning for meaning in _VERB_CLASSES if meaning.verbs.match(verb)), None)
    if meant is None or meant.evidence.search(text):
        return None
    if verb.startswith('turn') and _TURN_SWITCH.match(rest[len(verb) :]):
        return None
    if (
        _IDIOM.match(rest)
        or _GREETING.match(rest)
        or any(a.type == 'string' for a in card.arguments)
    ):
        return None
    return meant if meant.against is None or meant.against.search(text) else None


def _by_evidence(step: Step, meant: _VerbClass, cards: Mapping[str, SkillCard]) -> Step | None:
    """Return the step with the one skill of this motion and these arguments, or None."""
    card = cards[step.skill]
    if meant.against is None or not card.arguments:
        return None
    signature = [(a.type, bool(a.values)) for a in card.arguments]
    found = [
        other
        for other in cards.values()
        if meant.evidence.search(_description(other))
        and [(a.type, bool(a.values)) for a in other.arguments] == signature
    ]
    if len(found) != 1:
        return None
    (other,) = found
    names = {a.name: b for a, b in zip(card.arguments, other.arguments, strict=True)}
    if any(v.value not in names[n].values for n, v in step.values.items() if names[n].values):
        return None
    return replace(
        step,
        skill=other.name,
        things={names[n].name: group for n, group in step.things.items()},
        values={names[n].name: value for n, value in step.values.items()},
    )


def _speaks(card: SkillCard) -> bool:
    return bool(
        any(a.type == 'string' for a in card.arguments)
        or _TELLING.evidence.search(_GREETING.sub('', _description(card)))
    )


def _named_by_verb(step: Step, texts: Sequence[str], cards: Mapping[str, SkillCard]) -> Step:
    """Return the step with the skill that is called like its verb, if its own is not.

    "Follow her to the hall" asks for follow(person), not for guide(person, place). A Chinese verb,
    as names are English, chooses the one skill whose description has it.
    """
    verb = step.verb.text_in(texts) if step.verb and not step.verb.turn else ''
    card = cards[step.skill]
    other = cards.get(verb) or _described_by(verb, card, cards)
    if not other or other is card or verb in _LIGHT_VERBS or verb in _description(card):
        return step
    things = [group for a in card.arguments if (group := step.things.get(a.name))]
    slots = other.grounded
    if not 1 <= len(slots) <= len(things) or len(slots) < len(other.arguments):
        return step
    named = dict(zip(slots, things, strict=False))
    return replace(step, skill=other.name, things=named, values={}, relation='')


def _described_by(verb: str, card: SkillCard, cards: Mapping[str, SkillCard]) -> SkillCard | None:
    """Return the one skill whose description has a Chinese verb, with arguments like a card's."""
    if len(verb) < 2 or verb.isascii():
        return None
    found = [other for other in cards.values() if verb in _description(other)]
    if len(found) != 1 or len(found[0].arguments) != len(card.arguments):
        return None
    return found[0]


def _description(card: SkillCard) -> str:
    """Return the name of a skill and its descriptions, in lower case."""
    return normalize(' '.join(card.texts))
