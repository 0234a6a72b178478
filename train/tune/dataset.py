"""Reading training data: JSONL files, checked line by line. docs/training.md is their manual."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from kimi_ros.agent.errors import AgentError
from kimi_train.tune.line_parsing import parse_sample
from kimi_train.tune.samples import DataError, Sample


def read_samples(files: Sequence[Path], whole_images: bool = False) -> list[Sample]:
    """Read and check JSONL files; images lie where the lines say, from their file's folder on.

    :param whole_images: decode every image, not only its header.

    Raises DataError with all that is wrong.
    """
    samples, faults = [], []
    images: dict[Path, str] = {}
    for file in files:
        for where, line in _lines(file, faults):
            try:
                sample = parse_sample(_parse(line), where, file.parent)
                if sample.image is not None and sample.image not in images:
                    images[sample.image] = _image_fault(sample.image, whole_images)
                if sample.image is not None and images[sample.image]:
                    raise ValueError(images[sample.image])
                samples.append(sample)
            except (ValueError, AgentError) as error:
                faults.append(f'{where}: {error}')
    if not samples and not faults:
        faults.append(f'{", ".join(map(str, files))}: no line of data')
    if faults:
        raise DataError(faults)
    return samples


def _lines(file: Path, faults: list[str]) -> Iterator[tuple[str, str]]:
    try:
        content = file.read_bytes()
    except OSError as error:
        faults.append(f'{file}: cannot be read: {error.strerror}')
        return
    for number, line in enumerate(content.split(b'\n'), 1):
        try:
            text = line.decode('utf-8-sig')
        except UnicodeDecodeError:
            faults.append(f'{file}:{number}: not UTF-8')
            continue
        if text.strip():
            yield f'{file}:{number}', text


def _parse(line: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f'the key "{key}" is there twice')
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


def _image_fault(path: Path, whole: bool) -> str:
    try:
        with Image.open(path) as image:
            if whole:
                image.load()
    except FileNotFoundError:
        return f'the image {path} is not there'
    # Pillow raises what its decoders raise: OSError, SyntaxError, ValueError, ...
    except Exception as error:
        return f'the image {path} cannot be read: {error}'
    return ''
