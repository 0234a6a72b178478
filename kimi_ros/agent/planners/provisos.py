"""Prohibitions and conditions, recognised by form: planning models are not trained on them."""

from __future__ import annotations

import re
from dataclasses import replace

from kimi_ros.agent import phrases
from kimi_ros.agent.draft import Condition, DraftPlan
from kimi_ros.agent.noun_matching import is_chinese
from kimi_ros.agent.plan import Reason, Status
from kimi_ros.agent.references import Reference, parse_reference

_HANDLE = (
    r'pick up|pick|grab|take|touch|move|lift|bring|fetch|hold|get|pass|push|put|place|use|handle|'
    r'go near|grasp|disturb'
)
_NAME = r'(?:the |that |this |my |any |a |an )(?P<name>[^,.;:!?]+?)'
_FORBIDDING = {
    'en': re.compile(
        r"(?:please |but |and |just |hey |robot )*(?:don't|do not|dont|never) (?:ever )?"
        rf'(?:{_HANDLE}) '
        rf'{_NAME}(?: up| away| please| yet| at all)*',
        re.IGNORECASE,
    ),
    'zh': re.compile(
        '(?:请|千万|但|但是|你|绝对)*(?:别|不要|不许|不准|不能|请勿|勿)(?:去|再)?(?:拿起?|碰到?|动|抓|移动?|搬|取|挪|摸)'
        '(?P<name>[^，。；！？]+?)(?:了|哦|啊|吧)?'
    ),
}
_CONTRAST = {
    'en': re.compile(rf'(?:but |and )?not {_NAME}', re.IGNORECASE),
    'zh': re.compile('(?:而)?不(?:是|要)(?P<name>[^，。；！？]+)'),
}
_CLAUSES = re.compile(r'[,.;:!?，。；：！？]| but (?=do)')
_CONDITION = {
    'en': re.compile(
        r'\bif (?:you (?:can )?(?:see|find|spot|notice) |there (?:is|are) |there\'s )'
        r'(?P<no>no |not )?(?:a |an |any |the )?(?P<name>[^,.;:!?]+?),',
        re.IGNORECASE,
    ),
    'zh': re.compile(
        '(?:如果|要是|假如|若)(?:你)?(?P<no>没有?看[到见]|没有)?(?:看[到见]了?|发现了?|有)?'
        '(?P<name>[^，。；！？]+?)(?:的话)?，'
    ),
}
_UNLESS = re.compile(
    r'\b(?:unless|except)\b[^,.;:!?]*|除非[^，。；！？]*|除了[^，。；！？]*', re.IGNORECASE
)
_NOT_A_THING = re.compile(
    r'^(?:it|them|that|this|anything|others?|rest|one)\b|^(?:其他|别的|它|任何|东西)|好了$',
    re.IGNORECASE,
)


def forbidden_things(instruction: str) -> tuple[Reference, ...]:
    """Return the things that an instruction says to leave alone: "not the hammer"."""
    language = 'zh' if is_chinese(instruction) else 'en'
    found = []
    for clause in map(str.strip, _CLAUSES.split(instruction)):
        match = _FORBIDDING[language].fullmatch(clause) or _CONTRAST[language].fullmatch(clause)
        if match and not _NOT_A_THING.search(match['name']):
            found.append(parse_reference(match['name'].strip()))
    return tuple(found)


def only_forbids(instruction: str) -> bool:
    """Tell whether an instruction says what to leave alone, and asks for nothing."""
    language = 'zh' if is_chinese(instruction) else 'en'
    clauses = [clause.strip() for clause in _CLAUSES.split(instruction) if clause.strip()]
    return bool(clauses) and all(_FORBIDDING[language].fullmatch(clause) for clause in clauses)


def leave_alone(forbidden: tuple[Reference, ...], language: str) -> DraftPlan:
    """Return the draft of an instruction that only forbids."""
    names = [phrases.the(reference.text, language) for reference in forbidden]
    say = phrases.say('leave_alone', language, phrases.join_all(names, language))
    return DraftPlan(Status.ANSWER, say, reason=Reason.NOTHING_ASKED, forbidden=forbidden)


def with_provisos(draft: DraftPlan, instruction: str, spoken: str = '') -> DraftPlan:
    """Return a draft with what the instruction forbids and its condition; exceptions are asked.

    :param spoken: language of what is asked, 'en' or 'zh'; '' for the instruction's.
    """
    language = 'zh' if is_chinese(instruction) else 'en'
    match = _CONDITION[language].search(instruction)
    steps = draft.steps
    if match and _NOT_A_THING.search(match['name']):
        match = None
    if match and (match['no'] or not is_chinese(instruction) or _sees(match[0])):
        reference = parse_reference(match['name'].strip())
        condition = Condition(reference, present=not match['no'])
        named = {value for step in steps for value in step.arguments.values()}
        if not any(isinstance(v, Reference) and v.head == reference.head for v in named):
            steps = tuple(replace(step, condition=condition) for step in steps)
    exception = _UNLESS.search(instruction)
    if exception:
        # Whether it holds cannot be told: the person is asked.
        spoken = spoken or language
        say = phrases.say('what_about', spoken, phrases.quoted([exception[0].strip()], spoken))
        return DraftPlan(Status.NEEDS_CLARIFICATION, say, reason=Reason.NOT_UNDERSTOOD)
    return replace(draft, steps=steps, forbidden=forbidden_things(instruction))


def _sees(clause: str) -> bool:
    """Tell whether a Chinese condition is about what is in view, not about convenience."""
    return re.search('(?:看[到见]|发现|如果有|要是有|假如有|若有)', clause) is not None
