"""Calibration of an int8 KV cache: per-channel scales from sample images and answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kimi_ros.vlm.crops import overlap_crops
from kimi_ros.vlm.engine import Engine, open_engine
from kimi_ros.vlm.folder import read_folder
from kimi_ros.vlm.generation import TokenGenerator
from kimi_ros.vlm.prompt import query_prompt
from kimi_ros.vlm.sampling import Sampler, SamplingParams
from kimi_ros.vlm.tokenizer import TextTokenizer
from kimi_ros.vlm.vision import encode_crops, project_features

from .lowering_ort import CacheScales
from .progress import Progress
from .samples import Sample

_MAX_ANSWER_TOKENS = 48
_INT8_MAX = 127
_HEADROOM = 1.1  # for images outside the calibration set
_MIN_RANGE = 1e-6  # a channel that is always zero needs a nonzero scale


def calibrate_kv_cache(folder: Path, samples: list[Sample], progress: Progress) -> CacheScales:
    """Answer each sample's question; scales come from the maximum of each channel.

    :param folder: a model folder with a floating-point cache.
    """
    opened = read_folder(folder)
    tokenizer = TextTokenizer.from_file(opened.file('tokenizer.json'))
    engine = open_engine(opened, 'auto', None)
    text = opened.config.text
    largest = np.full((2, text.n_layers, text.n_kv_heads * text.head_dim), _MIN_RANGE, np.float32)
    try:
        for sample in samples:
            # Text-only questions have other keys: their first position attends only to itself.
            for fill in (_fill_with_image_and_answer, _fill_with_text):
                fill(engine, tokenizer, sample)
                for layer in range(text.n_layers):
                    for part, array in enumerate(engine.read_cache(layer)):
                        found = np.abs(array).max(axis=1).ravel()
                        np.maximum(largest[part, layer], found, out=largest[part, layer])
            progress.advance()
    finally:
        engine.close()
    return CacheScales(*(largest * np.float32(_HEADROOM / _INT8_MAX)))


def _fill_with_text(engine: Engine, tokenizer: TextTokenizer, sample: Sample) -> None:
    """Fill the cache with the question, without an image."""
    config = engine.config
    engine.rewind(0)
    if config.tokenizer.templates.query is None:
        engine.step(engine.embed_tokens([config.tokenizer.bos_id]))
        return
    prompt = query_prompt(config, tokenizer, sample.question, with_image=False)
    engine.step(prompt.embed(engine))


def _fill_with_image_and_answer(engine: Engine, tokenizer: TextTokenizer, sample: Sample) -> None:
    """Fill the cache with the image, the question and the generated answer."""
    config = engine.config
    crops = overlap_crops(sample.rgb(), config.vision)
    image = project_features(engine, crops, encode_crops(engine, crops, None))
    bos = engine.embed_tokens([config.tokenizer.bos_id])
    engine.prefill_image(np.concatenate([bos, image]))
    if config.tokenizer.templates.query is None:
        return
    prompt = query_prompt(config, tokenizer, sample.question, with_image=True)
    generator = TokenGenerator(
        engine,
        Sampler(SamplingParams(_MAX_ANSWER_TOKENS)),
        _MAX_ANSWER_TOKENS,
        stop_id=config.tokenizer.eos_id,
    )
    for _ in generator.generate(prompt.embed(engine)):
        pass
