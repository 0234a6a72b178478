"""Verification of a precision: run the same images through an fp32 export and another one."""

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

_MAX_ANSWER_TOKENS = 32
_MAX_OBJECTS = 5


class VerifyError(ExportError):
    """The comparison failed."""


@dataclass(frozen=True)
class PrecisionReport:
    """Differences between an export and the fp32 export.

    :ivar logit_error: RMS of the difference divided by the RMS of the fp32 logits, both centered,
        over all positions of the fp32 answers; None if the model has no query task.
    :ivar token_agreement: share of these positions with the same greedy token.
    :ivar point_displacement: mean distance of the first points, as a share of the image diagonal,
        over the images in which both found something; None if there are none.
    :ivar box_displacement: the same for the centers of the first boxes.
    :ivar same_count: share of point and detect calls in which both found equally many objects.
    :ivar megabytes: size of the folder; `megabytes_fp32` of the fp32 export.
    :ivar resident_megabytes: resident memory of a process after its answers; likewise.
    """

    images: int
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
        """The entry `verified` of model.json."""
        return asdict(self)

    def lines(self) -> list[str]:
        """A readable summary."""

        def share(value: float | None) -> str:
            return 'none' if value is None else f'{100 * value:.2f} %'

        return [
            f'compared with fp32 on {self.images} images, {self.positions} positions:',
            f'  logit error {share(self.logit_error)}, same token {share(self.token_agreement)}',
            f'  point displacement {share(self.point_displacement)} of the diagonal, boxes '
            f'{share(self.box_displacement)}, same number of objects {share(self.same_count)}',
            f'  folder {self.megabytes:.0f} MB (fp32 {self.megabytes_fp32:.0f}), resident '
            f'{self.resident_megabytes:.0f} MB (fp32 {self.resident_megabytes_fp32:.0f})',
        ]


@dataclass(frozen=True)
class _Outputs:
    """Outputs of one export: token ids and logits per image, points (x, y), resident memory."""

    ids: list[list[int]]
    logits: list[np.ndarray]
    points: list[list[np.ndarray]]
    boxes: list[list[np.ndarray]]
    resident: float


def compare_precisions(
    reference: Path, folder: Path, samples: list[Sample], progress: Progress
) -> PrecisionReport:
    """Run both folders over the samples, each in a process of its own, and compare_precisions.

    Raises VerifyError.
    """
    first = _run_in_process(reference, samples, None)
    for _ in samples:
        progress.advance()
    second = _run_in_process(folder, samples, first.ids)
    for _ in samples:
        progress.advance()
    agreed, errors, sizes = [], 0.0, 0.0
    for ours, theirs in zip(second.logits, first.logits, strict=True):
        agreed += (ours.argmax(-1) == theirs.argmax(-1)).tolist()
        ours, theirs = (x - x.mean(-1, keepdims=True) for x in (ours, theirs))
        errors += float(np.square(ours - theirs, dtype=np.float64).sum())
        sizes += float(np.square(theirs, dtype=np.float64).sum())
    found = list(zip(first.points + first.boxes, second.points + second.boxes, strict=True))
    return PrecisionReport(
        images=len(samples),
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


def _run_in_process(
    folder: Path, samples: list[Sample], given_ids: list[list[int]] | None
) -> _Outputs:
    # In a separate process, so that its resident memory is that of one model.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(1, context) as pool:
        try:
            return pool.submit(_run_samples, folder, samples, given_ids).result()
        except Exception as error:
            raise VerifyError(f'{folder} could not be compared: {error}') from error


def _run_samples(
    folder: Path, samples: list[Sample], given_ids: list[list[int]] | None
) -> _Outputs:
    """Run the samples (in the child process); `given_ids` are the answers of the fp32 export."""
    ids, logits, points, boxes = [], [], [], []
    resident = 0.0
    with VisionLanguageModel.load(folder) as vlm:
        for number, sample in enumerate(samples):
            rgb = sample.rgb()
            image = vlm.encode_image(rgb)
            # In units of the image diagonal.
            sides = np.array([rgb.shape[1], rgb.shape[0]]) / np.hypot(*rgb.shape[:2])
            if 'point' in vlm.tasks:
                found = vlm.point(image, sample.object, max_objects=_MAX_OBJECTS)
                points.append([sides * (p.x, p.y) for p in found])
            if 'detect' in vlm.tasks:
                found = vlm.detect(image, sample.object, max_objects=_MAX_OBJECTS)
                boxes.append([sides * _box_center(box) for box in found])
            if 'query' in vlm.tasks:
                answer_ids = None if given_ids is None else given_ids[number]
                if answer_ids is None:
                    answer = vlm.query(image, sample.question, max_tokens=_MAX_ANSWER_TOKENS)
                    ended = [vlm.config.tokenizer.eos_id] if answer.finish == 'stop' else []
                    answer_ids = [*answer.ids, *ended]
                ids.append(answer_ids)
                logits.append(vlm.answer_logits(image, sample.question, answer_ids))
            resident = max(resident, _resident_megabytes())
    return _Outputs(ids, logits, points, boxes, resident)


def _box_center(box) -> tuple[float, float]:
    return (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2


def _displacement(first: list, second: list) -> float | None:
    """Mean distance of the first objects that both found."""
    pairs = zip(first, second, strict=True)
    distances = [np.hypot(*(a[0] - b[0])) for a, b in pairs if a and b]
    return float(np.mean(distances)) if distances else None


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / 1e6


def _resident_megabytes() -> float:
    """Resident set size of this process in megabytes (Linux)."""
    pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1])
    import resource

    return pages * resource.getpagesize() / 1e6
