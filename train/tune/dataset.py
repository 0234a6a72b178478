"""Reading training data: JSONL files, checked line by line. docs/training.md is their manual."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kimi_ros.agent.errors import AgentError
from kimi_ros.images import ImageReadError, read_image
from kimi_train.tune.line_parsing import parse_sample
from kimi_train.tune.samples import DataError, Sample, SkillsFileError


def read_samples(files: Sequence[Path]) -> list[Sample]:
    """Read and check JSONL files and the images that they name, relative to their file's folder.

    Raises DataError with everything that is wrong; a skills file only at the first line that names
    it.
    """
    parsed: list[Sample] = []
    faults: list[tuple[int, str]] = []
    broken: set[Path] = set()
    places: dict[str, int] = {}
    for file in files:
        for where, line in _lines(file, faults, places):
            try:
                parsed.append(parse_sample(_parse(line), where, file.parent))
            except SkillsFileError as error:
                if error.path not in broken:
                    broken.add(error.path)
                    faults.append((places[where], f'{where}: {error}'))
            except (ValueError, AgentError) as error:
                faults.append((places[where], f'{where}: {error}'))
    unreadable = _unreadable({sample.image for sample in parsed} - {None})
    samples = []
    for sample in parsed:
        if sample.image in unreadable:
            fault = f'{sample.where}: {unreadable[sample.image]}'
            faults.append((places[sample.where], fault))
        else:
            samples.append(sample)
    if not samples and not faults:
        faults.append((0, f'{", ".join(map(str, files))}: no line of data'))
    if faults:
        raise DataError([fault for _, fault in sorted(faults, key=lambda entry: entry[0])])
    return samples


def _unreadable(images: Collection[Path]) -> dict[Path, str]:
    """Decode every image to its end; return what is wrong with those that cannot be read."""

    def fault(path: Path) -> str:
        try:
            read_image(path)
        except ImageReadError as error:
            return str(error)
        return ''

    with ThreadPoolExecutor() as pool:
        found = dict(zip(images, pool.map(fault, images), strict=True))
    return {path: message for path, message in found.items() if message}


def _lines(
    file: Path, faults: list[tuple[int, str]], places: dict[str, int]
) -> Iterator[tuple[str, str]]:
    """Yield (file:line, text) of every line, and note their order in `places`."""
    try:
        content = file.read_bytes()
    except OSError as error:
        faults.append((len(places), f'{file}: cannot be read: {error.strerror}'))
        return
    for number, line in enumerate(content.split(b'\n'), 1):
        where = f'{file}:{number}'
        places[where] = len(places)
        try:
            text = line.decode('utf-8-sig')
        except UnicodeDecodeError:
            faults.append((places[where], f'{where}: not UTF-8'))
            continue
        if text.strip():
            yield where, text


def _parse(line: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f'the key "{key}" occurs twice')
        return dict(pairs)

    def no_number(text: str) -> None:
        raise ValueError(f'{text} is not a number of JSON')

    try:
        data = json.loads(line, object_pairs_hook=once, parse_constant=no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f'not JSON: {error.msg} at column {error.colno}') from None
    except RecursionError:
        raise ValueError('nested too deeply') from None
    if not isinstance(data, dict):
        raise ValueError('a line must be a JSON object')
    return data
