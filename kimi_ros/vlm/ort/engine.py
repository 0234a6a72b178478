"""The engine on ONNX Runtime: in-place KV cache, buffers bound once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnxruntime import IOBinding

from ..config import ModelConfig
from ..embeddings import EmbeddingFile
from ..errors import DeviceNotAvailable, ModelFolderError, VlmError
from ..folder import ModelFolder
from .decoder import Decoder
from .session import (
    Session,
    bind_input,
    bind_output,
    check_version,
    default_threads,
    open_session,
    providers_for,
    shrink_arena_options,
)

_LOG = logging.getLogger(__name__)
_SCALES = ('key_scales', 'value_scales')
Shapes = dict[str, Sequence[int | str]]


class OnnxEngine:
    """Runs the graphs of a model folder; see `engine.Engine` for the methods.

    The key and value buffers of the whole context are bound both as past and as present of the
    decoder graph, so a step writes its own positions and copies none.
    """

    crop_batch_size = 1

    def __init__(self, folder: ModelFolder, device: str = 'auto', threads: int | None = None):
        """`device` is 'auto', 'cpu' or 'cuda'; `threads` None means the folder's setting, or the
        number of physical cores, at most 4.

        Raises DeviceNotAvailable and ModelFolderError; every call may raise EngineError.
        """
        check_version(folder)
        self.config = folder.config
        self.length = 0
        self._folder = folder
        self._providers = providers_for(device, folder)
        self._shapes = graph_shapes(folder.config)
        self._threads = threads or folder.threads or default_threads()
        self._vision = self._session('vision.onnx')
        if 'CUDAExecutionProvider' in set(self._providers) - set(self._vision.get_providers()):
            problem = (
                'the CUDA provider of onnxruntime did not start; look for missing CUDA or cuDNN '
                'libraries in its log above'
            )
            if device == 'cuda':
                raise DeviceNotAvailable(f'{problem}, or use device="cpu"')
            _LOG.warning('using the CPU: %s', problem)
        self._projection = self._session('projection.onnx')
        self._head = _Head(self._session('head.onnx'), self.config.text.dim)
        self._coordinate: _Head | None = None
        self._size: _Head | None = None
        if 'coordinate.onnx' in folder.files:
            self._coordinate = _Head(self._session('coordinate.onnx'), self.config.text.dim)
            self._size = _Head(self._session('size.onnx'), self.config.text.dim)
        self._embeddings = EmbeddingFile(
            folder.file('tables.safetensors'),
            self.config,
            has_regions=self._coordinate is not None,
            extra=_SCALES if folder.quantization.cache == 'int8' else (),
        )
        scales = list(self._embeddings.extra.values())
        self._decoder = Decoder(
            self._session('decoder.onnx'), self.config.text, folder.quantization, scales
        )

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """(n, 3, S, S) to (n, patches, enc_dim)."""
        features: np.ndarray = self._vision.run(None, {'crops': crops}, shrink_arena_options())[0]
        return features

    def project(self, global_features: np.ndarray, local_features: np.ndarray) -> np.ndarray:
        """Two times (patches, enc_dim) to (patches, dim)."""
        feeds = {'global_features': global_features, 'local_features': local_features}
        embeds: np.ndarray = self._projection.run(None, feeds)[0]
        return embeds

    def prefill_image(self, embeds: np.ndarray) -> None:
        """Reset the cache to the image prefix (p, dim), with bidirectional attention."""
        self.length = 0
        self._decoder.run(embeds, 0, image=True)
        self.length = len(embeds)

    def rewind(self, length: int) -> None:
        """Truncate the cache: positions after `length` are overwritten later."""
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
        return self._head.run(hidden, 'logits')

    def token(self, hidden: np.ndarray) -> int:
        """(dim,) to the greedy token id."""
        return int(self._head.run(hidden, 'token'))

    def coordinate_logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (bins,)."""
        return self._region(self._coordinate).run(hidden, 'logits')

    def size_logits(self, hidden: np.ndarray) -> np.ndarray:
        """(dim,) to (2, bins)."""
        return self._region(self._size).run(hidden, 'logits')

    def embed_tokens(self, ids: Sequence[int]) -> np.ndarray:
        """(n,) ids to (n, dim)."""
        return self._embeddings.tokens(ids)

    def embed_coordinates(self, values: Sequence[float]) -> np.ndarray:
        """(n,) to (n, dim)."""
        return self._embeddings.coordinate_encoder.coordinates(values)

    def embed_sizes(self, sizes: Sequence[tuple[float, float]]) -> np.ndarray:
        """(n, 2) to (n, dim)."""
        return self._embeddings.coordinate_encoder.sizes(sizes)

    def read_cache(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Copies of a layer's keys and values f32 (kv_heads, length, head_dim)."""
        return self._decoder.read(layer, self.length)

    def close(self) -> None:
        """Free sessions and buffers."""
        self.__dict__ = {'config': self.config, 'length': 0}

    def _session(self, name: str) -> Session:
        path = self._folder.file(name)
        session = open_session(path, self._providers, self._threads)
        found = {edge.name: edge.shape for edge in session.get_inputs() + session.get_outputs()}
        _check_shapes(path, found, self._shapes[path.stem])
        return session

    def _region(self, part: _Head | None) -> _Head:
        if part is None:
            raise VlmError('this model has no region heads: it cannot read or write coordinates')
        return part


class _Head:
    """A head: a graph from one hidden state to logits and the like, with buffers bound once."""

    def __init__(self, session: Session, dim: int) -> None:
        self._session = session
        self._hidden = np.zeros((1, dim), np.float32)
        self._name = session.get_inputs()[0].name
        self._on_gpu = session.get_providers()[0] == 'CUDAExecutionProvider'
        self._outputs: dict[str, np.ndarray] = {}
        self._bindings: dict[str, IOBinding] = {}
        for output in session.get_outputs():
            array = np.zeros(output.shape, np.int64 if 'int64' in output.type else np.float32)
            binding = session.io_binding()
            bind_input(binding, self._name, self._hidden)
            bind_output(binding, output.name, array)
            # One binding per output, so that only the requested one is copied from a GPU.
            self._outputs[output.name], self._bindings[output.name] = array, binding

    def run(self, hidden: np.ndarray, output: str) -> np.ndarray:
        self._hidden[0] = hidden
        if self._on_gpu:  # binding copies to the GPU
            bind_input(self._bindings[output], self._name, self._hidden)
        self._session.run_with_iobinding(self._bindings[output])
        result: np.ndarray = self._outputs[output][0]
        return result


def graph_shapes(config: ModelConfig) -> dict[str, Shapes]:
    """Expected shapes of all inputs and outputs of each graph, from the config."""
    text, vision, region = config.text, config.vision, config.region
    side, features = vision.crop_size, [vision.patches, vision.enc_dim]
    parts = [f'{part}_{layer}' for layer in range(text.n_layers) for part in ('key', 'value')]
    cache = [1, text.n_kv_heads, text.max_context, text.head_dim]
    hidden: Shapes = {'hidden': [1, text.dim]}
    caches: Shapes = {f'{time}_{part}': cache for part in parts for time in ('past', 'present')}
    return {
        'vision': {'crops': ['n', 3, side, side], 'features': ['n', *features]},
        'projection': {
            'global_features': features,
            'local_features': features,
            'image_embeds': [vision.patches, text.dim],
        },
        'decoder': caches
        | {
            'embeds': [1, 't', text.dim],
            'image': [],
            'seqlens_k': [1],
            'total_sequence_length': [],
            'hidden': [1, text.dim],
        },
        'head': hidden | {'logits': [1, text.vocab_size], 'token': [1]},
        'coordinate': hidden | {'logits': [1, region.coord_out_dim]},
        'size': hidden | {'logits': [1, 2, region.size_bins]},
    }


def _check_shapes(path: Path, found: Shapes, expected: Shapes) -> None:
    for name in expected | found:
        if found.get(name) != expected.get(name):
            raise ModelFolderError(
                f'{path}: {name} has shape {found.get(name, "(absent)")}, the config in model.json '
                f'expects {expected.get(name, "none")}; export the checkpoint again'
            )
