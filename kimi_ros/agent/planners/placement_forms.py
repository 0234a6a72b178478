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
from kimi_ros.agent.places import PLACE_RELATIONS
from kimi_ros.agent.plan import Status
from kimi_ros.agent.preconditions import with_missing_steps
from kimi_ros.agent.references import Reference, parse_reference, place_reference
from kimi_ros.agent.skills import Skill, SkillCatalogue
from kimi_ros.reader.function_words import CHINESE_RELATIONS, DETERMINER, ENGLISH_RELATIONS, any_of
from kimi_ros.reader.placements import find_placement

_BESIDE = frozenset(PLACE_RELATIONS) - {'on', 'in'}
_EN_BESIDE = any_of(w for w, r in ENGLISH_RELATIONS.items() if r in _BESIDE)
_ZH_BESIDE = any_of(w for w, r in CHINESE_RELATIONS.items() if r in _BESIDE)
# Where everything stands; as part of a phrase it tells nothing apart.
_SURFACE = re.compile(r' on the (?:table|desk)\b|(?:桌子|桌|台)上的?')


def parse_placement(
    instruction: str, skills: SkillCatalogue, wish: bool = False
) -> DraftPlan | None:
    """Return the draft of a request to put one thing beside another, None for any other.

    :param wish: of "I want the cup next to the bowl", which may name a cup that stands there.
    """
    skill = _placing_skill(skills)
    text = _SURFACE.sub('', instruction.strip())
    placement = find_placement(text, wish)
    if skill is None or placement is None or placement.relation not in _BESIDE:
        return None
    language = 'zh' if is_chinese(text) else 'en'
    thing, *marks = (words.text_in((text,)) for words in (placement.thing, *placement.landmarks))
    where = phrases.place(relation_words(placement.relation, language), marks, language)
    place = place_reference(placement.relation, tuple(map(parse_reference, marks)), where)
    names = [a.name for a in skill.arguments]
    step = DraftStep(skill.name, dict(zip(names, (parse_reference(thing), place), strict=True)))
    say = phrases.put(thing, where, language)
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
    noun = re.escape(head)
    if is_chinese(head):
        pattern = rf'[放移摆搁挪][^，]*{noun}的?(?P<words>{_ZH_BESIDE})(?!边?的)'
    else:
        other = r'(?:(?!(?:in|on|into|of|and)\b)\w+ ){0,3}'
        pattern = rf'\b(?P<words>{_EN_BESIDE}) (?:{DETERMINER} )?{other}{noun}\b'
    found = re.search(pattern, instruction, re.IGNORECASE)
    return {**ENGLISH_RELATIONS, **CHINESE_RELATIONS}[found['words'].lower()] if found else ''


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
