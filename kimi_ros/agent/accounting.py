"""Accounting for the instruction: what no step, name or refusal covers is reported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kimi_ros.agent.draft import DraftPlan
from kimi_ros.agent.noun_matching import is_chinese, normalize_text
from kimi_ros.agent.policy import Policy
from kimi_ros.agent.references import Reference
from kimi_ros.agent.skills import SkillCatalogue

# Verbs at the beginning of a clause that ask for something else than to find, grasp or put.
_OTHER_VERBS = frozenset(
    'pour fly paint stab cut slice chop throw hurl smash break burn kick hit punch slap push pull '
    'press shake stir mix cook bake boil fry heat wash rinse scrub wipe sweep mop vacuum dust '
    'polish open close shut lock unlock switch plug unplug twist rotate drive jump climb dance '
    'sing swim drill hammer weld glue sew fold iron wrap unwrap tear rip peel crack drink eat '
    'taste bite chew swallow feed water spray spill empty fill phone text email write print type '
    'charge repair assemble dismantle untie poke prick shoot kill attack scare touch tickle lick '
    'kiss hug'.split()
)
_HANDLING = frozenset('located holding hand_empty on described'.split())
_BEFORE_VERB = frozenset(
    'please kindly hey hi hello robot kimi and then now also but first next you could can would '
    'will to'.split()
)
# With these a verb means something to do with the robot's own body, or brings something nearer.
_HARMLESS_OBJECT = re.compile(r'\b(?:me|us|gripper|jaws|camera|cameras|eyes|your|it with|gap)\b')
_ZH_OTHER_VERBS = re.compile(
    '(?<![我想要怕完])(?:扎|刺伤|捅|砍|切[^换]|泼|倒(?![是数着影了])|飞|刷|踢|咬|炸|点燃|烧|砸|摔|撕|洗|煮|炒|喝|'
    '吃(?!完)|浇|喷|打开(?!摄像|相机|夹)|关上|关掉|关闭|拧|按下|推倒|推开|拉开|擦|扫(?!描|一眼)|拖地|跳|唱|跑(?![哪到])|'
    '打(?:他|她|人|死)|杀|敲|剪[断开]|缝)'
)
_CLAUSE = re.compile(r'[,.;:!?，。；：！？]|\band\b|\bthen\b')


@dataclass(frozen=True)
class Accounting:
    """What of an instruction nothing in its draft accounts for.

    :ivar left_out: the words, in the order of the instruction.
    :ivar ask: they hold a verb, a person or a hazard: they must be asked about.
    """

    left_out: tuple[str, ...] = ()
    ask: bool = False


def account(
    instruction: str, draft: DraftPlan, skills: SkillCatalogue, policy: Policy
) -> Accounting:
    """Return what a draft leaves out of its instruction."""
    covered = ' . '.join(_covered(draft))
    dangers = [noun for noun in policy.dangers(instruction) if noun not in covered]
    verbs = other_verbs(instruction, skills) if only_handles(skills) else []
    urgent = [*dangers, *verbs]
    left_out = [w for w in (*draft.left_out, *urgent) if w]
    kept = [w for w in dict.fromkeys(left_out) if not any(w != o and w in o for o in left_out)]
    ask = bool(urgent) or any(_is_urgent(words, policy) for words in draft.left_out)
    return Accounting(tuple(sorted(kept, key=instruction.lower().find)), ask)


def only_handles(skills: SkillCatalogue) -> bool:
    """Tell whether the catalogue only finds, grasps, puts and describes, by its effects."""
    return all(
        skill.effects and all(e.name in _HANDLING for e in skill.effects) for skill in skills
    )


def other_verbs(instruction: str, skills: SkillCatalogue) -> list[str]:
    """Return the verbs that ask for what no skill of the catalogue speaks of."""
    known = ' '.join(skill.text for skill in skills)
    text = normalize_text(instruction)
    if is_chinese(text):
        found = [match[0] for match in _ZH_OTHER_VERBS.finditer(text)]
        return [verb for verb in found if verb not in known]
    clauses = [c for c in _CLAUSE.split(text) if not _HARMLESS_OBJECT.search(c)]
    verbs = filter(None, map(_clause_verb, clauses))
    known_words = set(re.findall('[a-z]+', known))
    return [v for v in verbs if v in _OTHER_VERBS and v not in known_words]


def _clause_verb(clause: str) -> str:
    words = re.findall(r"(?<![\w\"])[a-z']+(?![\w\"(])", clause)
    while words and words[0] in _BEFORE_VERB:
        words = words[1:]
    return words[0] if words else ''


def _is_urgent(words: str, policy: Policy) -> bool:
    verb = _clause_verb(normalize_text(words)) in _OTHER_VERBS or _ZH_OTHER_VERBS.search(words)
    return bool(verb or policy.dangers(words))


def _covered(draft: DraftPlan) -> Iterator[str]:
    """Yield what the draft's names hold."""
    references: list[Reference] = [*draft.forbidden]
    for step in draft.steps:
        references += [v for v in step.arguments.values() if isinstance(v, Reference)]
        if step.condition:
            references.append(step.condition.reference)
        yield from (v for v in step.arguments.values() if isinstance(v, str))
    if draft.question:
        references += draft.question.references
    yield from _texts(references)


def _texts(references: Sequence[Reference]) -> Iterator[str]:
    for reference in references:
        yield normalize_text(reference.text)
        yield normalize_text(reference.query)
        yield from _texts(reference.landmarks)
