"""Prompt construction: templates around the user's text, spatial references, chat history.

Training builds its sequences with the same functions, so training and inference cannot diverge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .config import ModelConfig, PromptTemplate, TokenizerConfig
from .engine import Engine
from .errors import InputError
from .tokenizer import TextTokenizer

SpatialRef = Sequence[float]
"""(x, y) of a point or (x_min, y_min, x_max, y_max) of a box, 0-1 of the image."""

# A decoded box has its center in the image and is at most as large as the image.
_MIN_REF, _MAX_REF = -0.5, 1.5


@dataclass(frozen=True)
class Prompt:
    """Token ids after the image (text-only prompts start with BOS), and spatial references.

    coordinates and sizes replace the embeddings of the ids at coordinate_at and size_at.
    """

    ids: tuple[int, ...]
    coordinate_at: tuple[int, ...] = ()
    coordinates: tuple[float, ...] = ()
    size_at: tuple[int, ...] = ()
    sizes: tuple[tuple[float, float], ...] = field(default=())

    def embed(self, engine: Engine) -> np.ndarray:
        """Embeddings f32 (n, dim)."""
        embeds = engine.embed_tokens(self.ids)
        if self.coordinates:
            embeds[list(self.coordinate_at)] = engine.embed_coordinates(self.coordinates)
        if self.sizes:
            embeds[list(self.size_at)] = engine.embed_sizes(self.sizes)
        return embeds


def query_prompt(
    config: ModelConfig,
    tokenizer: TextTokenizer,
    question: str,
    *,
    with_image: bool = True,
    reasoning: bool = False,
    spatial_refs: Sequence[SpatialRef] = (),
    history: Sequence[tuple[str, str]] = (),
) -> Prompt:
    """Build the prompt of a question.

    One turn is `prefix references question suffix suffix`; the reference implementation doubles the
    suffix since 2025-06-21. In reasoning mode it is `... question suffix thinking`, and the suffix
    follows again before the answer. An earlier turn is its prompt, its answer and EOS. A text-only
    prompt starts with BOS. Raises InputError.
    """
    special, template = config.tokenizer, config.tokenizer.templates.query
    if template is None:
        raise InputError('the config of this model has no query template')
    space = ' ' if special.space_before_question else ''
    answer_suffix = template.suffix * (2 if special.repeat_query_suffix else 1)
    suffix = (*template.suffix, _thinking_id(special)) if reasoning else answer_suffix
    ids: list[int] = []
    refs = _as_list(spatial_refs, 'spatial_refs')
    coord_id, size_id = _reference_ids(special) if refs else (0, 0)
    if not with_image:
        if refs:
            raise InputError('spatial_refs need an image')
        ids.append(config.tokenizer.bos_id)
    for turn in _as_list(history, 'history'):
        if not isinstance(turn, (list, tuple)) or len(turn) != 2:
            raise InputError(f'history takes (question, answer) pairs, not {turn!r}')
        asked, answered = (check_text(text, 'a text of the history') for text in turn)
        ids += [*template.prefix, *tokenizer.encode(space + asked), *answer_suffix]
        ids += [*tokenizer.encode(answered), config.tokenizer.eos_id]
    ids += template.prefix
    coordinate_at, coordinates, size_at, sizes = [], [], [], []
    for ref in refs:
        place, size = _check_ref(ref)
        for value in place:
            coordinate_at.append(len(ids))
            coordinates.append(value)
            ids.append(coord_id)
        if size is not None:
            size_at.append(len(ids))
            sizes.append(size)
            ids.append(size_id)
    ids += tokenizer.encode(space + check_text(question, 'the question'))
    ids += suffix
    return Prompt(
        tuple(ids), tuple(coordinate_at), tuple(coordinates), tuple(size_at), tuple(sizes)
    )


def _reference_ids(special: TokenizerConfig) -> tuple[int, int]:
    if special.coord_id is None or special.size_id is None:
        raise InputError('this release of the model does not support spatial_refs in a query')
    return special.coord_id, special.size_id


def _thinking_id(special: TokenizerConfig) -> int:
    if special.thinking_id is None or special.answer_id is None:
        raise InputError('this release of the model has no reasoning mode')
    return special.thinking_id


def object_prompt(
    template: PromptTemplate, tokenizer: TextTokenizer, name: str, space: bool = True
) -> Prompt:
    """Build the prompt of point or detect: prefix, a space and the object's name, suffix.

    :param space: TokenizerConfig.space_before_object.
    """
    words = tokenizer.encode((' ' if space else '') + check_text(name, "the object's name"))
    return Prompt((*template.prefix, *words, *template.suffix))


def check_text(text: str, what: str) -> str:
    """Return `text`, or raise InputError unless it is a non-blank str."""
    if not isinstance(text, str):
        raise InputError(f'{what} must be a str, not {type(text).__name__}')
    if not text.strip():
        raise InputError(f'{what} is empty')
    return text


def _as_list(values: Any, what: str) -> list[Any]:
    try:
        return [] if values is None else list(values)
    except TypeError:
        raise InputError(f'{what} must be a list, not {values!r}') from None


def _check_ref(ref: SpatialRef) -> tuple[tuple[float, float], tuple[float, float] | None]:
    """Center (x, y) and, for a box, (width, height)."""
    try:
        values = tuple(float(value) for value in ref)
    except (TypeError, ValueError, OverflowError):
        values = ()
    if len(values) not in (2, 4):
        raise InputError(
            f'a spatial reference is (x, y) or (x_min, y_min, x_max, y_max), not {ref!r}'
        )
    if not all(math.isfinite(v) and _MIN_REF <= v <= _MAX_REF for v in values):
        raise InputError(
            f'the spatial reference {values} is not within 0-1 of the image; divide pixels by its '
            'width and height'
        )
    if len(values) == 2:
        return values, None
    x_min, y_min, x_max, y_max = values
    if x_min > x_max or y_min > y_max:
        raise InputError(f'the box {values} has its corners in the wrong order')
    return ((x_min + x_max) / 2, (y_min + y_max) / 2), (x_max - x_min, y_max - y_min)
