"""What a precision costs: the same pictures and words through an fp32 export and another one."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.vlm import VisionLanguageModel

from .errors import ExportError
from .progress import Progress
from .samples import Sample

_LONGEST_ANSWER = 32
_MOST_OBJECTS = 5


class VerifyError(ExportError):
    """The comparison could not be made."""


@dataclass(frozen=True)
class Loss:
    """How far an export is from fp32.

    :ivar logit_error: root mean square of the difference over that of the logits themselves, each
        about its mean, over all positions of the fp32 export's answers and their ends; None where
        the model answers no questions.
    :ivar token_agreement: share of these positions at which both would write the same token.
    :ivar point_displacement: mean distance of the first points, as a share of the picture's
        diagonal, over the pictures in which both found something; None where there is none.
    :ivar box_displacement: the same for the middles of the first boxes.
    :ivar same_count: how often, pointing or drawing boxes, both found equally many things.
    :ivar megabytes: of the folder; `megabytes_fp32` of the fp32 export.
    :ivar resident_megabytes: of a process that has answered; likewise.
    """

    pictures: int
    positions: int
    logit_error: float | None
    token_agreement: float | None
    point_displacement: float | None
    box_displacement: float | None
    same_count: float | None
    megabytes: float
    megabytes_fp32: float
    resident_megabytes: float
    resident_megabytes_fp32: float

    def to_dict(self) -> dict[str, Any]:
        """As model.json has it."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For a person to read."""

        def share(value: float | None) -> str:
            return 'none' if value is None else f'{100 * value:.2f} %'

        return [
            f'compared with fp32 on {self.pictures} pictures, {self.positions} positions:',
            f'  logit error {share(self.logit_error)}, same token {share(self.token_agreement)}',
            f'  points displaced by {share(self.point_displacement)} of the diagonal, boxes by '
            f'{share(self.box_displacement)}, as many found in {share(self.same_count)}',
            f'  folder {self.megabytes:.0f} MB (fp32 {self.megabytes_fp32:.0f}), resident '
            f'{self.resident_megabytes:.0f} MB (fp32 {self.resident_megabytes_fp32:.0f})',
        ]


@dataclass(frozen=True)
class _Answers:
    """What one export says: ids and logits by picture, (x, y) of what it found, memory."""

    ids: list[list[int]]
    logits: list[np.ndarray]
    points: list[list[np.ndarray]]
    boxes: list[list[np.ndarray]]
    resident: float


def compare(reference: Path, folder: Path, samples: list[Sample], progress: Progress) -> Loss:
    """Run both folders over the samples, each in a process of its own, and compare.

    Raises VerifyError.
    """
    first = _answers(reference, samples, None)
    for _ in samples:
        progress.advance()
    second = _answers(folder, samples, first.ids)
    for _ in samples:
        progress.advance()
    agreed, errors, sizes = [], 0.0, 0.0
    for ours, theirs in zip(second.logits, first.logits, strict=True):
        agreed += (ours.argmax(-1) == theirs.argmax(-1)).tolist()
        ours, theirs = (x - x.mean(-1, keepdims=True) for x in (ours, theirs))
        errors += float(np.square(ours - theirs, dtype=np.float64).sum())
        sizes += float(np.square(theirs, dtype=np.float64).sum())
    found = list(zip(first.points + first.boxes, second.points + second.boxes, strict=True))
    return Loss(
        pictures=len(samples),
        positions=len(agreed),
        logit_error=float(np.sqrt(errors / sizes)) if sizes else None,
        token_agreement=float(np.mean(agreed)) if agreed else None,
        point_displacement=_displacement(first.points, second.points),
        box_displacement=_displacement(first.boxes, second.boxes),
        same_count=float(np.mean([len(a) == len(b) for a, b in found])) if found else None,
        megabytes=_megabytes(folder),
        megabytes_fp32=_megabytes(reference),
        resident_megabytes=second.resident,
        resident_megabytes_fp32=first.resident,
    )


def _answers(folder: Path, samples: list[Sample], forced: list[list[int]] | None) -> _Answers:
    # A process of its own gives its memory back, and its size is that of one model.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(1, context) as pool:
        try:
            return pool.submit(_ask, folder, samples, forced).result()
        except Exception as error:
            raise VerifyError(f'{folder} could not be compared: {error}') from error


def _ask(folder: Path, samples: list[Sample], forced: list[list[int]] | None) -> _Answers:
    """Runs in the other process; `forced` are the tokens that the other export wrote."""
    ids, logits, points, boxes = [], [], [], []
    resident = 0.0
    with VisionLanguageModel.load(folder) as vlm:
        for number, sample in enumerate(samples):
            rgb = sample.rgb()
            image = vlm.encode_image(rgb)
            # In diagonals of the picture.
            sides = np.array([rgb.shape[1], rgb.shape[0]]) / np.hypot(*rgb.shape[:2])
            if 'point' in vlm.tasks:
                found = vlm.point(image, sample.object, max_objects=_MOST_OBJECTS)
                points.append([sides * (p.x, p.y) for p in found])
            if 'detect' in vlm.tasks:
                found = vlm.detect(image, sample.object, max_objects=_MOST_OBJECTS)
                boxes.append([sides * _middle(box) for box in found])
            if 'query' in vlm.tasks:
                written = None if forced is None else forced[number]
                if written is None:
                    answer = vlm.query(image, sample.question, max_tokens=_LONGEST_ANSWER)
                    ended = [vlm.config.tokenizer.eos_id] if answer.finish == 'stop' else []
                    written = [*answer.ids, *ended]
                ids.append(written)
                logits.append(vlm.follow(image, sample.question, written))
            resident = max(resident, _resident())
    return _Answers(ids, logits, points, boxes, resident)


def _middle(box) -> tuple[float, float]:
    return (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2


def _displacement(first: list, second: list) -> float | None:
    """Mean distance of what both found first."""
    pairs = zip(first, second, strict=True)
    distances = [np.hypot(*(a[0] - b[0])) for a, b in pairs if a and b]
    return float(np.mean(distances)) if distances else None


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / 1e6


def _resident() -> float:
    """Megabytes of this process that are in memory, as Linux counts them."""
    pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1])
    import resource

    return pages * resource.getpagesize() / 1e6
