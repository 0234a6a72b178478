"""Five questions with known answers about a shipped image, and the likely cause of wrong ones.

For the first minute with a new checkpoint: a wrong tokenizer, swapped color channels, shuffled
coordinate bins or a broken precision still load and run, and only show in the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kimi_ros.agent.answers import Verdict, parse_yes_no
from kimi_ros.vlm import VisionLanguageModel

SEED = 2_000_269  # a red mug, an orange ball, a blue plate, a black bowl, a white mug and book
_MAX_TOKENS = 12
_MIN_IOU = 0.5
_THINGS = {'red cup': Verdict.YES, 'blue plate': Verdict.YES, 'purple bottle': Verdict.NO}
_QUANTIZED = ('int8', 'int4')
# Words of the tasks in prompt templates: current ones, and those of releases before 2025-06.
_TEMPLATE_WORDS = {
    'query': ('query', 'question'),
    'caption': ('caption',),
    'point': ('point',),
    'detect': ('detect',),
}


@dataclass(frozen=True)
class Answer:
    """One question, what the model answered, and what is right.

    :ivar kind: 'sees' (questions), 'points' or 'boxes'.
    """

    kind: str
    question: str
    expected: str
    given: str
    right: bool


@dataclass(frozen=True)
class Diagnosis:
    """The likely cause of wrong answers, and what to do about it."""

    cause: str
    remedy: str


@dataclass(frozen=True)
class ModelCheck:
    """All answers, and why some are wrong; None if all are right."""

    answers: list[Answer]
    diagnosis: Diagnosis | None


def wrong_templates(vlm: VisionLanguageModel) -> list[str]:
    """Tasks whose prompt template does not contain its word in the tokenizer's reading."""
    templates = vlm.config.tokenizer.templates
    ids = {
        name: template.prefix + template.suffix
        for name in ('query', 'point', 'detect')
        if (template := getattr(templates, name)) is not None
    }
    if templates.caption:
        ids['caption'] = next(iter(templates.caption.values()))
    found = []
    for task, words in _TEMPLATE_WORDS.items():
        text = vlm.tokenizer.decode(ids[task]) if task in ids else words[0]
        if not any(word in text.lower() for word in words):
            found.append(f'{task} reads {text.strip()!r}')
    return found


def ask(vlm: VisionLanguageModel, swap_channels: bool = False) -> Iterator[Answer]:
    """Ask the five questions, those that the model has a task for.

    :param swap_channels: show the image with red and blue exchanged.
    """
    from kimi_ros.sim import recorded_frames

    recorded = next(each for each in recorded_frames() if each.seed == SEED)
    rgb = recorded.frame.rgb
    boxes = {f'{t.color} {t.category}': _normalized(t.box, rgb) for t in recorded.truth}
    image = vlm.encode_image(np.ascontiguousarray(rgb[..., ::-1]) if swap_channels else rgb)
    if 'query' in vlm.tasks:
        for thing, expected in _THINGS.items():
            question = f'Is there a {thing}?'
            text = vlm.query(image, question, max_tokens=_MAX_TOKENS).text.strip()
            yield Answer('sees', question, expected.value, text, parse_yes_no(text) is expected)
    if 'point' in vlm.tasks:
        points = vlm.point(image, 'ball', max_objects=3)
        x_min, y_min, x_max, y_max = boxes['orange ball']
        right = len(points) == 1 and all(
            x_min <= p.x <= x_max and y_min <= p.y <= y_max for p in points
        )
        given = ', '.join(f'({p.x:.2f}, {p.y:.2f})' for p in points) or 'nothing'
        yield Answer('points', 'ball', _format(boxes['orange ball']), given, right)
    if 'detect' in vlm.tasks:
        found = [(b.x_min, b.y_min, b.x_max, b.y_max) for b in vlm.detect(image, 'plate')]
        target = boxes['blue plate']
        right = len(found) == 1 and all(_iou(box, target) >= _MIN_IOU for box in found)
        given = ', '.join(map(_format, found[:3])) or 'nothing'
        yield Answer('boxes', 'plate', _format(target), given, right)


def diagnose(vlm: VisionLanguageModel, answers: list[Answer], precision: str) -> Diagnosis | None:
    """The likely cause of wrong answers; None if all are right.

    :param precision: of the model folder.
    """
    wrong = [answer for answer in answers if not answer.right]
    templates = wrong_templates(vlm)
    if templates:
        return Diagnosis(
            f'wrong tokenizer: the prompt template of {"; ".join(templates)}',
            "export again with the checkpoint's own tokenizer (kimi-export --tokenizer, "
            'docs/checkpoints.md)',
        )
    if not wrong:
        return None
    swapped = list(ask(vlm, swap_channels=True))
    if sum(answer.right for answer in swapped) > len(answers) - len(wrong):
        return Diagnosis(
            'swapped color channels: with red and blue exchanged '
            f'{sum(answer.right for answer in swapped)} of {len(swapped)} answers are right',
            'the checkpoint expects BGR, or was converted with BGR images: convert it again in RGB',
        )
    if {answer.kind for answer in wrong} <= {'points', 'boxes'}:
        return Diagnosis(
            'shuffled coordinate bins: questions are answered, places are wrong',
            'the region weights belong to another release: export again, with --release if the '
            'checkpoint does not tell it (docs/checkpoints.md)',
        )
    if precision in _QUANTIZED:
        return Diagnosis(
            f'broken precision: this folder is {precision}',
            'export again with --precision fp16 (or fp32) and run this check on it; if that '
            'passes, compare both with kimi-export --verify IMAGES',
        )
    return Diagnosis(
        'the weights do not match the config or the prompt format, or the model is too weak',
        'compare sizes and release with docs/checkpoints.md, and export again',
    )


def check_model(model: str) -> ModelCheck:
    """Load a model ('nano' or a folder), ask, and diagnose. Raises VlmError."""
    from kimi_ros.vlm.folder import read_folder
    from kimi_ros.vlm.nano import export_once

    folder = read_folder(export_once() if model == 'nano' else model)
    with VisionLanguageModel.load(model) as vlm:
        answers = list(ask(vlm))
        return ModelCheck(answers, diagnose(vlm, answers, folder.precision))


def _normalized(box: tuple[float, ...], rgb: np.ndarray) -> tuple[float, ...]:
    height, width = rgb.shape[:2]
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def _iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = sum((x[2] - x[0]) * (x[3] - x[1]) for x in (a, b))
    return width * height / (areas - width * height)


def _format(box: tuple[float, ...]) -> str:
    return f'({", ".join(f"{value:.2f}" for value in box)})'
