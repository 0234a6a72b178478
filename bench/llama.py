"""llama.cpp on a model of the same size: Phi-2's architecture, Q4_0, random weights."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

import numpy as np

from kimi_ros.vlm.config import ModelConfig, TextConfig

from .worker import Missing

try:
    import gguf
    import llama_cpp
except ImportError as error:
    raise Missing(
        f'llama-cpp-python is not installed ({error}): pip install llama-cpp-python gguf'
    ) from error

_GROUP, _GROUP_BYTES = 32, 18  # Q4_0: an fp16 scale and 32 numbers of 4 bits
_UNIFORM_STD = 4.6  # of whole numbers from -8 to 7
_BATCH = 512


class Llama:
    """A llama.cpp context with the interface of the decoders."""

    def __init__(self, threads: int, path: str) -> None:
        """:param path: where the .gguf lies or is to be written."""
        self._text = ModelConfig().text
        self._path = random_gguf(Path(path), self._text)
        llama_cpp.llama_backend_init()
        model = llama_cpp.llama_model_default_params()
        model.n_gpu_layers = 0
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(self._path), model)
        if not self._model:
            raise RuntimeError(f'llama.cpp cannot load {self._path}')
        context = llama_cpp.llama_context_default_params()
        context.n_ctx = self._text.max_context
        context.n_batch = context.n_ubatch = _BATCH
        context.n_threads = context.n_threads_batch = threads
        # Faster than flash attention here: 48 against 72 ms per token at context 800.
        context.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = llama_cpp.llama_init_from_model(self._model, context)
        if not self._context:
            raise RuntimeError('llama.cpp made no context')
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._random = np.random.default_rng(0)
        self._state, self._length = None, 0

    def fill(self, positions: int) -> None:
        """Fill the KV cache with so many positions of random tokens."""
        self._forget(0)
        ids = self._random.integers(0, self._text.vocab_size, positions).tolist()
        for first in range(0, positions, _BATCH):
            self._decode(ids[first : first + _BATCH])
        # Removed positions are lost; `step` restores them from this copy.
        size = llama_cpp.llama_state_seq_get_size(self._context, 0)
        self._state, self._length = (ctypes.c_uint8 * size)(), positions
        llama_cpp.llama_state_seq_get_data(self._context, self._state, size, 0)

    def step(self, position: int, count: int) -> float:
        """Mean seconds per token after so many positions, with head and argmax."""
        token, vocabulary = 10, self._text.vocab_size
        if position > self._length:
            llama_cpp.llama_state_seq_set_data(self._context, self._state, len(self._state), 0)
        self._length = position
        started = time.perf_counter()
        for _ in range(count):
            self._forget(position)
            self._decode([token])
            logits = llama_cpp.llama_get_logits_ith(self._context, -1)
            token = int(np.ctypeslib.as_array(logits, (vocabulary,)).argmax())
        return (time.perf_counter() - started) / count

    def token_bytes(self, position: int) -> int:
        """Bytes read per token: all weights but the embeddings, and an fp16 KV cache."""
        text = self._text
        embeddings = text.vocab_size * text.dim // _GROUP * _GROUP_BYTES
        weights = self._path.stat().st_size - embeddings
        return weights + position * 2 * text.n_layers * text.dim * 2

    def _decode(self, ids: list[int]) -> None:
        array = (llama_cpp.llama_token * len(ids))(*ids)
        pointer = ctypes.cast(array, ctypes.POINTER(llama_cpp.llama_token))
        batch = llama_cpp.llama_batch_get_one(pointer, len(ids))
        status = llama_cpp.llama_decode(self._context, batch)
        if status:
            raise RuntimeError(f'llama_decode gave {status}')

    def _forget(self, position: int) -> None:
        llama_cpp.llama_memory_seq_rm(self._memory, 0, position, -1)


def random_gguf(path: Path, text: TextConfig) -> Path:
    """Write the model unless it exists; the weights are random bytes."""
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix('.part')
    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(part, 'phi2', use_temp_file=True)
    writer.add_context_length(text.max_context)
    writer.add_embedding_length(text.dim)
    writer.add_feed_forward_length(text.ff_dim)
    writer.add_block_count(text.n_layers)
    writer.add_head_count(text.n_heads)
    writer.add_head_count_kv(text.n_kv_heads)
    writer.add_layer_norm_eps(1e-5)
    writer.add_rope_dimension_count(text.rotary_dim)
    writer.add_vocab_size(text.vocab_size)
    writer.add_tokenizer_model('none')
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)

    def add(name: str, inputs: int, outputs: int, bias: bool = True) -> None:
        groups = np.empty((outputs, inputs // _GROUP, _GROUP_BYTES), np.uint8)
        groups[...] = random.integers(0, 256, groups.shape, np.uint8)
        scale = np.float16(inputs**-0.5 / _UNIFORM_STD)
        groups[..., :2] = np.frombuffer(scale.tobytes(), np.uint8)
        kind = gguf.GGMLQuantizationType.Q4_0
        writer.add_tensor(f'{name}.weight', groups.reshape(outputs, -1), raw_dtype=kind)
        if bias:
            writer.add_tensor(f'{name}.bias', np.zeros(outputs, np.float32))

    def norm(name: str) -> None:
        writer.add_tensor(f'{name}.weight', np.ones(text.dim, np.float32))
        writer.add_tensor(f'{name}.bias', np.zeros(text.dim, np.float32))

    add('token_embd', text.dim, text.vocab_size, bias=False)
    for index in range(text.n_layers):
        block = f'blk.{index}'
        norm(f'{block}.attn_norm')
        add(f'{block}.attn_qkv', text.dim, 3 * text.dim)
        add(f'{block}.attn_output', text.dim, text.dim)
        add(f'{block}.ffn_up', text.dim, text.ff_dim)
        add(f'{block}.ffn_down', text.ff_dim, text.dim)
    norm('output_norm')
    add('output', text.dim, text.vocab_size)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(part, path)
    return path
