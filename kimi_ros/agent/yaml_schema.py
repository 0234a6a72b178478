"""The user's YAML files, validated by a JSON schema; errors name file, entry and fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import jsonschema
import yaml

# Words in a YAML file: 'yes', 'no', 'on' and 'off' without quotes are booleans there.
TEXT = {'type': 'string', 'pattern': r'\S', 'description': 'words (put yes, no, on, off in quotes)'}


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
        raise error(f'{where(data, fault.absolute_path, source)}: {_message(fault)}')


def where(data: Any, path: Sequence[str | int], source: str) -> str:
    """Return an entry's place in the file: 'FILE: skills[1] "pick": arguments[0] "object"'."""
    text, separator = source, ': '
    for key in path:
        data = data[key]
        if isinstance(key, int):
            name = data.get('name', data.get('id')) if isinstance(data, dict) else None
            text += f'[{key}] "{name}"' if isinstance(name, str) else f'[{key}]'
            separator = ': '
        else:
            text, separator = f'{text}{separator}{key}', '.'
    return text


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
