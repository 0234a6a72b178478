"""The engine on onnxruntime: cache in place, buffers bound once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime import InferenceSession
from safetensors.numpy import load_file

from .config import ModelConfig
from .errors import DeviceNotAvailable, EngineError, ModelFolderError, VlmError
from .folder import ModelFolder
from .region import RegionEncoder

_MOST_THREADS = 4
_REGION_TABLES = (
    'coord_features',
    'coord_encoder.weight',
    'coord_encoder.bias',
    'size_features',
    'size_encoder.weight',
    'size_encoder.bias',
)


class OnnxEngine:
    """Runs the graphs of a model folder; see `engine.Engine` for the calls.

    The key and value buffers of the whole context belong to this object and are bound both as the
    past and as the present of the decoder graph, so a step writes one position and copies none.
    """

    def __init__(self, folder: ModelFolder, device: str = 'auto', threads: int | None = None):
        """`device` is 'auto', 'cpu' or 'cuda'; `threads` None means physical cores, at most 4.

        Raises DeviceNotAvailable and ModelFolderError; every call may raise EngineError.
        """
        _check_version(folder)
        self.config = folder.config
        self.length = 0
        self._folder = folder
        self._providers = _providers(device, folder)
        self._shapes = graph_shapes(folder.config)
        self._threads = threads or min(_MOST_THREADS, physical_cores())
        self._vision = self._session('vision.onnx')
        if device == 'cuda' and 'CUDAExecutionProvider' not in self._vision.get_providers():
            raise DeviceNotAvailable(
                'onnxruntime has a CUDA provider but could not start it; look for missing CUDA or '
                'cuDNN libraries in its log above, or use device="cpu"'
            )
        self._projection = self._session('projection.onnx')
        self._prefill = self._session('prefill.onnx')
        self._head = _Head(self._session('head.onnx'), self.config.text.dim)
        self._coordinate = self._size = None
        if 'coordinate.onnx' in folder.files:
            self._coordinate = _Head(self._session('coordinate.onnx'), self.config.text.dim)
            self._size = _Head(self._session('size.onnx'), self.config.text.dim)
        self._read_tables(folder.file('tables.safetensors'))
        self._decoder = _Decoder(self._session('decoder.onnx'), self.config.text)

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """(n, 3, S, S) to (n, patches, enc_dim)."""
        return self._vision.run(None, {'crops': crops})[0]

    def project(self, global_features: np.ndarray, local_features: np.ndarray) -> np.ndarray:
        """Two times (patches, enc_dim) to (patches, dim)."""
        feeds = {'global_features': global_features, 'local_features': local_features}
        return self._projection.run(None, feeds)[0]

    def prefill_image(self, embeds: np.ndarray) -> None:
        """Fill the cache with (p, dim), every position seeing every other."""
        names = self._decoder.cache_names
        arrays = self._prefill.run(names, {'embeds': embeds[None]})
        self._decoder.write_prefix(arrays)
        self.length = len(embeds)

    def rewind(self, length: int) -> None:
        """Nothing is erased: what lies beyond `length` is written over."""
        if not 0 <= length <= self.length:
            raise VlmError(f'cannot rewind from {self.length} to {length}')
        self.length = length

    def step(self, embeds: np.ndarray) -> np.ndarray:
        """Append (t, dim); hidden state (dim,) of the last."""
        hidden = self._decoder.run(embeds, self.length)
        self.length += len(embeds)
        return hidden

    def logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (vocab,)."""
        return self._head.run(hidden)

    def coordinate_logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (bins,)."""
        return self._region(self._coordinate).run(hidden)

    def size_logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (2, bins)."""
        return self._region(self._size).run(hidden)

    def embed_tokens(self, ids: Sequence[int]) -> np.ndarray:
        """(n,) ids to (n, dim)."""
        return self._embeddings[np.asarray(ids, np.int64)]

    def embed_coordinates(self, values: Sequence[float]) -> np.ndarray:
        """(n,) to (n, dim)."""
        return self._region(self._encoder).coordinates(values)

    def embed_sizes(self, sizes: Sequence[tuple[float, float]]) -> np.ndarray:
        """(n, 2) to (n, dim)."""
        return self._region(self._encoder).sizes(sizes)

    def read_cache(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Copies of a layer's keys and values (kv_heads, length, head_dim)."""
        return self._decoder.read(layer, self.length)

    def close(self) -> None:
        """Drop sessions and buffers."""
        self.__dict__ = {'config': self.config, 'length': 0}

    def _session(self, name: str) -> InferenceSession:
        path = self._folder.file(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        # Idle threads sleep: a robot's other nodes need the cores between two questions.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        options.log_severity_level = 3
        try:
            session = _Session(str(path), options, providers=self._providers)
        # onnxruntime's exceptions share no base class but Exception.
        except Exception as error:
            raise ModelFolderError(f'{path} cannot be loaded: {error}') from error
        found = {edge.name: edge.shape for edge in session.get_inputs() + session.get_outputs()}
        _check_shapes(path, found, self._shapes[path.stem])
        return session

    def _read_tables(self, path: Path) -> None:
        try:
            tables = load_file(path)
            self._embeddings = tables['token_embeddings']
            self._encoder = None
            if self._coordinate is not None:
                self._encoder = RegionEncoder(
                    *(tables[name] for name in _REGION_TABLES),
                    bins=self.config.region.coord_out_dim,
                )
        except KeyError as error:
            raise ModelFolderError(f'{path} lacks the table {error}') from error
        except Exception as error:
            raise ModelFolderError(f'{path} cannot be read: {error}') from error
        found = {'token_embeddings': list(self._embeddings.shape)}
        _check_shapes(path, found, self._shapes['tables'])

    def _region(self, part):
        if part is None:
            raise VlmError('this model has no region heads: it takes and gives no coordinates')
        return part


class _Session(InferenceSession):
    """A session whose failures have a name."""

    def __init__(self, path: str, options: onnxruntime.SessionOptions, providers: list[str]):
        super().__init__(path, options, providers=providers)
        self._path = path

    def run(self, *feeds):
        with self._named():
            return super().run(*feeds)

    def run_with_iobinding(self, binding: onnxruntime.IOBinding) -> None:
        with self._named():
            super().run_with_iobinding(binding)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise EngineError(f'{self._path} could not be run: {error}') from error


class _Head:
    """A graph from one hidden state to logits, with both buffers bound once."""

    def __init__(self, session: InferenceSession, dim: int) -> None:
        self._session = session
        self._hidden = np.zeros((1, dim), np.float32)
        shape = session.get_outputs()[0].shape
        self._logits = np.zeros(shape, np.float32)
        self._binding = session.io_binding()
        _bind_input(self._binding, session.get_inputs()[0].name, self._hidden)
        _bind_output(self._binding, session.get_outputs()[0].name, self._logits)

    def run(self, hidden: np.ndarray) -> np.ndarray:
        self._hidden[0] = hidden
        self._session.run_with_iobinding(self._binding)
        return self._logits[0]


class _Decoder:
    """The decoder graph and the cache that it reads and writes in place."""

    def __init__(self, session: InferenceSession, text) -> None:
        self._session = session
        self._dim = text.dim
        shape = (1, text.n_kv_heads, text.max_context, text.head_dim)
        layers = range(text.n_layers)
        self.cache_names = [f'{part}_{layer}' for layer in layers for part in ('key', 'value')]
        self._host = [np.zeros(shape, np.float32) for _ in self.cache_names]
        self._on_gpu = session.get_providers()[0] == 'CUDAExecutionProvider'
        device = 'cuda' if self._on_gpu else 'cpu'
        # On the CPU an OrtValue shares the array's memory; on a GPU it is a copy of it.
        self._cache = [
            onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0) for array in self._host
        ]
        self._last = np.zeros(1, np.int32)
        self._total = np.zeros((), np.int32)
        self._embeds = np.zeros((1, 1, self._dim), np.float32)
        self._hidden = np.zeros((1, 1, self._dim), np.float32)
        self._one = self._bind(self._embeds, self._hidden)

    def write_prefix(self, arrays: Sequence[np.ndarray]) -> None:
        """Copy keys and values (1, kv_heads, p, head_dim) to the start of the cache."""
        for host, value, array in zip(self._host, self._cache, arrays, strict=True):
            host[:, :, : array.shape[2]] = array
            if self._on_gpu:
                value.update_inplace(host)

    def run(self, embeds: np.ndarray, length: int) -> np.ndarray:
        """Append (t, dim) after `length` positions; hidden (dim,) of the last one."""
        count = len(embeds)
        self._last[0] = length + count - 1
        self._total[...] = length + count
        if count == 1:
            self._embeds[0] = embeds
            self._session.run_with_iobinding(self._one)
            return self._hidden[0, 0]
        embeds = np.ascontiguousarray(embeds, np.float32)[None]
        hidden = np.empty((1, count, self._dim), np.float32)
        self._session.run_with_iobinding(self._bind(embeds, hidden))
        return hidden[0, -1]

    def read(self, layer: int, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Copies of keys and values (kv_heads, length, head_dim)."""
        keys, values = (value.numpy() for value in self._cache[2 * layer : 2 * layer + 2])
        return keys[0, :, :length].copy(), values[0, :, :length].copy()

    def _bind(self, embeds: np.ndarray, hidden: np.ndarray) -> onnxruntime.IOBinding:
        binding = self._session.io_binding()
        _bind_input(binding, 'embeds', embeds)
        _bind_input(binding, 'seqlens_k', self._last)
        _bind_input(binding, 'total_sequence_length', self._total)
        for name, value in zip(self.cache_names, self._cache, strict=True):
            binding.bind_ortvalue_input(f'past_{name}', value)
            binding.bind_ortvalue_output(f'present_{name}', value)
        _bind_output(binding, 'hidden', hidden)
        return binding


def physical_cores() -> int:
    """Cores that this process may use, siblings on one core counted once."""
    if not hasattr(os, 'sched_getaffinity'):
        return os.cpu_count() or 1
    cores = set()
    for cpu in os.sched_getaffinity(0):
        siblings = Path(f'/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list')
        try:
            cores.add(siblings.read_text(encoding='ascii').strip())
        except OSError:
            cores.add(str(cpu))
    return max(1, len(cores))


def graph_shapes(config: ModelConfig) -> dict[str, dict[str, list[int | str]]]:
    """Shapes of all inputs and outputs of each graph, and of the tables, as the config asks."""
    text, vision, region = config.text, config.vision, config.region
    side, features = vision.crop_size, [vision.patches, vision.enc_dim]
    parts = [f'{part}_{layer}' for layer in range(text.n_layers) for part in ('key', 'value')]
    cache = [1, text.n_kv_heads, text.max_context, text.head_dim]
    prefix = [1, text.n_kv_heads, config.prefix_length, text.head_dim]
    hidden = {'hidden': [1, text.dim]}
    return {
        'vision': {'crops': ['n', 3, side, side], 'features': ['n', *features]},
        'projection': {
            'global_features': features,
            'local_features': features,
            'image_embeds': [vision.patches, text.dim],
        },
        'prefill': {'embeds': [1, config.prefix_length, text.dim]} | dict.fromkeys(parts, prefix),
        'decoder': {
            'embeds': [1, 't', text.dim],
            'seqlens_k': [1],
            'total_sequence_length': [],
            'hidden': [1, 't', text.dim],
        } | {f'{time}_{part}': cache for part in parts for time in ('past', 'present')},
        'head': hidden | {'logits': [1, text.vocab_size]},
        'coordinate': hidden | {'logits': [1, region.coord_out_dim]},
        'size': hidden | {'logits': [1, 2, region.size_bins]},
        'tables': {'token_embeddings': [text.vocab_size, text.dim]},
    }


def _check_shapes(path: Path, found: dict[str, list], expected: dict[str, list]) -> None:
    for name in expected | found:
        if found.get(name) != expected.get(name):
            raise ModelFolderError(
                f'{path}: {name} is {found.get(name, "absent")}, the config in model.json asks for '
                f'{expected.get(name, "none")}; export the checkpoint again'
            )


def _providers(device: str, folder: ModelFolder) -> list[str]:
    if device not in ('auto', 'cpu', 'cuda'):
        raise DeviceNotAvailable(f'device must be "auto", "cpu" or "cuda", not {device!r}')
    if folder.precision == 'fp32':
        # CUDA has its attention over a cache, GroupQueryAttention, in half precision only.
        if device == 'cuda':
            raise DeviceNotAvailable(
                f'{folder.path} has the precision fp32 (model.json), which onnxruntime cannot '
                'decode on CUDA; use device="cpu" or "auto"'
            )
        return ['CPUExecutionProvider']
    available = 'CUDAExecutionProvider' in onnxruntime.get_available_providers()
    if device == 'cuda' and not available:
        raise DeviceNotAvailable(
            'this onnxruntime has no CUDA: on a machine with an NVIDIA GPU replace it (pip '
            'uninstall onnxruntime, then pip install onnxruntime-gpu), or use device="cpu"'
        )
    if available and device != 'cpu':
        return ['CUDAExecutionProvider', 'CPUExecutionProvider']
    return ['CPUExecutionProvider']


def _check_version(folder: ModelFolder) -> None:
    needed, found = folder.min_onnxruntime, onnxruntime.__version__
    if needed and _version(found) < _version(needed):
        raise ModelFolderError(
            f'{folder.path} needs onnxruntime {needed} or newer, this is {found}: '
            f'pip install "onnxruntime>={needed}"'
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split('+')[0].split('.')[:3] if part.isdigit())


def _bind_input(binding: onnxruntime.IOBinding, name: str, array: np.ndarray) -> None:
    binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))


def _bind_output(binding: onnxruntime.IOBinding, name: str, array: np.ndarray) -> None:
    binding.bind_ortvalue_output(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
