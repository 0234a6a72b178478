"""A things file: which scans there are, what people call them, and what one may do with them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from kimi_ros.sim.full.object_classes import COLORS

LANGUAGES = ('en', 'zh')
SUPPORTS = ('', 'on', 'in')
HAZARDS = ('', 'sharp', 'fragile', 'hot', 'toxic')
IDENTITIES = ('print', 'shape')
YCB = Path(__file__).with_name('ycb.yaml')
"""The things file of the YCB Object and Model Set."""

Names = Mapping[str, tuple[str, ...]]


class ThingsError(ValueError):
    """A things file is wrong; the message names the file, the thing and the key."""


@dataclasses.dataclass(frozen=True)
class Thing:
    """One scanned thing.

    :ivar id: its name in files.
    :ivar kind: name of the kind that it is one of, such as 'can'.
    :ivar names: language -> what people call it, the commonest first.
    :ivar mesh: path of its mesh, relative to the folder of the scans.
    :ivar color: one of `COLORS`, or '' where people would argue.
    :ivar supports: 'on' or 'in', where other things may stand or lie; or ''.
    :ivar hazard: one of `HAZARDS`.
    :ivar identity: 'shape': it stays what it is in another colour, as a mug does; 'print': with
        another print it is something else, as a box of crackers is.
    :ivar mass: kilograms, or None.
    :ivar up: which axis of the mesh points up when the thing stands as it usually does.
    :ivar scale: metres of one unit of the mesh.
    """

    id: str
    kind: str
    names: Names
    mesh: str
    color: str = ''
    supports: str = ''
    hazard: str = ''
    identity: str = 'print'
    mass: float | None = None
    up: str = 'z'
    scale: float = 1.0


class Things:
    """The things of a file, in its order, and what their names mean.

    A name means every thing that has it, itself or by its kind: 'cup' may mean a mug and ten
    plastic cups, 'can' every can.

    :ivar all: the things.
    :ivar kinds: kind -> language -> its names; of the kinds that have names of their own.
    """

    def __init__(self, things: tuple[Thing, ...], kinds: Mapping[str, Names]):
        self.all = things
        self.kinds = dict(kinds)
        self._by_id = {thing.id: thing for thing in things}

    def __iter__(self) -> Iterator[Thing]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, thing_id: str) -> Thing:
        return self._by_id[thing_id]

    def names(self, thing_id: str, language: str) -> tuple[str, ...]:
        """Return a thing's own names, the commonest first, then those of its kind."""
        thing = self[thing_id]
        of_kind = self.kinds.get(thing.kind, {}).get(language, ())
        return tuple(dict.fromkeys((*thing.names[language], *of_kind)))

    def meant_by(self, name: str, language: str) -> frozenset[str]:
        """Return the ids of all things that a name means; none for an unknown name."""
        return self._meanings.get((language, name), frozenset())

    @functools.cached_property
    def _meanings(self) -> dict[tuple[str, str], frozenset[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for thing in self.all:
            for language in LANGUAGES:
                for name in self.names(thing.id, language):
                    found.setdefault((language, name), set()).add(thing.id)
        return {key: frozenset(ids) for key, ids in found.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return what `parse_things` reads, ready for JSON."""
        listed = [dataclasses.asdict(thing) for thing in self.all]
        for entry in listed:
            if entry['mass'] is None:
                del entry['mass']
        return {'kinds': self.kinds, 'things': listed}


def load_things(path: Path) -> Things:
    """Read a things file (YAML).

    :raises ThingsError: when it is missing or wrong: with file, thing and key.
    """
    try:
        text = Path(path).read_text(encoding='utf-8')
    except OSError as error:
        raise ThingsError(f'{path}: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise ThingsError(f'{path}: not UTF-8 text') from error
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ThingsError(f'{path}: not YAML: {error}') from error
    return parse_things(data, str(path))


def parse_things(data: Any, source: str) -> Things:
    """Return the things that a file's content describes.

    :param source: what to call the file in errors.
    :raises ThingsError: when something in it is wrong.
    """
    data = _mapping(data, source)
    unknown = set(data) - {'mesh', 'kinds', 'things'}
    if unknown:
        raise ThingsError(
            f'{source}: unknown key {sorted(map(str, unknown))[0]!r}: use mesh, kinds, things'
        )
    entries = data.get('things')
    if not isinstance(entries, list) or not entries:
        raise ThingsError(f'{source}: "things" must be a list of at least one thing')
    kinds = {
        str(kind): _names(names, f'{source}: kinds: {kind}')
        for kind, names in _mapping(data.get('kinds', {}), f'{source}: kinds').items()
    }
    things = tuple(_thing(entry, data.get('mesh'), source, i) for i, entry in enumerate(entries))
    seen: set[str] = set()
    for thing in things:
        if thing.id in seen:
            raise ThingsError(f'{source}: {thing.id}: this id is there twice')
        seen.add(thing.id)
    return Things(things, kinds)


def _thing(entry: Any, mesh: Any, source: str, index: int) -> Thing:
    entry = _mapping(entry, f'{source}: thing {index + 1}')
    thing_id = entry.get('id')
    if not isinstance(thing_id, str) or not thing_id:
        raise ThingsError(f'{source}: thing {index + 1}: id: must be a name')
    at = f'{source}: {thing_id}'
    known = [field.name for field in dataclasses.fields(Thing)]
    for key in entry:
        if key not in known:
            raise ThingsError(f'{at}: unknown key {key!r}: use {", ".join(known)}')
    if not isinstance(entry.get('kind'), str) or not entry['kind']:
        raise ThingsError(f'{at}: kind: must be a word, what it is one of')
    mesh = entry.get('mesh', mesh)
    if not isinstance(mesh, str) or not mesh:
        raise ThingsError(f'{at}: mesh: must be a path, here or for all things at the top')
    choices = {
        'color': ('', *COLORS),
        'supports': SUPPORTS,
        'hazard': HAZARDS,
        'identity': IDENTITIES,
        'up': ('x', 'y', 'z'),
    }
    if entry.get('supports') is True:
        entry['supports'] = 'on'  # YAML reads a bare on as true
    values = {
        key: _choice(entry[key], options, f'{at}: {key}')
        for key, options in choices.items()
        if key in entry
    }
    for key in ('mass', 'scale'):
        if key in entry:
            values[key] = _positive(entry[key], f'{at}: {key}')
    return Thing(
        id=thing_id,
        kind=entry['kind'],
        names=_names(entry.get('names'), f'{at}: names'),
        mesh=mesh.replace('{id}', thing_id),
        **values,
    )


def _names(value: Any, at: str) -> Names:
    value = _mapping(value, at)
    if set(value) != set(LANGUAGES):
        raise ThingsError(f'{at}: must have names in both en and zh')
    for language, names in value.items():
        if (
            not isinstance(names, list | tuple)
            or not names
            or not all(isinstance(name, str) and name.strip() for name in names)
        ):
            raise ThingsError(
                f'{at}: {language}: must be a list of names, quoted where YAML reads them otherwise'
            )
    return {language: tuple(name.strip() for name in value[language]) for language in LANGUAGES}


def _mapping(value: Any, at: str) -> dict:
    if not isinstance(value, Mapping):
        raise ThingsError(f'{at}: must be a mapping (key: value)')
    return dict(value)


def _choice(value: Any, options: tuple[str, ...], at: str) -> str:
    if value not in options:
        raise ThingsError(f'{at}: {value!r}: use {", ".join(o for o in options if o)}')
    return value


def _positive(value: Any, at: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise ThingsError(f'{at}: {value!r}: must be a number above 0')
    return float(value)
