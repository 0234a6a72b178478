"""The thing that a request is about, by the verb before it: a check on what a model wrote."""

from __future__ import annotations

import re
from dataclasses import replace

from kimi_ros.agent.draft import DraftPlan
from kimi_ros.agent.noun_matching import is_chinese
from kimi_ros.agent.references import Reference, parse_reference
from kimi_ros.agent.skills import SkillCatalogue

_EN = re.compile(
    r'\b(?:bring|fetch|grab|pick up|put|place|move|find|locate|pass|hand|where is|where are)'
    r'(?: me| us)? (?:the|that|my|a|an) (?P<thing>[^,.;:?!]+?)'
    r'(?=$|[,.;:?!]| (?:and|then|to|on|onto|in|into|at|from|over|please|for|that|which|so|down|up|'
    r'out|away|back|off|here|there|now|left|right|next|behind|beside|between|near|by|under|above|'
    r'anywhere|somewhere|with your|if|when|when|as|because|is|are|ta|thanks)\b)',
    re.IGNORECASE,
)
_ZH = re.compile('(?:拿|取|递|抓|找|拣|捡)(?:起|来|到|一下|给我|过来|着)|把.+(?:放|拿|递|搬)')
_NO_NAMES = frozenset('one thing it object something scene way item lot spot'.split())


def asks_for_a_thing(instruction: str) -> bool:
    """Tell whether a request is about a thing, and not about the view as a whole."""
    if is_chinese(instruction):
        return _ZH.search(instruction) is not None
    return asked_thing(instruction) is not None


def asked_thing(instruction: str) -> Reference | None:
    """Return what an English request names after its verb, None where it names nothing.

    'Find the torx screwdriver with the yellow grip' -> the torx screwdriver with the yellow grip.
    """
    match = _EN.search(instruction)
    if match is None:
        return None
    reference = parse_reference(match['thing'].strip())
    return None if reference.head.lower() in _NO_NAMES else reference


def with_asked_thing(draft: DraftPlan, instruction: str, skills: SkillCatalogue) -> DraftPlan:
    """Return a draft about what was asked for, where the model named something else instead.

    A model that does not know a noun names the nearest thing that it knows. The steps' first name
    is replaced, if no name in the draft holds the noun that follows the verb.
    """
    asked = asked_thing(instruction)
    references = list(dict.fromkeys(draft.references(skills)))
    if asked is None or not references or _is_named(asked, references):
        return draft
    wrong = references[0]
    steps = tuple(
        replace(
            step,
            arguments={k: asked if v == wrong else v for k, v in step.arguments.items()},
        )
        for step in draft.steps
    )
    say, intention = draft.say, draft.intention
    for name in filter(None, (wrong.query, wrong.text)):
        say = say.replace(name, asked.text)
        intention = intention.replace(name, asked.text)
    return replace(draft, say=say, intention=intention, steps=steps)


def _is_named(asked: Reference, references: list[Reference]) -> bool:
    """Tell whether a name holds a word of the phrase, before its 'with ...'."""
    names = {w for r in references for w in f'{r.text} {r.query}'.lower().split()}
    words = re.split(r' (?:with|of|made) ', asked.text.lower())[0].split()
    return bool(names.intersection(words)) or not words
