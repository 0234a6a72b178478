"""The user's YAML files, validated by a JSON schema; errors name file, entry and fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import jsonschema
import yaml

# Words in a YAML file: 'yes', 'no', 'on' and 'off' without quotes are booleans there.
# The one in C is ten times as fast.
_Loader: Any = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
_MOST_ENTRIES = 100_000
_LONGEST_MESSAGE = 300
TEXT = {'type': 'string', 'pattern': r'\S', 'description': 'words (put yes, no, on, off in quotes)'}


class Source(str):
    """The name of a YAML file that also knows the line of each of its entries.

    :ivar lines: by path of keys and indices.
    """

    lines: dict[tuple[str | int, ...], int]


def load_yaml_with_lines(path: str | Path, error: type[Exception]) -> tuple[Any, Source]:
    """Return what a YAML file holds, and its name, which makes errors name their line.

    Raises `error` if it cannot be read, holds a key twice, or grows without bounds by its aliases.
    """
    source = Source(path)
    source.lines = {}
    try:
        text = Path(path).read_text(encoding='utf-8')
        loader = _Loader(text)
        root = loader.get_single_node()
        _note_lines(root, (), source, error)
        return None if root is None else loader.construct_document(root), source
    except OSError as fault:
        raise error(f'{path}: cannot be read: {fault.strerror}') from fault
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as fault:
        # A date that does not exist is a ValueError of the loader.
        raise error(f'{path}: not YAML: {fault}') from fault


def _note_lines(
    node: yaml.Node | None, path: tuple[str | int, ...], source: Source, error: type[Exception]
) -> None:
    if node is None:
        return
    if len(source.lines) > _MOST_ENTRIES:
        raise error(f'{source}: more than {_MOST_ENTRIES} entries, or an alias inside itself')
    source.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            _note_lines(item, (*path, i), source, error)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = (*path, str(key.value))
            line = key.start_mark.line + 1
            if name in source.lines and isinstance(key, yaml.ScalarNode):
                raise error(f'{source}:{line}: {key.value!r} is there twice')
            _note_lines(value, name, source, error)
            source.lines[name] = line


def load_yaml(path: str | Path, error: type[Exception]) -> Any:
    """Return what a YAML file holds; raise `error` if it cannot be read."""
    try:
        return yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except OSError as fault:
        raise error(f'{path}: cannot be read: {fault.strerror}') from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise error(f'{path}: not YAML: {fault}') from fault


def validate(data: Any, schema: dict[str, Any], source: str, error: type[Exception]) -> None:
    """Raise `error` with the file, the entry and the fault unless `data` matches the schema.

    :param source: the file's name.
    """
    faults = list(jsonschema.Draft202012Validator(schema).iter_errors(data))
    if faults:
        # The first entry in the file's order; in it the fault nearest to the entry itself.
        fault = min(faults, key=lambda f: (_order(f.absolute_path)[:2], len(f.absolute_path)))
        path = tuple(fault.absolute_path)
        if fault.validator == 'additionalProperties':
            allowed = cast('dict[str, Any]', fault.schema).get('properties', {})
            found = cast('dict[Any, Any]', fault.instance)
            line = _line((*path, str(next(k for k in found if k not in allowed))), source)
        else:
            line = _line(path, source)
        raise error(f'{where(data, path, source, line)}: {_message(fault)[:_LONGEST_MESSAGE]}')


def where(data: Any, path: Sequence[str | int], source: str, line: int = 0) -> str:
    """Return an entry's place in the file: 'FILE:12: skills[1] "pick": arguments[0] "object"'.

    :param source: the file's name; without line if it is no `Source`.
    :param line: instead of the entry's own.
    """
    line = line or _line(tuple(path), source)
    text, separator = f'{source}:{line}' if line else str(source), ': '
    for key in path:
        data = data[key]
        if isinstance(key, int):
            name = data.get('name', data.get('id')) if isinstance(data, dict) else None
            text += f'[{key}] "{name}"' if isinstance(name, str) else f'[{key}]'
            separator = ': '
        else:
            text, separator = f'{text}{separator}{key}', '.'
    return text


def _line(path: tuple[str | int, ...], source: str) -> int:
    """Return the line of an entry or of the nearest one around it, 0 where that is not known."""
    lines: dict[tuple[str | int, ...], int] = getattr(source, 'lines', {})
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def _order(path: Sequence[str | int]) -> list[tuple[int, str]]:
    return [(key, '') if isinstance(key, int) else (0, key) for key in path]


def _message(fault: jsonschema.ValidationError) -> str:
    rule, schema = fault.validator, cast('dict[str, Any]', fault.schema)
    wanted, found = cast(Any, fault.validator_value), cast(Any, fault.instance)
    if rule == 'required':
        missing = [key for key in wanted if key not in found]
        return ', '.join(f'"{key}"' for key in missing) + ' is missing'
    if rule == 'additionalProperties':
        allowed = schema['properties']
        unknown = ', '.join(repr(key) for key in found if key not in allowed)
        return f'unknown key {unknown}; there are {", ".join(allowed)}'
    if rule == 'enum':
        return f'{found!r} is not one of {", ".join(map(str, wanted))}'
    if 'description' in schema:
        return f'{found!r} must be {schema["description"]}'
    return fault.message
