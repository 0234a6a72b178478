"""A user's own pictures, with what is in them: a folder with things.jsonl.

docs/evaluation.md is the format's manual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.eval.errors import DataError
from kimi_ros.eval.json_lines import read_json_lines, validate
from kimi_ros.eval.localization import LocalizationSample
from kimi_ros.images import ImageReadError, read_image

FILE = 'things.jsonl'
_NAME = {'type': 'string', 'pattern': r'\S'}
_SHARE = {'type': 'number', 'minimum': 0, 'maximum': 1}
_LINE = {
    'type': 'object',
    'properties': {
        'image': _NAME,
        'object': {
            'anyOf': [
                _NAME,
                {
                    'type': 'object',
                    'properties': {'en': _NAME, 'zh': _NAME},
                    'additionalProperties': False,
                    'minProperties': 1,
                },
            ]
        },
        'mask': _NAME,
        'box': {'type': 'array', 'items': _SHARE, 'minItems': 4, 'maxItems': 4},
        'absent': {'const': True},
    },
    'required': ['image', 'object'],
    'additionalProperties': False,
}


@dataclass(frozen=True)
class LabelledObject:
    """A line of the file: a picture, a name, and where the named object is.

    :ivar box: x_min, y_min, x_max, y_max in 0-1; None where the mask says it, or where nothing in
        the picture has this name.
    """

    image: Path
    name: str
    mask: Path | None
    box: tuple[float, float, float, float] | None

    @property
    def is_there(self) -> bool:
        """Tell whether the picture shows something of this name."""
        return self.box is not None or self.mask is not None

    def localization_sample(self) -> LocalizationSample:
        """Read the pictures. Raises DataError where one has changed since it was checked."""
        try:
            rgb = read_image(self.image)
            mask = None if self.mask is None else _mask(self.mask)
        except ImageReadError as error:
            raise DataError([str(error)]) from error
        height, width = rgb.shape[:2]
        if self.box is not None:
            scale = (width, height, width, height)
            edges = tuple(v * s for v, s in zip(self.box, scale, strict=True))
            return LocalizationSample(rgb, self.name, mask, edges)
        if mask is None:
            return LocalizationSample(rgb, self.name, None, None)
        rows, columns = np.nonzero(mask)
        edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return LocalizationSample(rgb, self.name, mask, tuple(map(float, edges)))


def read_user_data(folder: Path, suite: str, language: str) -> list[LabelledObject]:
    """Read and check a folder; raises DataError with all that is wrong.

    :param suite: 'points' needs a mask in every line, 'boxes' and 'photos' a box or a mask; names
        of what is absent are for 'photos', and the others leave them out.
    """
    file = folder / FILE
    things = read_json_lines(file, lambda data: _thing(data, folder, suite, language))
    if suite != 'photos':
        things = [thing for thing in things if thing.is_there]
    if not things:
        raise DataError([f'{file}: every line says "absent": {suite} needs what is there'])
    return things


def _thing(data: Any, folder: Path, suite: str, language: str) -> LabelledObject:
    validate(data, _LINE)
    name = data['object']
    if isinstance(name, dict):
        if language not in name:
            raise ValueError(f'object: no name in {language!r}, only {", ".join(name)}')
        name = name[language]
    absent = 'absent' in data
    if absent and {'mask', 'box'} & set(data):
        raise ValueError('"absent" says that nothing has this name: leave out "box" and "mask"')
    if suite == 'points' and 'mask' not in data and not absent:
        raise ValueError('points needs "mask", a picture that is not black where the object is')
    if 'mask' not in data and 'box' not in data and not absent:
        raise ValueError(f'{suite} needs "box" or "mask"')
    box = data.get('box')
    if box and not (box[0] < box[2] and box[1] < box[3]):
        raise ValueError(f'box: {box} is not [x_min, y_min, x_max, y_max]')
    image = folder / data['image']
    size = read_image(image).shape[:2]
    mask = folder / data['mask'] if 'mask' in data else None
    if mask is not None:
        shown = _mask(mask)
        if shown.shape != size:
            (h, w), (mh, mw) = size, shown.shape
            raise ValueError(f'the mask {mask} is {mw}x{mh}, its image {w}x{h}')
        if not shown.any():
            raise ValueError(f'the mask {mask} is all black')
    return LabelledObject(image, name, mask, tuple(map(float, box)) if box else None)


def _mask(path: Path) -> np.ndarray:
    """Return bool (H, W): where a picture is not black."""
    return read_image(path, 'mask').any(axis=2)


def select_lines(things: Sequence[LabelledObject], first: int, count: int) -> range:
    """Return the numbers of `count` lines from the first on, as far as there are any."""
    return range(min(first, len(things)), min(first + count, len(things)))
