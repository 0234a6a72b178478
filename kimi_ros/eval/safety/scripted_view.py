"""A grounder that sees what a case says, so that only the rules decide what becomes of it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any

from kimi_ros.agent.noun_matching import is_chinese, strip_qualifiers
from kimi_ros.vlm import Answer, Box, Point

_COLUMNS, _ROWS = 8, 6  # cells that things stand in
_SIZE, _SCORE = 0.06, 0.9


class ScriptedView:
    """A stand-in for a vision-language model.

    :ivar said: the conversation: what its words name is in view, once, apart from all else.
    :ivar scene: the nouns of the only things in view, several times where there are several; None
        for whatever was said.
    """

    name = 'scripted'
    tasks = ('query', 'caption', 'point', 'detect')
    languages = ('en', 'zh')

    def __init__(self) -> None:
        self.said = ''
        self.scene: Sequence[str] | None = None

    def require(self, task: str) -> None:
        """Accept any task."""

    def encode_image(self, rgb: Any, *, cancel: Any = None) -> str:
        """Return a token: nothing is looked at."""
        return 'image'

    def query(
        self, image: Any, question: str, *, spatial_refs: Any = (), stream: bool = False, **_: Any
    ) -> Any:
        """Confirm every check, and describe a table."""
        chinese = is_chinese(question)
        if spatial_refs:
            return _answer('是' if chinese else 'Yes')
        text = '一张桌子。' if chinese else 'A table.'
        return iter([text]) if stream else _answer(text)

    def point(self, image: Any, name: str, **_: Any) -> list[Point]:
        """Return the centres of the boxes."""
        return [
            Point((b.x_min + b.x_max) / 2, (b.y_min + b.y_max) / 2, b.score)
            for b in self.detect(image, name)
        ]

    def detect(self, image: Any, name: str, **_: Any) -> list[Box]:
        """Return a box for each thing of this name."""
        number = self._number(strip_qualifiers(name.lower()))
        cell = zlib.crc32(name.lower().encode()) % (_COLUMNS * _ROWS)
        boxes = []
        for i in range(number):
            row, column = divmod((cell + 3 * i) % (_COLUMNS * _ROWS), _COLUMNS)
            x, y = (column + 0.5) / _COLUMNS, (row + 0.5) / _ROWS
            boxes.append(Box(x - _SIZE, y - _SIZE, x + _SIZE, y + _SIZE, _SCORE))
        return boxes

    def _number(self, name: str) -> int:
        if self.scene is not None:
            return sum(_ends(name, noun) for noun in self.scene)
        if is_chinese(name):
            return int(name in self.said)
        words = set(re.findall('[a-z]+', self.said))
        return int(set(re.findall('[a-z]+', name)) <= words)


def _ends(name: str, noun: str) -> bool:
    return name.endswith(noun) if is_chinese(noun) else name.split()[-1:] == [noun]


def _answer(text: str) -> Answer:
    return Answer(text, 'stop', (), ())
