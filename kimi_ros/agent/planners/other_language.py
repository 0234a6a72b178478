"""What is said of a draft in another language than the instruction's.

A model writes in the words of the instruction. Asked to answer in another language, the agent says
what the skills file says of each skill in that language, with the names as the person said them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kimi_ros.agent import phrases
from kimi_ros.agent.draft import DraftPlan, DraftStep
from kimi_ros.agent.noun_matching import is_chinese
from kimi_ros.agent.plan import Status
from kimi_ros.agent.skills import SkillCatalogue


def is_other(instruction: str, language: str) -> bool:
    """Tell whether an instruction is not in the language that is to be spoken."""
    return is_chinese(instruction) != (language == 'zh')


def announce(steps: Sequence[DraftStep], skills: SkillCatalogue, language: str) -> str:
    """Return what will be done: 'I will do this: grasp an object and lift it (红色的杯子).'"""
    told = []
    for step in steps:
        skill = skills[step.skill]
        text = skill.description[language].strip().rstrip('.。')
        names = [reference.text for reference in step.references(skill).values()]
        told.append(phrases.with_names(text, names, language))
    return phrases.announce(list(dict.fromkeys(told)), language)


def in_language(draft: DraftPlan, language: str, skills: SkillCatalogue) -> DraftPlan:
    """Return a draft of which everything is said in a language, 'en' or 'zh'."""
    if draft.status is Status.ANSWER:
        return draft  # its answer is given by the agent
    steps = announce(draft.steps, skills, language) if draft.steps else ''
    if draft.status is Status.OK:
        say = steps
    elif draft.status is Status.REFUSED:
        say = phrases.say('refused', language)
    elif draft.status is Status.INFEASIBLE and (names := draft.names(skills)):
        listed = [phrases.with_article(name, language) for name in names]
        say = phrases.say('not_visible', language, phrases.join_alternatives(listed, language))
    elif draft.status is Status.INFEASIBLE:
        say = phrases.say('no_skill_at_all', language)
    else:
        say = phrases.say('say_differently', language)
    alternative = draft.alternative and in_language(draft.alternative, language, skills)
    return replace(draft, say=say, intention=steps, alternative=alternative)
