"""Introspection: intermediate arrays of a forward pass, and teacher-forced logits."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from .cancellation import raise_if_cancelled
from .crops import Crops
from .engine import Engine
from .errors import InputError
from .prompt import Prompt
from .results import EncodedImage
from .validation import check_int


def prompt_of_ids(ids: Sequence[int], vocabulary: int) -> Prompt:
    """Return a prompt of token ids. Raises InputError unless all are below `vocabulary`."""
    prompt = Prompt(tuple(check_int(token, 'a prompt id', 0) for token in ids))
    if not prompt.ids or max(prompt.ids) >= vocabulary:
        raise InputError(f'prompt_ids must be ids below {vocabulary}, not {ids!r}')
    return prompt


def trace_arrays(
    engine: Engine, crops: Crops, features: np.ndarray, image: EncodedImage, prompt: Prompt
) -> dict[str, np.ndarray]:
    """Run a prompt after the image in the KV cache and return intermediate arrays by name.

    crop_mean f64 (crops,), the global crop first; crop_last uint8 (S, S, 3); vision_global f32
    (patches, enc_dim); image_embeds (patches, dim); of the last layer, after the image,
    k_last_norm (kv_heads, 1 + patches), the norms of the keys, and v_last (kv_heads,
    1 + patches, head_dim); query_logits (vocab,) after the prompt.
    """
    keys, values = engine.read_cache(engine.config.text.n_layers - 1)
    hidden = engine.step(prompt.embed(engine))
    return {
        'crop_mean': crops.pixels.reshape(len(crops.pixels), -1).mean(axis=1),
        'crop_last': crops.pixels[-1],
        'vision_global': features[0],
        'image_embeds': image.embeds,
        'k_last_norm': np.linalg.norm(keys, axis=-1),
        'v_last': values,
        'query_logits': engine.logits(hidden).copy(),
    }


def teacher_forced_logits(
    engine: Engine, prompt: Prompt, ids: Sequence[int], cancel: threading.Event | None
) -> np.ndarray:
    """Logits f32 (n, vocab) before each of the given ids (teacher forcing)."""
    logits = np.empty((len(ids), engine.config.text.vocab_size), np.float32)
    embeds = prompt.embed(engine)
    for row, token in zip(logits, ids, strict=True):
        raise_if_cancelled(cancel)
        row[:] = engine.logits(engine.step(embeds))
        embeds = engine.embed_tokens([token])
    return logits
