"""The catalogue of a robot: which skills of the corpus it has, and by what names."""

from __future__ import annotations

import functools

from kimi_train.reader.language.dictionaries import verb_words
from kimi_train.reader.language.example import Argument, SkillCard
from kimi_train.reader.language.lexicon import held_out
from kimi_train.reader.language.skills import FETCH, Family, families, neighbours, relatives

__all__ = ['World', 'sample_world']

_COMMON = (
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
)
_SYNONYMS = {
    'object': ('object',) * 8 + ('item', 'obj', 'thing', 'target_object', 'what'),
    'target': ('target',) * 8 + ('destination', 'place', 'location', 'where', 'goal'),
}
# Names that tell nothing, where the description decides.
_BLANK = ('skill_{}', 'action_{}', 'task_{}', 'primitive_{}', 'behavior_{}')
_FRAMED = ('do_{}', '{}_skill', 'robot_{}', 'arm_{}', '{}_action', 'execute_{}', '{}_now', 'cmd_{}')


class Skill:
    """A family as one catalogue has it.

    :ivar renamed: the catalogue's name of each argument of the family.
    :ivar placing: arguments of the family that say a place.
    """

    __slots__ = ('family', 'card', 'renamed', 'placing')

    def __init__(self, family, card, renamed):
        self.family = family
        self.card = card
        self.renamed = renamed
        self.placing = {a['name'] for a in family.arguments if a.get('place')}


class World:
    """A catalogue, and which skill of it does for which family.

    :ivar cards: the skills as the robot tells them.
    :ivar skills: `Skill` by name of the family.
    :ivar wanted: families that instructions should ask for.
    :ivar table: whether it is the catalogue of the simulated table.
    :ivar shapes: `Ask.shape` of every way to ask for its skills.
    """

    def __init__(self, lang: str, skills: list[Skill], wanted: list[str], table: bool = False):
        self.lang = lang
        self.table = table
        self.cards = tuple(skill.card for skill in skills)
        self.skills = {skill.family.name: skill for skill in skills}
        self.wanted = wanted
        self._asks: dict[str, list] = {}
        self._resolved: dict[str, str] = {}
        self._mapped: dict[tuple[str, str], dict[str, str]] = {}
        self.verbs = {ask.verb for s in skills for ask in s.family.asks[lang]}
        self.shapes = {ask.shape for s in skills for ask in s.family.asks[lang]}
        self._everyone = families()

    def has(self, *names: str) -> bool:
        """Tell whether one of these families, or one that means the same, is here."""
        return any(self.resolve(name, strictly=True) for name in names)

    def resolve(self, name: str, strictly: bool = False) -> str:
        """Return the family of the catalogue that does what this one asks for, or ''.

        :param strictly: only the family itself or one of the same meaning.
        """
        if name in self.skills:
            return name
        key = f'{name}!' if strictly else name
        if key not in self._resolved:
            self._resolved[key] = self._search(name, strictly)
        return self._resolved[key]

    def _search(self, name, strictly):
        way, seen = [name], set()
        while way:
            at = way.pop(0)
            if at in seen or at not in self._everyone:
                continue
            seen.add(at)
            if at in self.skills:
                return at
            for other in sorted(self.skills):
                if other in equivalents().get(at, ()):
                    return other
            if strictly:
                return ''
            otherwise = self._everyone[at].otherwise
            if at in FETCH or 'hand_over' in otherwise:
                otherwise = (*FETCH, *otherwise, 'pick')
            way += otherwise
        return ''

    def mentions(self, *words: str) -> bool:
        """Tell whether a way to ask for one of its skills holds one of the words."""
        return any(word in shape for shape in self.shapes for word in words)

    def mapped(self, name: str, onto: str) -> dict[str, str]:
        """Return for each argument of one family the one that takes it in another."""
        if name == onto:
            return {a: a for a in self.skills[onto].renamed}
        key = name, onto
        if key not in self._mapped:
            fit = _fit(self._everyone[name], self.skills[onto].family)
            self._mapped[key] = {a: b for a, b in fit.items() if b in self.skills[onto].renamed}
        return self._mapped[key]

    def asks(self, family: Family, lang: str):
        """Return the ways to ask for a family that no other skill of the catalogue answers to.

        "Lift the box" asks for pick only where there is no skill that is called lift.
        """
        return self._ways(family, lang)[0]

    def more(self, family: Family, lang: str):
        """Return the ways of the simulated table, as `asks` does."""
        return self._ways(family, lang)[1]

    def _ways(self, family, lang):
        if family.name not in self._asks:
            others = [s.family for n, s in self.skills.items() if n != family.name]
            near = relatives().get(family.name, ())
            shapes = {
                a.shape
                for other in others
                if other.name in near and set(other.kinds('object')) & set(family.kinds('object'))
                for a in other.asks[lang]
            }
            own = {label.split('_')[0] for label in family.names}
            called = {label.split('_')[0] for other in others for label in other.names} - own
            self._asks[family.name] = [
                [a for a in asks if a.shape not in shapes and (a.idiom or a.verb not in called)]
                for asks in (family.asks[lang], family.more[lang])
            ]
        return self._asks[family.name]


def _fit(family, other):
    mapped, used = {}, set()
    for argument in family.arguments:
        for candidate in other.arguments:
            if candidate['name'] in used or candidate['type'] != argument['type']:
                continue
            if bool(candidate.get('place')) == bool(argument.get('place')):
                mapped[argument['name']] = candidate['name']
                used.add(candidate['name'])
                break
    return mapped


@functools.cache
def equivalents() -> dict[str, frozenset[str]]:
    """Return for each family those that mean the same: they share names."""
    everyone = families()
    called: dict[str, list[str]] = {}
    for name, family in everyone.items():
        for label in family.names:
            called.setdefault(label, []).append(name)
    same = {}
    for name, family in everyone.items():
        labels = set(family.names)
        others = {n for label in labels for n in called[label]} - {name}
        same[name] = frozenset(
            n
            for n in others
            if n in labels or name in everyone[n].names or len(labels & set(everyone[n].names)) > 1
        )
    return same


@functools.cache
def is_new(name: str) -> bool:
    """Tell whether a family is kept out of training."""
    family = families()[name]
    if family.core or family.drawn or any(families()[n].core for n in equivalents()[name]):
        return False
    return held_out(name)


@functools.cache
def _names(lang, new_skills, drawn=False):
    return [
        n
        for n, f in families().items()
        if is_new(n) == new_skills and f.asks[lang] and f.drawn == drawn
    ]


@functools.cache
def _near(name):
    """Return what is easily taken for a skill."""
    like = [*sorted(relatives()[name]), *neighbours().get(name, ())]
    return [n for n in like if not is_new(n)]


def sample_world(rng, lang: str, new_skills: bool = False) -> World:
    """Draw a catalogue of three to nine skills.

    :param new_skills: half of them, and all that are asked for, are ones that training never holds.
    """
    everyone = families()
    names = _names(lang, new_skills)
    chosen: list[str] = []

    def add(name):
        if name in chosen or name not in everyone or equivalents()[name] & set(chosen):
            return
        if not everyone[name].asks[lang]:
            return
        chosen.append(name)

    size = 3 + int(rng.random() * 7)
    table = not new_skills and rng.random() < 0.1
    if table:
        chosen = ['locate', 'pick', 'place', 'describe']
    else:
        common = rng.random() < 0.8
        for name, share in _COMMON:
            if common and rng.random() < share * (0.5 if new_skills else 1):
                add(name)
        rng.shuffle(chosen)
        del chosen[max(1, size - (size if new_skills else 2) // 2) :]
        for _ in range(40):
            if len(chosen) >= size:
                break
            if chosen and not new_skills and rng.random() < 0.4:
                near = _near(rng.choice(chosen))
                if near:
                    add(rng.choice(near))
                    continue
            add(
                rng.choice(
                    _names(lang, False, True) if not new_skills and rng.random() < 0.12 else names
                )
            )
        rng.shuffle(chosen)
    told = lang if rng.random() < 0.85 else {'en': 'zh', 'zh': 'en'}[lang]
    style = rng.random()
    skills, taken = [], set()
    for i, name in enumerate(chosen):
        skill = _skill(
            rng, everyone[name], told, style if not table or rng.random() < 0.5 else 0.99, i, taken
        )
        taken.add(skill.card.name)
        skills.append(skill)
    wanted = [n for n in chosen if is_new(n)] if new_skills else chosen
    return World(lang, skills, wanted, table)


# How a catalogue may word a description; '{}' is the description with a small letter, no stop.
_WORDINGS = {
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


def _told(rng, description, lang):
    """Return the description as it is, or worded another way."""
    r = rng.random()
    if r > 0.3:
        return description
    plain = description.rstrip('.。')
    if r < 0.04:
        return plain.lower()
    if lang == 'en' and plain.split(' ')[0].lower() not in verb_words():
        return description
    return rng.choice(_WORDINGS[lang]).replace('{}', plain[0].lower() + plain[1:])


def _skill(rng, family, told, style, index, taken):
    descriptions = (
        family.descriptions[told] or family.descriptions['en'] or family.descriptions['zh']
    )
    description = _told(rng, rng.choice(descriptions), told) if descriptions else ''
    name = family.name if rng.random() < 0.55 or not family.aliases else rng.choice(family.aliases)
    if name in taken:
        name = family.name
    if description and style < 0.06:
        name = rng.choice(_BLANK).format(index + 1)
    elif style < 0.12:
        name = rng.choice(_FRAMED).format(name)
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
    renamed, arguments = {}, []
    for argument in family.arguments:
        label = argument['name']
        if (
            argument.get('optional')
            and rng.random() < 0.15
            and (argument['type'] in ('number', 'enum', 'string') or argument.get('place'))
        ):
            continue
        if label in _SYNONYMS and rng.random() < 0.4:
            label = rng.choice(_SYNONYMS[label])
        if label in renamed.values():
            label = argument['name']
        renamed[argument['name']] = label
        arguments.append(
            Argument(
                label,
                argument['type'],
                tuple(str(v) for v in argument.get('values') or ()),
                argument.get('unit') or '',
                argument.get('minimum'),
                argument.get('maximum'),
            )
        )
    return Skill(family, SkillCard(name, description, tuple(arguments)), renamed)
