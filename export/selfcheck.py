"""Comparing the written graphs with the plain forward of the checkpoint's own tensors.

Each graph is given what the reference computed before it, so that an error is found where it is
made. One crop, a short prompt, one decoded step and one coordinate are run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.region import RegionEncoder

from .checkpoint import Checkpoint
from .errors import SelfCheckError
from .reference import Cache, Reference
from .tables import REGION_TABLES

# An element may be off by this share of its own value, or of the largest value of its array.
RELATIVE, OF_SCALE = 1e-3, 1e-4
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


def check(checkpoint: Checkpoint, folder: Path) -> Iterator[Difference]:
    """Yield the difference of each part as it is found.

    Raises SelfCheckError where a graph does not load or run, or gives values that are not finite.
    """
    config = checkpoint.config
    reference = Reference(config, checkpoint.read)
    runtime = _Runtime(folder, config)
    generator = np.random.default_rng(_SEED)
    side = config.vision.crop_size
    crop = generator.uniform(-1, 1, (3, side, side)).astype(np.float32)

    features = reference.encode(crop)
    yield _compare('vision', features, runtime.run('vision', crops=crop[None])[0][0])

    # The stitched features differ from the global ones, or swapping the two would not show.
    local = features[::-1].copy()
    image = reference.project(features, local)
    found = runtime.run('projection', global_features=features, local_features=local)[0]
    yield _compare('projection', image, found)

    yield from _check_text(checkpoint, reference, runtime, image)


def _check_text(
    checkpoint: Checkpoint, reference: Reference, runtime: _Runtime, image: np.ndarray
) -> Iterator[Difference]:
    config = checkpoint.config
    tables = load_file(runtime.folder / 'tables.safetensors')
    embeddings = tables['token_embeddings']
    bos = reference.embed_tokens([config.tokenizer.bos_id])
    prefix = np.concatenate([bos, image])
    _, cache = reference.decode(prefix, Cache(), causal=False)
    arrays = runtime.run('prefill', embeds=prefix[None])
    for part, expected, found in (
        ('prefill keys', cache.keys, arrays[0::2]),
        ('prefill values', cache.values, arrays[1::2]),
    ):
        yield _compare(part, np.stack(expected), np.stack([array[0] for array in found]))

    prompt = _prompt(config)
    hidden, longer = reference.decode(reference.embed_tokens(prompt), cache, causal=True)
    found = runtime.step(embeddings[prompt], cache)
    yield _compare('prompt', hidden, found)

    # The head takes one position.
    logits = reference.logits(hidden[-1:])
    yield _compare('head', logits, runtime.run('head', hidden=hidden[-1:])[0])

    hidden = hidden[-1:]
    if longer.length < config.text.max_context:
        token = [int(logits.argmax())]
        hidden, _ = reference.decode(reference.embed_tokens(token), longer, causal=True)
        yield _compare('decode step', hidden, runtime.step(embeddings[token], longer))

    alone, _ = reference.decode(reference.embed_tokens(prompt), Cache(), causal=True)
    yield _compare('text only', alone, runtime.step(embeddings[prompt], Cache()))

    if checkpoint.has_regions:
        yield from _check_regions(config, reference, runtime, tables, hidden)


def _check_regions(
    config: ModelConfig,
    reference: Reference,
    runtime: _Runtime,
    tables: dict[str, np.ndarray],
    hidden: np.ndarray,
) -> Iterator[Difference]:
    coordinates = reference.coordinate_logits(hidden)
    yield _compare('coordinate', coordinates, runtime.run('coordinate', hidden=hidden)[0])
    yield _compare('size', reference.size_logits(hidden), runtime.run('size', hidden=hidden)[0])
    bins = config.region.coord_out_dim
    encoder = RegionEncoder(*(tables[name] for name in REGION_TABLES), bins=bins)
    value = int(coordinates.argmax()) / bins
    expected = [reference.embed_coordinate(value), reference.embed_size(0.3, value)]
    found = [encoder.coordinates([value]), encoder.sizes([(0.3, value)])]
    yield _compare('region tables', np.concatenate(expected), np.concatenate(found))


def _prompt(config: ModelConfig) -> list[int]:
    """A few ids that the model knows: its query template, or what comes first."""
    query = config.tokenizer.templates.query
    ids = list(query.prefix + query.suffix) if query else []
    ids = ids or [config.tokenizer.bos_id]
    room = config.text.max_context - config.prefix_length - 1
    return ids[: max(1, min(_MOST_PROMPT, room))]


def _compare(part: str, expected: np.ndarray, found: np.ndarray) -> Difference:
    if found.shape != expected.shape:
        raise SelfCheckError(f'{part}: the graph gives {found.shape}, expected {expected.shape}')
    if not np.isfinite(found).all():
        raise SelfCheckError(f'{part}: the graph gives values that are not finite')
    difference = np.abs(found - expected)
    scale = float(np.abs(expected).max())
    allowed = np.maximum(RELATIVE * np.abs(expected), OF_SCALE * scale)
    largest = float(difference.max())
    return Difference(
        part, largest, largest / scale if scale else largest, bool((difference <= allowed).all())
    )


class _Runtime:
    """Runs the graphs of the folder, holding one at a time: a 2B model is large."""

    def __init__(self, folder: Path, config: ModelConfig) -> None:
        self.folder = folder
        self._text = config.text
        self._name = ''
        self._session: onnxruntime.InferenceSession | None = None

    def run(self, graph: str, **feeds: np.ndarray) -> list[np.ndarray]:
        session = self._open(graph)
        return _guarded(graph, lambda: session.run(None, feeds))

    def step(self, embeds: np.ndarray, past: Cache) -> np.ndarray:
        """Run the decoder as an engine does, present written over past: hidden (t, dim)."""
        session = self._open('decoder')
        text, total = self._text, past.length + len(embeds)
        shape = (1, text.n_kv_heads, text.max_context, text.head_dim)
        hidden = np.empty((1, *embeds.shape), np.float32)
        binding = session.io_binding()
        feeds = {
            'embeds': np.ascontiguousarray(embeds[None]),
            'seqlens_k': np.array([total - 1], np.int32),
            'total_sequence_length': np.array(total, np.int32),
        }
        for name, array in feeds.items():
            binding.bind_cpu_input(name, array)
        buffers = []
        for i in range(text.n_layers):
            for part, arrays in (('key', past.keys), ('value', past.values)):
                buffer = np.zeros(shape, np.float32)
                if arrays:
                    buffer[0, :, : past.length] = arrays[i]
                value = onnxruntime.OrtValue.ortvalue_from_numpy(buffer)
                binding.bind_ortvalue_input(f'past_{part}_{i}', value)
                binding.bind_ortvalue_output(f'present_{part}_{i}', value)
                buffers.append(buffer)
        output = onnxruntime.OrtValue.ortvalue_from_numpy(hidden)
        binding.bind_ortvalue_output('hidden', output)
        _guarded('decoder', lambda: session.run_with_iobinding(binding))
        return hidden[0]

    def _open(self, graph: str) -> onnxruntime.InferenceSession:
        if graph != self._name:
            self._session = None  # freed before the next one is read
            self._session = _guarded(graph, lambda: _session(self.folder / f'{graph}.onnx'))
            self._name = graph
        return self._session


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised, and named there
    # A second, repacked copy of every weight pays for itself in a service, not in one run.
    options.add_session_config_entry('session.disable_prepacking', '1')
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


def _guarded(graph: str, call: Callable):
    try:
        return call()
    # onnxruntime's exceptions share no base class but Exception.
    except Exception as error:
        raise SelfCheckError(f'{graph}.onnx does not run: {error}') from error
