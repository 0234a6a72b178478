"""Comparing a written folder with the plain forward of the checkpoint's own tensors.

The folder is run by the engine that robots run. One crop, a short prompt, one decoded step and one
coordinate are compared; quantised weights with the numbers that they stand for.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.engine import Engine, open_engine
from kimi_ros.vlm.errors import VlmError
from kimi_ros.vlm.folder import ModelFolder, read_folder
from kimi_ros.vlm.layout import Layout

from . import tensorrt_weights
from .checkpoint import Checkpoint
from .errors import SelfCheckError
from .layers import Reader
from .quantise import BITS, Packed, pack
from .reference import Cache, Kept, Reference

# An element may be off by this share of its own value, or of the largest value of its array.
RELATIVE, OF_SCALE = 1e-3, 1e-4
# Half precision rounds every layer's result; quantised layers round what they are given as well.
_OF_SCALE_HALF, _OF_SCALE_FEW_BITS = 1e-2, 8e-2
_SEED = 20
_MOST_PROMPT = 8


@dataclass(frozen=True)
class Difference:
    """The largest difference in one part, absolute and as a share of the part's largest value."""

    part: str
    absolute: float
    of_scale: float
    within: bool


def parts_of(checkpoint: Checkpoint) -> int:
    """How many parts `check` compares."""
    return 11 if checkpoint.has_regions else 8


def tolerance(layout: Layout) -> float:
    """Share of the largest value by which any may be off."""
    if {layout.vision, layout.decoder, layout.cache} & set(BITS):
        return _OF_SCALE_FEW_BITS
    return OF_SCALE if layout.activations == 'fp32' else _OF_SCALE_HALF


def check(checkpoint: Checkpoint, folder: Path) -> Iterator[Difference]:
    """Yield the difference of each part as it is found.

    Raises SelfCheckError where the folder does not load or run, or gives values that are not
    finite.
    """
    try:
        opened = read_folder(folder)
        device = 'cuda' if opened.runtime == 'tensorrt' else 'cpu'
        engine = open_engine(opened, device, None)
    except VlmError as error:
        raise SelfCheckError(f'the folder does not load: {error}') from error
    try:
        reference = Reference(
            checkpoint.config, _stored(checkpoint.read, opened), checkpoint.branches, _kept(opened)
        )
        yield from _Comparison(checkpoint, reference, engine, tolerance(opened.layout)).parts()
    except VlmError as error:
        raise SelfCheckError(f'the folder does not run: {error}') from error
    finally:
        engine.close()


class _Comparison:
    def __init__(
        self, checkpoint: Checkpoint, reference: Reference, engine: Engine, allowed: float
    ) -> None:
        self._config = checkpoint.config
        self._has_regions = checkpoint.has_regions
        self._reference = reference
        self._engine = engine
        self._allowed = allowed

    def parts(self) -> Iterator[Difference]:
        reference, engine = self._reference, self._engine
        generator = np.random.default_rng(_SEED)
        side = self._config.vision.crop_size
        crop = generator.uniform(-1, 1, (3, side, side)).astype(np.float32)
        features = reference.encode(crop)
        yield self._compare('vision', features, engine.encode(crop[None])[0])

        # The stitched features differ from the global ones, or swapping the two would not show.
        local = features[::-1].copy()
        image = reference.project(features, local)
        yield self._compare('projection', image, engine.project(features, local))
        yield from self._text(image)

    def _text(self, image: np.ndarray) -> Iterator[Difference]:
        reference, engine, text = self._reference, self._engine, self._config.text
        bos = reference.embed_tokens([self._config.tokenizer.bos_id])
        prefix = np.concatenate([bos, image])
        _, cache = reference.decode(prefix, Cache(), causal=False)
        engine.prefill_image(prefix)
        found = [engine.read_cache(layer) for layer in range(text.n_layers)]
        for index, (part, expected) in enumerate((('keys', cache.keys), ('values', cache.values))):
            arrays = np.stack([pair[index] for pair in found])
            yield self._compare(f'prefill {part}', np.stack(expected), arrays)

        prompt = _prompt(self._config)
        hidden, longer = reference.decode(reference.embed_tokens(prompt), cache, causal=True)
        hidden = hidden[-1:]
        yield self._compare('prompt', hidden[0], engine.step(engine.embed_tokens(prompt)))

        logits = reference.logits(hidden)[0]
        found = engine.logits(hidden[0]).copy()
        yield self._compare('head', logits, found)
        found[self._config.tokenizer.answer_id] = -np.inf
        if engine.token(hidden[0]) != found.argmax():
            raise SelfCheckError('head: its token is not the one with the largest logit')

        if longer.length < text.max_context:
            token = [int(logits.argmax())]
            hidden, _ = reference.decode(reference.embed_tokens(token), longer, causal=True)
            yield self._compare('decode step', hidden[0], engine.step(engine.embed_tokens(token)))

        alone, _ = reference.decode(reference.embed_tokens(prompt), Cache(), causal=True)
        engine.rewind(0)
        yield self._compare('text only', alone[-1], engine.step(engine.embed_tokens(prompt)))
        if self._has_regions:
            yield from self._regions(hidden)

    def _regions(self, hidden: np.ndarray) -> Iterator[Difference]:
        reference, engine = self._reference, self._engine
        coordinates = reference.coordinate_logits(hidden)[0]
        yield self._compare('coordinate', coordinates, engine.coordinate_logits(hidden[0]))
        yield self._compare('size', reference.size_logits(hidden)[0], engine.size_logits(hidden[0]))
        value = int(coordinates.argmax()) / self._config.region.coord_out_dim
        expected = [reference.embed_coordinate(value), reference.embed_size(0.3, value)]
        found = [engine.embed_coordinates([value]), engine.embed_sizes([(0.3, value)])]
        yield self._compare('region tables', np.concatenate(expected), np.concatenate(found))

    def _compare(self, part: str, expected: np.ndarray, found: np.ndarray) -> Difference:
        if found.shape != expected.shape:
            raise SelfCheckError(f'{part}: the graph gives {found.shape}, not {expected.shape}')
        if not np.isfinite(found).all():
            raise SelfCheckError(f'{part}: the graph gives values that are not finite')
        difference = np.abs(found - expected)
        scale = float(np.abs(expected).max())
        allowed = np.maximum(RELATIVE * np.abs(expected), self._allowed * scale)
        largest = float(difference.max())
        of_scale = largest / scale if scale else largest
        return Difference(part, largest, of_scale, bool((difference <= allowed).all()))


def _kept(folder: ModelFolder) -> Kept | None:
    """What the folder's cache keeps of keys and values; None for a cache of floats."""
    if folder.layout.cache != 'int8':
        return None
    with safe_open(folder.file('tables.safetensors'), 'numpy') as tables:
        scales = [tables.get_tensor(name) for name in ('key_scales', 'value_scales')]

    def kept(layer: int, *parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        steps = (of_part[layer].reshape(len(parts[0]), 1, -1) for of_part in scales)
        keys, values = (
            np.rint(part / step).clip(-128, 127) * step
            for part, step in zip(parts, steps, strict=True)
        )
        return keys, values

    return kept


def _stored(read: Reader, folder: ModelFolder) -> Reader:
    """Read tensors as the folder's numbers stand for them."""
    layout = folder.layout
    quantise = tensorrt_weights.quantise if folder.runtime == 'tensorrt' else pack

    # Every weight of the decoder is asked for several times.
    @functools.cache
    def packed(name: str) -> Packed | tensorrt_weights.Symmetric:
        return quantise(read(name), layout.of(name.removesuffix('.weight')), layout.group)

    def stored(name: str) -> np.ndarray:
        layer, _, kind = name.rpartition('.')
        if kind == 'weight' and layout.of(layer) in BITS and not _is_norm(layer):
            return packed(name).unpack()
        return read(name)

    return stored


def _is_norm(layer: str) -> bool:
    return layer.rpartition('.')[2] in ('ln', 'ln1', 'ln2', 'post_ln')


def _prompt(config: ModelConfig) -> list[int]:
    """A few ids that the model knows: its query template, or what comes first."""
    query = config.tokenizer.templates.query
    ids = list(query.prefix + query.suffix) if query else []
    ids = ids or [config.tokenizer.bos_id]
    room = config.text.max_context - config.prefix_length - 1
    return ids[: max(1, min(_MOST_PROMPT, room))]
