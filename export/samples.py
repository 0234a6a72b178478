"""Sample images with questions, from a user's folder: for calibration and verification."""

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

PROMPTS_FILE = 'prompts.jsonl'
_IMAGE_SUFFIXES = {'.png', '.jpg', '.jpeg', '.webp', '.bmp'}
_QUESTION, _OBJECT = 'Describe this image.', 'object'
_KEYS = {'image', 'question', 'object'}


class SampleError(ExportError):
    """An invalid folder of samples; names the file and line."""


@dataclass(frozen=True)
class Sample:
    """An image, a question about it, and the name of an object to point at."""

    image_path: Path
    question: str = _QUESTION
    object: str = _OBJECT

    def rgb(self) -> np.ndarray:
        """The image, uint8 (H, W, 3) RGB. Raises SampleError."""
        from PIL import Image

        try:
            with Image.open(self.image_path) as image:
                return np.asarray(image.convert('RGB'))
        # Pillow raises different exceptions for each format.
        except Exception as error:
            raise SampleError(f'{self.image_path} is not a readable image: {error}') from error


def read_samples(folder: str | Path) -> list[Sample]:
    """Read a folder of images.

    An optional prompts.jsonl has one JSON object per line: {"image": "kitchen.png", "question":
    "What is on the table?", "object": "red cup"}; question and object are optional. Without the
    file, all images are used with a default question and object. Raises SampleError.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise SampleError(f'{folder} is not a folder of images')
    prompts = folder / PROMPTS_FILE
    if prompts.is_file():
        lines = _lines(prompts)
        samples = [
            _sample(folder, f'{prompts}, line {number}', line)
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]
    else:
        images = sorted(file for file in folder.iterdir() if file.suffix.lower() in _IMAGE_SUFFIXES)
        samples = [Sample(image_path) for image_path in images]
    if not samples:
        raise SampleError(f'{folder} has no images ({", ".join(sorted(_IMAGE_SUFFIXES))})')
    return samples


def _lines(file: Path) -> list[str]:
    try:
        # Not str.splitlines: JSON strings may contain the other line separators.
        return file.read_text(encoding='utf-8').split('\n')
    except (OSError, ValueError) as error:
        raise SampleError(f'{file} cannot be read: {error}') from error


def check_samples(samples: list[Sample], checkpoint: Checkpoint) -> None:
    """Raise SampleError for an unreadable image or a question that exceeds the context.

    Called before the export, which may take hours.
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
                f'the question about {sample.image_path.name} is {excess} tokens too long for the '
                f'context of {config.text.max_context}'
            )


def _sample(folder: Path, where: str, line: str) -> Sample:
    try:
        data: Any = json.loads(line)
    except ValueError as error:
        raise SampleError(f'{where} is not JSON: {error}') from None
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise SampleError(f'{where} is not a JSON object of strings')
    if not all(value.strip() for value in data.values()):
        raise SampleError(f'{where} has an empty string')
    unknown = set(data) - _KEYS
    if unknown or 'image' not in data:
        raise SampleError(f'{where} needs "image" and may have "question" and "object"')
    image_path = folder / data.pop('image')
    if not image_path.is_file():
        raise SampleError(f'{where}: {image_path} is missing')
    return Sample(image_path, **data)
