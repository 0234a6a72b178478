"""A threshold of presence for a model, so that it says what it does not see."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from kimi_export import export_model
from kimi_ros.eval.errors import DataError
from kimi_ros.eval.presence import (
    FALSE_ALARMS,
    choose_threshold,
    measure_presence,
    write_threshold,
)
from kimi_ros.vlm import VisionLanguageModel, VlmError


@dataclass(frozen=True)
class Calibration:
    """What was chosen.

    :ivar found: the share of what is there that is found; `false_alarms` of what is not.
    """

    file: Path
    threshold: float
    found: float
    false_alarms: float

    def __str__(self) -> str:
        return (
            f'{self.file}: presence_threshold {self.threshold:g}: {self.found:.1%} found, '
            f'{self.false_alarms:.1%} false alarms'
        )


def calibrate(model: Path, data: Path, false_alarms: float = FALSE_ALARMS) -> Calibration:
    """Choose the threshold on pictures whose content is known, and write it into the model.

    Raises ValueError for a folder that is no model or has too little data.

    :param model: an exported folder, or a checkpoint's, which is exported to be measured.
    :param data: folder with things.jsonl; names in all of the model's languages.
    """
    if (model / 'model.json').exists():
        return _calibrate(model, model, data, false_alarms)
    with tempfile.TemporaryDirectory() as place:
        exported = export_model(model, Path(place) / 'model')
        return _calibrate(model, Path(exported), data, false_alarms)


def _calibrate(model: Path, exported: Path, data: Path, false_alarms: float) -> Calibration:
    try:
        with VisionLanguageModel.load(exported) as vlm:
            presence = measure_presence(vlm, data)
    except (DataError, VlmError) as error:
        raise ValueError(str(error)) from error
    if not len(presence.there):
        raise ValueError(f'{data} names nothing that is there: add lines with a box or a mask')
    threshold = choose_threshold(presence.absent, false_alarms)
    file = write_threshold(model, threshold)
    return Calibration(file, threshold, *presence.shares(threshold))
