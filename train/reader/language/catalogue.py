"""A skill catalogue, and which of its skills fulfils a request for which skill family."""

from __future__ import annotations

from kimi_train.reader.language.family_relations import (
    equivalent_families,
    overlapping_families,
)
from kimi_train.reader.language.skill_families import FETCH_FAMILIES, SkillFamily, skill_families

__all__ = ['CatalogueSkill', 'SkillCatalogue']


class CatalogueSkill:
    """A skill family as it appears in one catalogue.

    :ivar card: its entry in the catalogue.
    :ivar argument_names: the catalogue's name of each argument of the family.
    :ivar place_arguments: arguments of the family that are places.
    """

    __slots__ = ('family', 'card', 'argument_names', 'place_arguments')

    def __init__(self, family, card, argument_names):
        self.family = family
        self.card = card
        self.argument_names = argument_names
        self.place_arguments = {a['name'] for a in family.arguments if a.get('place')}


class SkillCatalogue:
    """The skills of a catalogue, by the skill family that they implement.

    :ivar cards: the entries that the reader sees.
    :ivar skills: `CatalogueSkill` by family name.
    :ivar requestable: families that instructions may ask for.
    :ivar is_tabletop: whether it is the catalogue of the simulated table.
    :ivar verbs: the verbs of its skills' templates.
    :ivar delexicalized_templates: its skills' templates without their arguments.
    """

    def __init__(
        self,
        lang: str,
        skills: list[CatalogueSkill],
        requestable: list[str],
        is_tabletop: bool = False,
    ):
        self.lang = lang
        self.is_tabletop = is_tabletop
        self.cards = tuple(skill.card for skill in skills)
        self.skills = {skill.family.name: skill for skill in skills}
        self.requestable = requestable
        self._templates: dict[str, list] = {}
        self._resolved: dict[str, str] = {}
        self._argument_maps: dict[tuple[str, str], dict[str, str]] = {}
        self.verbs = {template.verb for s in skills for template in s.family.templates[lang]}
        self.delexicalized_templates = {
            template.delexicalized for s in skills for template in s.family.templates[lang]
        }
        self._all_families = skill_families()

    def has(self, *names: str) -> bool:
        """Tell whether the catalogue has one of these families or an equivalent."""
        return any(self.resolve(name, exact=True) for name in names)

    def resolve(self, name: str, exact: bool = False) -> str:
        """Return the family of the catalogue that fulfils a request for this one, or ''.

        :param exact: without fallbacks: only the family itself or an equivalent.
        """
        if name in self.skills:
            return name
        key = f'{name}!' if exact else name
        if key not in self._resolved:
            self._resolved[key] = self._search(name, exact)
        return self._resolved[key]

    def _search(self, name, exact):
        queue, seen = [name], set()
        while queue:
            at = queue.pop(0)
            if at in seen or at not in self._all_families:
                continue
            seen.add(at)
            if at in self.skills:
                return at
            for other in sorted(self.skills):
                if other in equivalent_families().get(at, ()):
                    return other
            if exact:
                return ''
            fallbacks = self._all_families[at].fallbacks
            if at in FETCH_FAMILIES or 'hand_over' in fallbacks:
                fallbacks = (*FETCH_FAMILIES, *fallbacks, 'pick')
            queue += fallbacks
        return ''

    def mentions(self, *words: str) -> bool:
        """Tell whether a template of one of its skills contains one of the words."""
        return any(
            word in delexicalized
            for delexicalized in self.delexicalized_templates
            for word in words
        )

    def argument_map(self, name: str, target_family: str) -> dict[str, str]:
        """Return the corresponding argument of another family for each argument of this one."""
        if name == target_family:
            return {a: a for a in self.skills[target_family].argument_names}
        key = name, target_family
        if key not in self._argument_maps:
            fit = _match_arguments(self._all_families[name], self.skills[target_family].family)
            self._argument_maps[key] = {
                a: b for a, b in fit.items() if b in self.skills[target_family].argument_names
            }
        return self._argument_maps[key]

    def templates(self, family: SkillFamily, lang: str):
        """Return the templates of a family that fit no other skill of the catalogue.

        "Lift the box" asks for `pick` only if no skill is called `lift`.
        """
        return self._unambiguous_templates(family, lang)[0]

    def tabletop_templates(self, family: SkillFamily, lang: str):
        """Return the templates from the simulated table, filtered as in `templates`."""
        return self._unambiguous_templates(family, lang)[1]

    def _unambiguous_templates(self, family, lang):
        if family.name not in self._templates:
            others = [s.family for n, s in self.skills.items() if n != family.name]
            near = overlapping_families().get(family.name, ())
            delexicalized_templates = {
                a.delexicalized
                for other in others
                if other.name in near
                and set(other.noun_classes('object')) & set(family.noun_classes('object'))
                for a in other.templates[lang]
            }
            own = {label.split('_')[0] for label in family.names}
            called = {label.split('_')[0] for other in others for label in other.names} - own
            self._templates[family.name] = [
                [
                    a
                    for a in templates
                    if a.delexicalized not in delexicalized_templates
                    and (a.is_idiom or a.verb not in called)
                ]
                for templates in (family.templates[lang], family.tabletop_templates[lang])
            ]
        return self._templates[family.name]


def _match_arguments(family, other):
    argument_map, used = {}, set()
    for argument in family.arguments:
        for candidate in other.arguments:
            if candidate['name'] in used or candidate['type'] != argument['type']:
                continue
            if bool(candidate.get('place')) == bool(argument.get('place')):
                argument_map[argument['name']] = candidate['name']
                used.add(candidate['name'])
                break
    return argument_map
