"""Pictures and what is asked about them: a folder that a user brings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ExportError

PROMPTS = 'prompts.jsonl'
_PICTURES = {'.png', '.jpg', '.jpeg', '.webp', '.bmp'}
_QUESTION, _OBJECT = 'Describe this image.', 'object'
_KEYS = {'image', 'question', 'object'}


class SampleError(ExportError):
    """A folder of samples that cannot be used; names the file, and the line where there is one."""


@dataclass(frozen=True)
class Sample:
    """One picture, one question about it, and one thing to point at."""

    picture: Path
    question: str = _QUESTION
    object: str = _OBJECT

    def rgb(self) -> np.ndarray:
        """The picture, uint8 (H, W, 3). Raises SampleError."""
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(self.picture) as image:
                return np.asarray(image.convert('RGB'))
        except (OSError, UnidentifiedImageError) as error:
            raise SampleError(f'{self.picture} is no picture: {error}') from error


def read_samples(folder: str | Path) -> list[Sample]:
    """Read a folder of pictures.

    prompts.jsonl in it says what to ask, one object a line: {"image": "kitchen.png", "question":
    "What is on the table?", "object": "red cup"}; question and object may be left out. Without that
    file every picture is described, and objects are pointed at. Raises SampleError.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise SampleError(f'{folder} is not a folder; give one with pictures')
    prompts = folder / PROMPTS
    if prompts.is_file():
        lines = prompts.read_text(encoding='utf-8').splitlines()
        samples = [
            _sample(folder, f'{prompts}, line {number}', line)
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]
    else:
        pictures = sorted(file for file in folder.iterdir() if file.suffix.lower() in _PICTURES)
        samples = [Sample(picture) for picture in pictures]
    if not samples:
        raise SampleError(f'{folder} has no pictures ({", ".join(sorted(_PICTURES))})')
    return samples


def _sample(folder: Path, where: str, line: str) -> Sample:
    try:
        data: Any = json.loads(line)
    except ValueError as error:
        raise SampleError(f'{where} is no JSON: {error}') from None
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise SampleError(f'{where} is no JSON object of strings')
    unknown = set(data) - _KEYS
    if unknown or 'image' not in data:
        raise SampleError(f'{where} needs "image" and may have "question" and "object"')
    picture = folder / data.pop('image')
    if not picture.is_file():
        raise SampleError(f'{where}: {picture} is not there')
    return Sample(picture, **data)
