"""Samples skill catalogues: which skill families a robot has, and under which names."""

from __future__ import annotations

import functools

from kimi_train.reader.language.catalogue import CatalogueSkill, SkillCatalogue
from kimi_train.reader.language.dictionaries import verb_words
from kimi_train.reader.language.example import Argument, SkillCard
from kimi_train.reader.language.family_relations import (
    equivalent_families,
    is_held_out_family,
    overlapping_families,
    similar_families,
)
from kimi_train.reader.language.skill_families import skill_families

__all__ = ['sample_catalogue']

_BASE_PROBABILITIES = (
    ('pick', 0.72),
    ('place', 0.72),
    ('locate', 0.4),
    ('describe', 0.3),
    ('hand_over', 0.35),
    ('navigate', 0.25),
    ('open', 0.2),
    ('close', 0.2),
    ('turn_on', 0.12),
    ('turn_off', 0.12),
    ('push', 0.12),
    ('wipe', 0.12),
    ('pour', 0.1),
    ('bring_to_person', 0.12),
    ('guide', 0.1),
    ('follow', 0.1),
    ('greet', 0.08),
    ('push_to_side', 0.08),
    ('rotate_to_side', 0.08),
)
# Small catalogues as tutorials and demonstrations have them.
_EVERYDAY_CATALOGUES = (
    ('pick', 'place', 'locate', 'describe'),
    ('pick', 'place', 'open', 'close', 'push', 'pour'),
    ('pick', 'place', 'hand_over', 'navigate'),
    ('pick', 'place', 'push'),
    ('pick', 'place', 'wipe', 'pour', 'stir'),
    ('pick', 'place', 'open', 'close', 'turn_on', 'turn_off'),
    ('navigate', 'pick', 'place', 'locate', 'hand_over'),
    ('navigate', 'guide', 'follow', 'say', 'hand_over'),
    ('pick', 'place', 'rotate', 'push', 'turn_on', 'turn_off', 'open', 'close'),
    ('hand_over', 'tidy_up', 'wipe', 'throw_away', 'locate'),
    ('place', 'hand_over', 'open', 'close', 'press_button'),
    (
        'navigate',
        'locate',
        'pick',
        'place',
        'hand_over',
        'bring_to_person',
        'follow',
        'guide',
        'greet',
    ),
    ('navigate', 'locate', 'pick', 'hand_over', 'follow', 'guide', 'count'),
    ('navigate', 'locate', 'pick', 'place', 'bring_to_person', 'guide', 'follow'),
    ('navigate', 'pick', 'hand_over', 'bring_to_person', 'guide', 'greet'),
    ('navigate', 'locate', 'bring_to_person', 'guide', 'greet'),
    ('pick', 'place', 'bring_to_person', 'follow', 'say'),
    ('pick', 'place', 'rotate_to_side', 'push_to_side', 'push_into')
    + ('open', 'close', 'stack_block', 'turn_on', 'turn_off'),
    ('pick', 'place', 'push_to_side', 'open', 'close'),
    ('pick', 'place', 'rotate_to_side', 'stack_block', 'close'),
)
_ARGUMENT_SYNONYMS = {
    'object': ('object',) * 8
    + ('item', 'item', 'obj', 'thing', 'target_object', 'what', 'part', 'piece', 'article', 'x'),
    'target': ('target',) * 6
    + ('destination', 'place', 'location', 'where', 'goal', 'to', 'slot', 'base', 'dest', 'onto')
    + ('surface', 'container', 'receptacle', 'spot', 'position', 'into', 'where_to', 'support'),
    'item': ('item', 'object', 'thing'),
    'person': ('person', 'recipient', 'who', 'to', 'user'),
}
# Uninformative names: only the description tells what the skill does.
_OPAQUE_NAMES = ('skill_{}', 'action_{}', 'task_{}', 'primitive_{}', 'behavior_{}')
_AFFIXED_NAMES = (
    'do_{}',
    '{}_skill',
    'robot_{}',
    'arm_{}',
    '{}_action',
    'execute_{}',
    '{}_now',
    'cmd_{}',
)


@functools.cache
def _family_names(lang, held_out_skills, from_dictionary=False):
    return [
        n
        for n, f in skill_families().items()
        if is_held_out_family(n) == held_out_skills
        and f.templates[lang]
        and f.from_dictionary == from_dictionary
    ]


def _has_value(family):
    return any(a['type'] in ('enum', 'bool', 'number', 'string') for a in family.arguments)


def _request_weight(family):
    """Return how often to ask for a skill: values and places are rarer in the corpus than said."""
    return 3 if _has_value(family) else 2 if any(a.get('place') for a in family.arguments) else 1


@functools.cache
def _valued_families(lang, held_out_skills):
    names = _family_names(lang, held_out_skills)
    return [n for n in names if _has_value(skill_families()[n])]


@functools.cache
def _confusable_families(name):
    """Return the families that are easily confused with this one."""
    like = [*sorted(overlapping_families()[name]), *similar_families().get(name, ())]
    return [n for n in like if not is_held_out_family(n)]


def sample_catalogue(rng, lang: str, held_out_skills: bool = False) -> SkillCatalogue:
    """Sample a catalogue of three to nine skills.

    :param held_out_skills: half of the skills, and all that are requested, are held out.
    """
    all_families = skill_families()
    names = _family_names(lang, held_out_skills)
    chosen: list[str] = []

    def add(name):
        if name in chosen or name not in all_families or equivalent_families()[name] & set(chosen):
            return
        if not all_families[name].templates[lang]:
            return
        chosen.append(name)

    size = 3 + int(rng.random() * 7)
    is_tabletop = not held_out_skills and rng.random() < 0.1
    is_everyday = not held_out_skills and not is_tabletop and rng.random() < 0.28
    if is_tabletop:
        chosen = ['locate', 'pick', 'place', 'describe']
    elif is_everyday:
        for name in rng.choice(_EVERYDAY_CATALOGUES):
            add(name)
    else:
        common = rng.random() < 0.8
        for name, share in _BASE_PROBABILITIES:
            if common and rng.random() < share * (0.5 if held_out_skills else 1):
                add(name)
        rng.shuffle(chosen)
        del chosen[max(1, size - (size if held_out_skills else 2) // 2) :]
        for _ in range(40):
            if len(chosen) >= size:
                break
            if chosen and not held_out_skills and rng.random() < 0.4:
                near = _confusable_families(rng.choice(chosen))
                if near:
                    add(rng.choice(near))
                    continue
            add(
                rng.choice(
                    _family_names(lang, False, True)
                    if not held_out_skills and rng.random() < 0.08
                    else _valued_families(lang, held_out_skills)
                    if rng.random() < 0.4
                    else names
                )
            )
        rng.shuffle(chosen)
    description_lang = lang if rng.random() < 0.85 else {'en': 'zh', 'zh': 'en'}[lang]
    style = rng.random()
    skills, taken = [], set()
    for i, name in enumerate(chosen):
        skill = _sample_skill(
            rng,
            all_families[name],
            description_lang,
            style if not (is_tabletop or is_everyday) or rng.random() < 0.4 else 0.99,
            i,
            taken,
        )
        taken.add(skill.card.name)
        skills.append(skill)
    requestable = [n for n in chosen if is_held_out_family(n)] if held_out_skills else chosen
    weighted = [n for n in requestable for _ in range(_request_weight(all_families[n]))]
    return SkillCatalogue(lang, skills, weighted, is_tabletop)


# '{}' is the description in lower case without its full stop.
_DESCRIPTION_TEMPLATES = {
    'en': (
        'Use this to {}.',
        'Makes the robot {}.',
        'Skill to {}.',
        '{}',
        'to {}',
        'Lets the robot {}.',
        'Call this to {}.',
        'The robot will {}.',
        'Used when the robot should {}.',
        'For when somebody wants to {}.',
    ),
    'zh': (
        '用于{}。',
        '让机器人{}。',
        '{}',
        '机器人{}。',
        '使机器人{}。',
        '这个技能可以{}。',
        '需要{}时使用。',
    ),
}


def _reword_description(rng, description, lang):
    """Return the description, sometimes reworded."""
    r = rng.random()
    if r > 0.3:
        return description
    normalize = description.rstrip('.。')
    if r < 0.04:
        return normalize.lower()
    if lang == 'en' and normalize.split(' ')[0].lower() not in verb_words():
        return description
    return rng.choice(_DESCRIPTION_TEMPLATES[lang]).replace(
        '{}', normalize[0].lower() + normalize[1:]
    )


def _place_type(rng):
    return rng.choice(('object', 'object', 'region', 'point'))


def _sample_skill(rng, family, description_lang, style, index, taken):
    descriptions = (
        family.descriptions[description_lang]
        or family.descriptions['en']
        or family.descriptions['zh']
    )
    description = (
        _reword_description(rng, rng.choice(descriptions), description_lang) if descriptions else ''
    )
    # The basic skills are in most catalogues: under one name they would be learnt by heart.
    own_name = 0.25 if family.core else 0.55
    named = rng.random() >= own_name and family.aliases
    name = rng.choice(family.aliases) if named else family.name
    if name in taken:
        name = family.name
    if description and style < 0.06:
        name = rng.choice(_OPAQUE_NAMES).format(index + 1)
    elif style < 0.12:
        name = rng.choice(_AFFIXED_NAMES).format(name)
    elif style < 0.18:
        parts = name.split('_')
        name = parts[0] + ''.join(p.capitalize() for p in parts[1:])
        if rng.random() < 0.5:
            name = name[0].upper() + name[1:]
    elif style < 0.23 and '_' in name:
        name = '_'.join(reversed(name.split('_')))
    elif style < 0.27:
        name = name.replace('_', '-' if rng.random() < 0.5 else ' ')
    if style > 0.26 and style < 0.32:
        description = ''
    if name in taken:
        name = f'{name}_{index + 1}'
    argument_names, arguments = {}, []
    for argument in family.arguments:
        label = argument['name']
        if (
            argument.get('optional')
            and rng.random() < 0.15
            and (argument['type'] in ('number', 'enum', 'string') or argument.get('place'))
        ):
            continue
        if label in _ARGUMENT_SYNONYMS and rng.random() < 0.45:
            label = rng.choice(_ARGUMENT_SYNONYMS[label])
        if label in argument_names.values():
            label = argument['name']
        argument_names[argument['name']] = label
        arguments.append(
            Argument(
                label,
                _place_type(rng) if argument.get('place') else argument['type'],
                tuple(str(v) for v in argument.get('values') or ()),
                argument.get('unit') or '',
                argument.get('minimum'),
                argument.get('maximum'),
            )
        )
    return CatalogueSkill(family, SkillCard(name, description, tuple(arguments)), argument_names)
