"""Requests to put something beside something, recognised without a reader.

Planning models are trained to put things onto and into others, not beside them.
"""

from __future__ import annotations

import re
from dataclasses import replace

from kimi_ros.agent import phrases
from kimi_ros.agent.draft import DraftPlan, DraftStep
from kimi_ros.agent.naming import relation_words
from kimi_ros.agent.noun_matching import is_chinese
from kimi_ros.agent.plan import Status
from kimi_ros.agent.preconditions import with_missing_steps
from kimi_ros.agent.references import Reference, parse_reference, place_reference
from kimi_ros.agent.skills import Skill, SkillCatalogue

_EN_RELATIONS = {
    r'(?:to the |on the )?left(?: side)? of': 'left_of',
    r'(?:to the |on the )?right(?: side)? of': 'right_of',
    r'in front of': 'in_front_of',
    r'behind': 'behind',
    r'next to|beside|close to|near(?: to)?|alongside|by': 'next_to',
    r'(?:in )?between': 'between',
}
_ZH_RELATIONS = {
    '左(?:边|面|侧)': 'left_of',
    '右(?:边|面|侧)': 'right_of',
    '前(?:边|面)': 'in_front_of',
    '后(?:边|面)|背后': 'behind',
    '旁边?|边上|附近': 'next_to',
    '中间|之间': 'between',
}
_ARTICLE = r'(?:the |a |an |my |that |this )?'
_TAIL = (
    rf' (?P<relation>{"|".join(_EN_RELATIONS)}) {_ARTICLE}(?P<mark>[^,]+?)'
    r"(?:$|[,.!?]| (?:please|for me|now|thanks?|ta\b|cheers|if|when|as soon|i'd|i would|i am|i'm))"
)
_EN = re.compile(
    r'(?:^|[,:;.!?] ?|\b(?:please|kindly|now|then|you) )'
    rf'(?:(?:put|place|set|move|lay|stand|leave|drop|position|shift|slide) {_ARTICLE}'
    r'(?P<thing>[^,:]+?)(?: down| over| so that it is| so it is)?'
    rf'|(?:take|grab|pick up|get|lift) {_ARTICLE}(?P<taken>[^,]+?),? (?:and |then )+'
    r'(?:put|place|set|move|lay|stand|leave|drop) it(?: down)?'
    rf'|{_ARTICLE}(?P<moved>[^,:;.!?]+?) (?:should go|goes|belongs|must go))' + _TAIL,
    re.IGNORECASE,
)
# "I want the cup next to the bowl" names a cup that stands there, or else where it should stand.
_WISH = re.compile(
    rf"\bi(?: want|'d like| would like| need) {_ARTICLE}(?P<thing>[^,]+?)(?P<taken>)(?P<moved>)"
    + _TAIL,
    re.IGNORECASE,
)
_ZH = re.compile(
    '(?:(?:[把将])(?P<thing>[^，把将]+?)(?:放|移|摆|搁|挪|搬|拿)(?:到|在|去|至)?'
    '|(?:拿起|拿|取|抓起)(?P<taken>[^，]+?)，(?:再|然后|并)?把?它?(?:放|移|摆|搁)(?:到|在)'
    '|(?:^|[，：])(?:请|麻烦|帮我|让)?(?P<moved>[^，：把将拿]+?)(?:放|移|摆|搁|挪)(?:到|在))'
    f'(?P<mark>[^，]+?)的?(?P<relation>{"|".join(_ZH_RELATIONS)})'
    '(?:去|来|吧|好吗|可以吗|行吗|吗)*(?:$|[，。！？])'
)
# Where everything stands; as part of a phrase it tells nothing apart.
_SURFACE = re.compile(r' on the (?:table|desk)\b|(?:桌子|桌|台)上的?')
# A phrase with one of these is more than a noun phrase: another place, another clause, an idiom.
_MORE = re.compile(
    r'\b(?:in|on|into|onto|to|of|and|so|from|over|down|off|until|when|there|it|your|what|hold|eyes|'
    r'sights|towards?|with|at)\b|[放拿把将到在，]'
)


def parse_placement(
    instruction: str, skills: SkillCatalogue, wish: bool = False
) -> DraftPlan | None:
    """Return the draft of a request to put one thing beside another, None for any other.

    :param wish: of "I want the cup next to the bowl", which may name a cup that stands there.
    """
    skill = _placing_skill(skills)
    text = _SURFACE.sub('', re.sub('[.。!！?？ ]+$', '', instruction.strip()))
    language = 'zh' if is_chinese(text) else 'en'
    pattern = _WISH if wish else _ZH if language == 'zh' else _EN
    match = pattern.search(text)
    if skill is None or match is None:
        return None
    relations = _ZH_RELATIONS if language == 'zh' else _EN_RELATIONS
    said = match['relation'].lower()
    relation = next(name for form, name in relations.items() if re.fullmatch(form, said))
    thing = match['thing'] or match['taken'] or match['moved']
    marks = [match['mark']]
    if relation == 'between':
        marks = re.split('[和与跟、]' if language == 'zh' else rf' and {_ARTICLE}', match['mark'])
    if len(marks) != (2 if relation == 'between' else 1) or any(
        _MORE.search(phrase.lower()) for phrase in (thing, *marks)
    ):
        return None
    words = relation_words(relation, language)
    landmarks = tuple(map(parse_reference, marks))
    place = place_reference(relation, landmarks, phrases.place(words, marks, language))
    names = [a.name for a in skill.arguments]
    thing = thing.strip()
    step = DraftStep(skill.name, dict(zip(names, (parse_reference(thing), place), strict=True)))
    say = phrases.put(thing, place.text, language)
    return DraftPlan(Status.OK, say, tuple(with_missing_steps([step], skills)), '')


def with_said_relation(draft: DraftPlan, instruction: str, skills: SkillCatalogue) -> DraftPlan:
    """Return a draft whose places are where the instruction says, not on their landmarks.

    "... left of the apple" makes of `place(ball, apple)` a place left of the apple.
    """
    skill = _placing_skill(skills)
    if skill is None:
        return draft
    target = skill.arguments[-1].name
    taken = {(r.relation, m.head) for r in draft.references(skills) for m in r.landmarks}
    steps = []
    for step in draft.steps:
        reference = step.arguments.get(target)
        if step.skill == skill.name and isinstance(reference, Reference) and reference.is_plain:
            relation = _said_relation(instruction, reference.head)
            # "the cup right of the block on the red block" says where the cup is.
            if relation and (relation, reference.head) not in taken:
                language = 'zh' if is_chinese(reference.text) else 'en'
                words = relation_words(relation, language)
                text = phrases.place(words, [reference.text], language)
                place = place_reference(relation, (reference,), text)
                step = replace(step, arguments={**step.arguments, target: place})
        steps.append(step)
    return replace(draft, steps=tuple(steps))


def _said_relation(instruction: str, head: str) -> str:
    """Return the relation that is said of a landmark, by its noun; '' for on or in it."""
    relations = _ZH_RELATIONS if is_chinese(head) else _EN_RELATIONS
    for form, relation in relations.items():
        if is_chinese(head):
            pattern = rf'(?:放|移|摆|搁|挪)[^，]*{re.escape(head)}的?(?:{form})(?!的)'
        else:
            pattern = (
                rf'\b(?:{form}) {_ARTICLE}(?:(?!in|on|into|of|and)\w+ ){{0,3}}{re.escape(head)}\b'
            )
        if relation != 'between' and re.search(pattern, instruction, re.IGNORECASE):
            return relation
    return ''


def _placing_skill(skills: SkillCatalogue) -> Skill | None:
    """Return the skill that puts a thing that is held somewhere."""
    return next(
        (
            skill
            for skill in skills
            if len(skill.arguments) == 2
            and all(a.grounded for a in skill.arguments)
            and any(p.name == 'holding' and not p.negated for p in skill.preconditions)
        ),
        None,
    )
