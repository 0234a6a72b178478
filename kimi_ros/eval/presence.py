"""From which presence on something counts as there: chosen on pictures whose content is known."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np

from kimi_ros.eval.user_data import read_user_data
from kimi_ros.images import read_image
from kimi_ros.vlm import VisionLanguageModel

FALSE_ALARMS = 0.03
KEY = 'presence_threshold'  # in model.json, and in a checkpoint's tasks.json
_DIGITS = 6
TASKS = ('point', 'detect')


@dataclass(frozen=True)
class Presence:
    """What a model thinks of names, each as `point` and as `detect` sees it, in 0-1.

    :ivar there: of things that the pictures show.
    :ivar absent: of names of what they do not show.
    """

    there: np.ndarray
    absent: np.ndarray

    def shares(self, threshold: float) -> tuple[float, float]:
        """Return which share of what is there is found, and of what is not: false alarms."""
        return float(np.mean(self.there >= threshold)), float(np.mean(self.absent >= threshold))


def measure_presence(
    vlm: VisionLanguageModel, folder: Path, languages: Sequence[str] = ()
) -> Presence:
    """Ask a model about the pictures of a folder with things.jsonl (docs/evaluation.md).

    Raises DataError for a folder with faults.

    :param languages: of the names; () for the model's own.
    """
    lines = [
        line
        for language in languages or vlm.languages
        for line in read_user_data(folder, 'photos', language)
    ]
    found: dict[bool, list[float]] = {True: [], False: []}
    by_image = attrgetter('image')
    for image, group in itertools.groupby(sorted(lines, key=by_image), by_image):
        encoded = vlm.encode_image(read_image(image))
        for line in group:
            found[line.is_there] += [vlm.presence(encoded, line.name, task) for task in TASKS]
    return Presence(np.array(found[True]), np.array(found[False]))


def choose_threshold(absent: np.ndarray, false_alarms: float = FALSE_ALARMS) -> float:
    """Return the least threshold that at most this share of what is absent reaches.

    Raises ValueError where too few names are absent to tell.
    """
    if not 0 < false_alarms < 1:
        raise ValueError(f'the share of false alarms is {false_alarms}: give one between 0 and 1')
    if len(absent) < 1 / false_alarms:
        raise ValueError(
            f'{len(absent)} answers about absent names do not tell {false_alarms:.0%} of false '
            f'alarms: add lines with "absent", at least {math.ceil(1 / false_alarms / len(TASKS))}'
        )
    allowed = int(false_alarms * len(absent))
    highest = np.sort(absent)[::-1][allowed]  # the first that must stay below
    step = 10.0**-_DIGITS
    above = (math.floor(float(highest) / step) + 1) * step
    return round(min(max(above, step), 1 - step), _DIGITS)


def write_threshold(folder: Path, threshold: float) -> Path:
    """Write a threshold into an exported model or a checkpoint; return the file.

    Raises ValueError where the folder is neither.
    """
    for name in ('model.json', 'tasks.json'):
        file = folder / name
        if file.is_file():
            about = json.loads(file.read_text(encoding='utf-8'))
            about[KEY] = threshold
            text = json.dumps(about, indent=1, ensure_ascii=False) + '\n'
            file.write_text(text, encoding='utf-8')
            return file
    raise ValueError(f'{folder} holds neither model.json nor tasks.json: give a model')
