"""The decoder graph on ONNX Runtime, with an in-place KV cache."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Sequence

import numpy as np
from onnxruntime import InferenceSession, IOBinding, OrtValue

from ..config import TextConfig
from ..quantization import QuantizationConfig
from .session import bind_input, bind_output, shrink_arena_options

_DTYPES = {'fp32': np.float32, 'fp16': np.float16, 'int8': np.int8}


class Decoder:
    """A decoder session whose KV cache is bound both as past and as present of every run."""

    def __init__(
        self,
        session: InferenceSession,
        text: TextConfig,
        quantization: QuantizationConfig,
        scales: Sequence[np.ndarray] = (),
    ) -> None:
        """`scales` of keys and values, f32 (layers, kv_heads * head_dim), if the cache is int8."""
        self._session = session
        self._dim = text.dim
        self._scales = scales
        shape = (1, text.n_kv_heads, text.max_context, text.head_dim)
        names = [f'{part}_{i}' for i in range(text.n_layers) for part in ('key', 'value')]
        self._on_gpu = session.get_providers()[0] == 'CUDAExecutionProvider'
        # On the CPU an OrtValue shares the array's memory, so the array must stay alive; on a GPU
        # it is a copy.
        self._arrays = [_lazy_zeros(shape, _DTYPES[quantization.cache]) for _ in names]
        device = 'cuda' if self._on_gpu else 'cpu'
        values = [OrtValue.ortvalue_from_numpy(array, device, 0) for array in self._arrays]
        self._cache = dict(zip(names, values, strict=True))
        if self._on_gpu:
            self._arrays = []
        self._last = np.zeros(1, np.int32)
        self._total = np.zeros((), np.int32)
        self._image = np.zeros((), np.bool_)
        self._embeds = np.zeros((1, 1, self._dim), np.float32)
        self._hidden = np.zeros((1, self._dim), np.float32)
        self._one = self._bind(self._embeds)

    def run(self, embeds: np.ndarray, length: int, image: bool = False) -> np.ndarray:
        """Append (t, dim) after `length` positions; return the last hidden state (dim,).

        :param image: bidirectional instead of causal attention.
        """
        count = len(embeds)
        self._last[0] = length + count - 1
        self._total[...] = length + count
        self._image[...] = image
        if count == 1:
            self._embeds[0] = embeds
            if self._on_gpu:
                self._feed(self._one, self._embeds)
            self._session.run_with_iobinding(self._one)
        else:
            embeds = np.ascontiguousarray(embeds, np.float32)[None]
            self._session.run_with_iobinding(self._bind(embeds), shrink_arena_options())
        hidden: np.ndarray = self._hidden[0]
        return hidden

    def read(self, layer: int, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Copies of keys and values f32 (kv_heads, length, head_dim)."""
        found = []
        for index, part in enumerate(('key', 'value')):
            array = self._cache[f'{part}_{layer}'].numpy()[0, :, :length].astype(np.float32)
            if self._scales:
                array *= self._scales[index][layer].reshape(len(array), 1, -1)
            found.append(array)
        return found[0], found[1]

    def _bind(self, embeds: np.ndarray) -> IOBinding:
        binding = self._session.io_binding()
        self._feed(binding, embeds)
        for name, value in self._cache.items():
            binding.bind_ortvalue_input(f'past_{name}', value)
            binding.bind_ortvalue_output(f'present_{name}', value)
        bind_output(binding, 'hidden', self._hidden)
        return binding

    def _feed(self, binding: IOBinding, embeds: np.ndarray) -> None:
        """Bind the inputs that change: on a GPU, binding copies them."""
        bind_input(binding, 'embeds', embeds)
        bind_input(binding, 'image', self._image)
        bind_input(binding, 'seqlens_k', self._last)
        bind_input(binding, 'total_sequence_length', self._total)


def _lazy_zeros(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """A zeroed array whose pages are allocated when they are first written.

    numpy would use huge pages; since each head has its own range of positions, the first position
    would then allocate all of them.
    """
    kind = np.dtype(dtype)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    pages = mmap.mmap(-1, int(np.prod(shape)) * kind.itemsize, flags=flags)
    with contextlib.suppress(AttributeError, OSError):  # a kernel without huge pages
        pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, kind).reshape(shape)
