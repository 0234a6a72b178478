"""A user's own data: files with one JSON object a line, of which every wrong line is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import jsonschema

from kimi_ros.eval.errors import DataError

T = TypeVar('T')


def read_json_lines(path: Path, parse: Callable[[Any], T]) -> list[T]:
    """Return what `parse` makes of each line that is not blank.

    :param parse: raises ValueError for a wrong line.
    :raises DataError: with all that is wrong, also where there is no line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError([f'{path}: cannot be read: {error.strerror}']) from error
    found, faults = [], []
    for number, line in enumerate(content.split(b'\n'), 1):
        if not line.strip():
            continue
        try:
            found.append(parse(_json(line)))
        except ValueError as error:
            faults.append(f'{path}:{number}: {error}')
    if not found and not faults:
        faults.append(f'{path}: no line of data')
    if faults:
        raise DataError(faults)
    return found


def validate(data: object, schema: dict[str, Any]) -> None:
    """Raise ValueError, with its place, for what a schema does not allow in a line."""
    errors = jsonschema.Draft202012Validator(schema).iter_errors(data)
    if error := jsonschema.exceptions.best_match(errors):
        where = ''.join(f'{key}: ' for key in error.absolute_path)
        raise ValueError(f'{where}{error.message}')


def _json(line: bytes) -> Any:
    try:
        return json.loads(line.decode('utf-8-sig'))
    except UnicodeDecodeError:
        raise ValueError('not UTF-8') from None
    except json.JSONDecodeError as error:
        raise ValueError(f'not JSON: {error.msg} at column {error.colno}') from None
    except RecursionError:
        raise ValueError('nested too deeply') from None
