"""Generated instructions about nouns, and for skills, that are not in the training data.

generated.yaml holds the skills and the sentences, nouns.yaml the nouns. Nothing here is shared with
what training generates, except the rule by which nouns are set aside.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml

from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.eval.reading.cases import ANSWER, Case

FOLDER = Path(__file__).parent
_VALUE = re.compile(r'\{(\w+):([^}]+)\}')
_FIELDS = ('name', 'description', 'arguments', 'preconditions', 'effects')
_SKILLS = 5  # in a catalogue, besides pick and place
# Of ten instructions so many are ...
_MIX = {
    'one': 4,
    'two': 2,
    'not': 0.7,
    'if': 0.7,
    'forbidden': 0.4,
    'question': 1,
    'no_skill': 0.6,
    'nothing': 0.3,
}
# What no other skill of these could be taken for.
_UNLIKE = ('brew', 'freeze', 'iron', 'juice', 'knead', 'laminate', 'whisk', 'zip')
# A request that is no imperative takes no "could you" before it.
_STATEMENT = re.compile("(?:I|I'd|the|that) |我")


@dataclass
class _Request:
    """Words that ask for one skill, and what a plan of them must hold."""

    words: str
    skills: list[str]
    names: list[str] = field(default_factory=list)
    relation: str = ''
    values: dict = field(default_factory=dict)


def held_out(noun: str) -> bool:
    """Tell whether training sets a noun aside: a tenth of all are, by their hash."""
    return int.from_bytes(hashlib.sha1(noun.encode()).digest()[-4:], 'big') % 10 == 0


def generated(
    kind: str, language: str, count: int, seed: int = 0
) -> Iterator[tuple[Case, SkillCatalogue]]:
    """Yield cases, each with the catalogue that it is for; the same for the same seed.

    :param kind: 'nouns' asks for common skills, 'skills' for ones not in the training data.
    """
    rng = random.Random(f'{kind}-{language}-{seed}')
    maker = _Maker(kind, language, rng)
    for _ in range(count):
        yield maker.case()


class _Maker:
    def __init__(self, kind: str, language: str, rng: random.Random):
        data, nouns = _data('generated.yaml'), _data('nouns.yaml')[language]
        self.kind, self.language, self.rng = kind, language, rng
        self.data = data
        self.common = {s['name']: s for s in data['common']}
        self.rare = {s['name']: s for s in data['rare']}
        self.things, self.places = (
            [w for w in nouns[k].split() if held_out(w)] for k in ('things', 'places')
        )
        self.adjectives = nouns['adjectives'].split()
        self.forms = data['forms'][language]
        self.used: set[str] = set()

    def case(self) -> tuple[Case, SkillCatalogue]:
        rng = self.rng
        self.used = set()
        pool = {k: v for k, v in self.common.items() if k not in ('pick', 'place')}
        if self.kind == 'skills':
            pool = self.rare
        chosen = rng.sample(sorted(pool), _SKILLS)
        self.lacks = [self.rare[name] for name in _UNLIKE if name not in chosen]
        skills = {'pick': self.common['pick'], 'place': self.common['place']}
        skills |= {name: pool[name] for name in chosen}
        entries = list(skills.values())
        rng.shuffle(entries)
        form = rng.choices(list(_MIX), list(_MIX.values()))[0]
        asked = [skills[n] for n in (chosen if self.kind == 'skills' else skills)]
        say, right = getattr(self, f'_{form}')(asked)
        right |= {'lang': self.language, 'say': self._spoken(say)}
        return Case.from_dict(right), _catalogue(entries)

    def _one(self, skills: list[dict]) -> tuple[str, dict]:
        request = self._request(self.rng.choice(skills))
        return self._said(request), _right([request])

    def _no_skill(self, skills: list[dict]) -> tuple[str, dict]:
        request = self._request(self.rng.choice(self.lacks))
        return self._said(request), {'skills': [], 'outcome': 'no_skill'}

    def _two(self, skills: list[dict]) -> tuple[str, dict]:
        a, b = (self._request(self.rng.choice(skills)) for _ in range(2))
        # With a full hand nothing else can be picked up.
        if a.skills[-1] == 'pick' and b.skills[0] == 'pick':
            return self._said(a), _right([a])
        return self._form('two', a=a.words, b=b.words), _right([a, b])

    def _not(self, skills: list[dict]) -> tuple[str, dict]:
        # After a place or a text, "not ..." could be part of it.
        ends = [s for s in skills if [a['name'] for a in s['arguments']] == ['object']]
        if not ends:
            return self._one(skills)
        request = self._request(self.rng.choice(ends))
        noun = self._noun(self.things)
        no = f'the {noun}' if self.language == 'en' else noun
        right = _right([request]) | {'without': [noun]}
        return self._form('not', a=request.words, no=no), right

    def _if(self, skills: list[dict]) -> tuple[str, dict]:
        one = [s for s in skills if [a['name'] for a in s['arguments']] == ['object']]
        if not one:
            return self._one(skills)
        skill, noun = self.rng.choice(one), self._noun(self.things)
        it = {'en': 'it', 'zh': '它'}[self.language]
        words = self.rng.choice(skill['say'][self.language]).format(object=it)
        object_ = self._article(noun) if self.language == 'en' else noun
        right = {'skills': _needed(skill), 'names': [noun]}
        return self._form('if', object=object_, it=words), right

    def _forbidden(self, skills: list[dict]) -> tuple[str, dict]:
        noun = self._noun(self.things)
        object_ = f'the {noun}' if self.language == 'en' else noun
        return self._form('forbidden', object=object_), {'skills': [], 'outcome': 'nothing'}

    def _question(self, skills: list[dict]) -> tuple[str, dict]:
        a, b = self._noun(self.things), self._noun(self.places)
        form = self.rng.choice(self.forms['question'])
        the = {'en': 'the ', 'zh': ''}[self.language]
        one = self._article(a) if 'is there' in form else the + a
        plural = _plural(a)
        words = form.format(object=one, objects=plural, target=the + b)
        name = plural if '{objects}' in form else a
        # In Chinese the place may come first.
        places = sorted((words.find(n), n) for n in (name, b) if n in words)
        right = {'skills': [ANSWER], 'names': [places[0][1]]}
        # A robot that can show where a thing is may as well do so.
        where = form.startswith('where') or '在哪里' in form
        right |= {'also': [['locate']]} if where and self.kind == 'nouns' else {}
        return words + {'en': '?', 'zh': '？'}[self.language], right

    def _nothing(self, skills: list[dict]) -> tuple[str, dict]:
        return self.rng.choice(self.forms['nothing']), {'skills': [], 'outcome': 'nothing'}

    def _said(self, request: _Request) -> str:
        if _STATEMENT.match(request.words):
            return request.words
        return self._form('one', a=request.words)

    def _form(self, name: str, **words: str) -> str:
        return self.rng.choice(self.forms[name]).format(**words)

    def _request(self, skill: dict) -> _Request:
        rng = self.rng
        request = _Request('', _needed(skill))
        template = rng.choice(skill['say'][self.language])
        arguments = {a['name']: a for a in skill['arguments']}
        fill = {}
        for name, argument in arguments.items():
            if argument['type'] == 'number':
                value = rng.randint(int(argument['minimum']) or 5, int(argument['maximum']))
                fill[name] = request.values[name] = value
            elif argument['type'] == 'string':
                fill[name] = request.values[name] = rng.choice(
                    self.data['values'][self.language][name]
                )
        match = _VALUE.search(template)
        if match:
            values = arguments[match[1]]['values']
            i = rng.randrange(len(values))
            request.values[match[1]] = values[i]
            template = template.replace(match[0], match[2].split('|')[i])
        for name in ('object', 'target'):
            if f'{{{name}}}' in template:
                noun = self._noun(self.things)
                fill[name] = self._phrase(noun)
                request.names.append(noun)
        if '{where}' in template:
            places = self.data['where'][self.language]
            request.relation = rng.choice(list(places))
            nouns = [self._noun(self.places)]
            if request.relation == 'between':
                nouns.append(self._noun(self.places))
            request.names += nouns
            target, other = (nouns * 2)[:2]
            fill['where'] = rng.choice(places[request.relation]).format(
                target=self._phrase(target), other=self._phrase(other)
            )
        request.words = template.format(**fill)
        return request

    def _noun(self, nouns: list[str]) -> str:
        left = [n for n in nouns if n not in self.used]
        noun = self.rng.choice(left)
        # One that is part of another would be found in its place.
        self.used |= {n for n in self.things + self.places if noun in n or n in noun}
        return noun

    def _phrase(self, noun: str) -> str:
        adjective = self.rng.choice(self.adjectives) if self.rng.random() < 0.4 else ''
        if self.language == 'en':
            return f'{self.rng.choice(("the", "the", "that"))} {adjective} {noun}'.replace(
                '  ', ' '
            )
        if adjective and not adjective.endswith('的'):
            adjective += '的'
        return self.rng.choice(('', '', '那个')) + adjective + noun

    @staticmethod
    def _article(noun: str) -> str:
        return f'{"an" if noun[0] in "aeiou" else "a"} {noun}'

    def _spoken(self, words: str) -> str:
        if self.rng.random() < 0.4:  # as a recogniser writes
            return re.sub('[,.?？]', '', words.lower())
        mark = {'en': '.', 'zh': '。'}[self.language]
        return words[0].upper() + words[1:] + ('' if words[-1] in '?？' else mark)


def _right(requests: list[_Request]) -> dict:
    right: dict = {'skills': [], 'names': []}
    for request in requests:
        right['skills'] += request.skills
        right['names'] += request.names
        right |= {'relation': request.relation} if request.relation else {}
        right['values'] = right.get('values', {}) | request.values
    return right


def _needed(skill: dict) -> list[str]:
    first = ['pick'] if 'holding(object)' in skill.get('preconditions', ()) else []
    return [*first, skill['name']]


def _plural(noun: str) -> str:
    if noun.endswith(('s', 'x', 'ch', 'sh')):
        return noun if noun.endswith('rs') or noun == 'bellows' else f'{noun}es'
    return f'{noun[:-1]}ies' if re.search('[^aeiou]y$', noun) else f'{noun}s'


def _catalogue(entries: list[dict]) -> SkillCatalogue:
    rest = {'risk': 'low', 'approval': 'risky', 'node': 'Skill'}
    skills = [{k: e[k] for k in _FIELDS if k in e} | rest for e in entries]
    return SkillCatalogue.from_data({'skills': skills})


@lru_cache
def _data(name: str) -> dict:
    return yaml.safe_load((FOLDER / name).read_text(encoding='utf-8'))
