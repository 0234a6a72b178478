"""Self-check of an export: compare it with the reference forward pass of the checkpoint.

The folder runs on the production engine. One crop, a short prompt, one decoding step and one
coordinate are compared; for quantized weights the reference uses the dequantized values.
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
from kimi_ros.vlm.quantization import QuantizationConfig

from . import tensorrt_weights
from .checkpoint import Checkpoint
from .errors import SelfCheckError
from .layers import Reader
from .quantize import BITS, PackedWeight, quantize_weight
from .reference import Cache, CacheRounding, Reference

# Tolerances: relative to an element's value, or to the largest value of its array.
RELATIVE, OF_SCALE = 1e-3, 1e-4
# Half precision rounds the output of each layer; quantized layers round their inputs as well.
_OF_SCALE_HALF, _OF_SCALE_QUANTIZED = 1e-2, 8e-2
_SEED = 20
_MAX_PROMPT = 8


@dataclass(frozen=True)
class Difference:
    """The largest difference in one part, absolute and relative to the part's largest value."""

    part: str
    absolute: float
    of_scale: float
    within: bool


def number_of_checks(checkpoint: Checkpoint) -> int:
    """Number of parts that `check` compares."""
    return 11 if checkpoint.has_regions else 8


def tolerance(quantization: QuantizationConfig) -> float:
    """Tolerance relative to the largest value of an array."""
    if {quantization.vision, quantization.decoder, quantization.cache} & set(BITS):
        return _OF_SCALE_QUANTIZED
    return OF_SCALE if quantization.activations == 'fp32' else _OF_SCALE_HALF


def check(checkpoint: Checkpoint, folder: Path) -> Iterator[Difference]:
    """Yield the difference of each part as it is computed.

    Raises SelfCheckError if the folder does not load or run, or returns values that are not finite.
    """
    try:
        opened = read_folder(folder)
        device = 'cuda' if opened.runtime == 'tensorrt' else 'cpu'
        engine = open_engine(opened, device, None)
    except VlmError as error:
        raise SelfCheckError(f'the folder does not load: {error}') from error
    try:
        reference = Reference(
            checkpoint.config,
            _dequantizing_reader(checkpoint.read, opened),
            checkpoint.unmerged_blocks,
            _cache_rounding(opened),
        )
        yield from _Comparison(
            checkpoint, reference, engine, tolerance(opened.quantization)
        ).parts()
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

        # The local features must differ from the global ones, to detect swapped inputs.
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
        if self._config.tokenizer.answer_id is not None:
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
            raise SelfCheckError(
                f'{part}: the graph returns shape {found.shape}, not {expected.shape}'
            )
        if not np.isfinite(found).all():
            raise SelfCheckError(f'{part}: the graph returns values that are not finite')
        difference = np.abs(found - expected)
        scale = float(np.abs(expected).max())
        allowed = np.maximum(RELATIVE * np.abs(expected), self._allowed * scale)
        largest = float(difference.max())
        of_scale = largest / scale if scale else largest
        return Difference(part, largest, of_scale, bool((difference <= allowed).all()))


def _cache_rounding(folder: ModelFolder) -> CacheRounding | None:
    """Rounding of the folder's quantized KV cache, or None for a floating-point cache."""
    if folder.quantization.cache != 'int8':
        return None
    with safe_open(folder.file('tables.safetensors'), 'numpy') as tables:
        scales = [tables.get_tensor(name) for name in ('key_scales', 'value_scales')]

    def round_cache(layer: int, *parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        steps = (of_part[layer].reshape(len(parts[0]), 1, -1) for of_part in scales)
        keys, values = (
            np.rint(part / step).clip(-128, 127) * step
            for part, step in zip(parts, steps, strict=True)
        )
        return keys, values

    return round_cache


def _dequantizing_reader(read: Reader, folder: ModelFolder) -> Reader:
    """A reader that returns the folder's dequantized weights."""
    quantization = folder.quantization
    quantize = tensorrt_weights.quantize if folder.runtime == 'tensorrt' else quantize_weight

    # Each weight of the decoder is read several times.
    @functools.cache
    def packed(name: str) -> PackedWeight | tensorrt_weights.SymmetricWeight:
        return quantize(
            read(name), quantization.of(name.removesuffix('.weight')), quantization.group
        )

    def stored(name: str) -> np.ndarray:
        layer, _, kind = name.rpartition('.')
        if kind == 'weight' and quantization.of(layer) in BITS and not _is_norm(layer):
            return packed(name).dequantize()
        return read(name)

    return stored


def _is_norm(layer: str) -> bool:
    return layer.rpartition('.')[2] in ('ln', 'ln1', 'ln2', 'post_ln')


def _prompt(config: ModelConfig) -> list[int]:
    """A short prompt: the query template, or BOS if there is none."""
    query = config.tokenizer.templates.query
    ids = list(query.prefix + query.suffix) if query else []
    ids = ids or [config.tokenizer.bos_id]
    room = config.text.max_context - config.prefix_length - 1
    return ids[: max(1, min(_MAX_PROMPT, room))]
