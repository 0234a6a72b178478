"""Pictures and what is asked about them: a folder that a user brings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.vlm.prompt import query_prompt
from kimi_ros.vlm.tokenizer import TextTokenizer

from .checkpoint import Checkpoint
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
        from PIL import Image

        try:
            with Image.open(self.picture) as image:
                return np.asarray(image.convert('RGB'))
        # Pillow has an exception for what is broken in each of its formats.
        except Exception as error:
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
        lines = _lines(prompts)
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


def _lines(file: Path) -> list[str]:
    try:
        # Only these end a line: JSON strings may hold what str.splitlines takes for an end.
        return file.read_text(encoding='utf-8').split('\n')
    except (OSError, ValueError) as error:
        raise SampleError(f'{file} cannot be read: {error}') from error


def check_samples(samples: list[Sample], checkpoint: Checkpoint) -> None:
    """Raise SampleError for a picture that cannot be read or a question that leaves no room.

    So that it is found before hours of work, and not after.
    """
    config = checkpoint.config
    tokenizer = TextTokenizer.from_file(checkpoint.tokenizer)
    for sample in samples:
        sample.rgb()
        if config.tokenizer.templates.query is None:
            continue
        prompt = query_prompt(config, tokenizer, sample.question, with_image=True)
        excess = config.prefix_length + len(prompt.ids) - config.text.max_context
        if excess > 0:
            raise SampleError(
                f'the question about {sample.picture.name} is {excess} tokens too long for the '
                f'context of {config.text.max_context}'
            )


def _sample(folder: Path, where: str, line: str) -> Sample:
    try:
        data: Any = json.loads(line)
    except ValueError as error:
        raise SampleError(f'{where} is no JSON: {error}') from None
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise SampleError(f'{where} is no JSON object of strings')
    if not all(value.strip() for value in data.values()):
        raise SampleError(f'{where} has an empty text')
    unknown = set(data) - _KEYS
    if unknown or 'image' not in data:
        raise SampleError(f'{where} needs "image" and may have "question" and "object"')
    picture = folder / data.pop('image')
    if not picture.is_file():
        raise SampleError(f'{where}: {picture} is not there')
    return Sample(picture, **data)
