"""The kinds of things that narration looks for: a YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kimi_ros.agent.yaml_schema import load_yaml

_FILE = Path(__file__).with_name('things.yaml')
_KEYS = {'en', 'many', 'zh', 'measure', 'hazard', 'person', 'step', 'parts'}
_NUMBERS_EN = 'no one two three four five six seven eight nine'.split()
_NUMBERS_ZH = '零 一 两 三 四 五 六 七 八 九'.split()


@dataclass(frozen=True)
class Kind:
    """A kind of thing.

    :ivar name: by language.
    :ivar many: English plural.
    :ivar measure: Chinese measure word.
    :ivar hazard: it is announced as a hazard wherever it is.
    :ivar person: it is called a person, whatever the name says.
    :ivar step: one walks over it: nothing is said of the sides.
    :ivar parts: English names of kinds that are called so where several of them stand together; the
        model is not asked for it.
    """

    name: dict[str, str]
    many: str
    measure: str = '个'
    hazard: bool = False
    person: bool = False
    step: bool = False
    parts: tuple[str, ...] = ()

    def label(self, count: int, language: str) -> str:
        """Return how one or several of them are called: 'three bicycles', 三辆自行车."""
        if count == 1:
            return self.name[language]
        if language == 'zh':
            number = _NUMBERS_ZH[count] if count < 10 else '很多'
            return f'{number}{self.measure if count < 10 else ""}{self.name["zh"]}'
        return f'{_NUMBERS_EN[count] if count < 10 else "many"} {self.many}'


def load_kinds(path: str = '') -> tuple[Kind, ...]:
    """Read the file; '' is that of the package.

    :raises ValueError: where it is not such a file, with the line's number in the list.
    """
    entries = load_yaml(Path(path).expanduser() if path else _FILE, ValueError)
    if not isinstance(entries, list) or not entries:
        raise ValueError(f'{path}: write a list of things: - {{en: chair, zh: 椅子}}')
    return tuple(_kind(entry, f'{path}: thing {number}') for number, entry in enumerate(entries, 1))


def _kind(entry: Any, where: str) -> Kind:
    if not isinstance(entry, dict) or not {'en', 'zh'} <= set(entry):
        raise ValueError(f'{where} needs names in both languages: {{en: chair, zh: 椅子}}')
    if unknown := set(entry) - _KEYS:
        raise ValueError(f'{where} has unknown keys: {", ".join(sorted(unknown))}')
    english = str(entry['en'])
    return Kind(
        {'en': english, 'zh': str(entry['zh'])},
        str(entry.get('many', f'{english}s')),
        str(entry.get('measure', '个')),
        bool(entry.get('hazard', False)),
        bool(entry.get('person', False)),
        bool(entry.get('step', False)),
        tuple(map(str, entry.get('parts', ()))),
    )
