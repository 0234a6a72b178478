"""The decoder graph on onnxruntime and the cache that it reads and writes in place."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Sequence

import numpy as np
from onnxruntime import InferenceSession, IOBinding, OrtValue

from ..config import TextConfig
from ..layout import Layout
from .session import bind_input, bind_output, giving_back

_DTYPES = {'fp32': np.float32, 'fp16': np.float16, 'int8': np.int8}


class Decoder:
    """One cache, bound as the past and as the present of every run."""

    def __init__(
        self,
        session: InferenceSession,
        text: TextConfig,
        layout: Layout,
        scales: Sequence[np.ndarray] = (),
    ) -> None:
        """`scales` of keys and of values, f32 (layers, kv_heads * head_dim), where it is 8-bit."""
        self._session = session
        self._dim = text.dim
        self._scales = scales
        shape = (1, text.n_kv_heads, text.max_context, text.head_dim)
        names = [f'{part}_{i}' for i in range(text.n_layers) for part in ('key', 'value')]
        self._on_gpu = session.get_providers()[0] == 'CUDAExecutionProvider'
        # On the CPU an OrtValue shares the array's memory, which the array must then keep alive;
        # on a GPU it is a copy of it.
        self._arrays = [_sparse_zeros(shape, _DTYPES[layout.cache]) for _ in names]
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
        """Append (t, dim) after `length` positions; hidden (dim,) of the last one.

        :param image: whether they all see each other.
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
            self._session.run_with_iobinding(self._bind(embeds), giving_back())
        return self._hidden[0]

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
        """Bind what changes from run to run: a GPU gets its copy when it is bound, not when run."""
        bind_input(binding, 'embeds', embeds)
        bind_input(binding, 'image', self._image)
        bind_input(binding, 'seqlens_k', self._last)
        bind_input(binding, 'total_sequence_length', self._total)


def _sparse_zeros(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """An array that takes memory only where it was written, page by page.

    numpy asks for huge pages; as every head has its own stretch of positions, the first position
    would take all of them.
    """
    kind = np.dtype(dtype)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    pages = mmap.mmap(-1, int(np.prod(shape)) * kind.itemsize, flags=flags)
    with contextlib.suppress(AttributeError, OSError):  # a kernel without huge pages
        pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, kind).reshape(shape)
