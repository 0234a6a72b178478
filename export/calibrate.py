"""The scales of an 8-bit cache, from what pictures and answers leave in an exact one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kimi_ros.vlm.crops import overlap_crops
from kimi_ros.vlm.decoding import Chooser, Sampling, Writer
from kimi_ros.vlm.engine import Engine, open_engine
from kimi_ros.vlm.folder import read_folder
from kimi_ros.vlm.prompt import query_prompt
from kimi_ros.vlm.tokenizer import TextTokenizer
from kimi_ros.vlm.vision import encode_crops, project_features

from .lowering_ort import CacheScales
from .progress import Progress
from .samples import Sample

_LONGEST_ANSWER = 48
_LARGEST = 127
_HEADROOM = 1.1  # for pictures that were not among the samples
_LEAST = 1e-6  # a channel that is always zero needs some step


def cache_scales(folder: Path, samples: list[Sample], progress: Progress) -> CacheScales:
    """Answer each sample's question and take the largest keys and values of each channel.

    :param folder: a model folder whose cache is not quantised.
    """
    opened = read_folder(folder)
    tokenizer = TextTokenizer.from_file(opened.file('tokenizer.json'))
    engine = open_engine(opened, 'auto', None)
    text = opened.config.text
    largest = np.full((2, text.n_layers, text.n_kv_heads * text.head_dim), _LEAST, np.float32)
    try:
        for sample in samples:
            # A question without a picture has other keys: the first position sees itself alone.
            for fill in (_look_and_answer, _read_alone):
                fill(engine, tokenizer, sample)
                for layer in range(text.n_layers):
                    for part, array in enumerate(engine.read_cache(layer)):
                        found = np.abs(array).max(axis=1).ravel()
                        np.maximum(largest[part, layer], found, out=largest[part, layer])
            progress.advance()
    finally:
        engine.close()
    return CacheScales(*(largest * np.float32(_HEADROOM / _LARGEST)))


def _read_alone(engine: Engine, tokenizer: TextTokenizer, sample: Sample) -> None:
    """Leave the question alone in the cache."""
    config = engine.config
    engine.rewind(0)
    if config.tokenizer.templates.query is None:
        engine.step(engine.embed_tokens([config.tokenizer.bos_id]))
        return
    prompt = query_prompt(config, tokenizer, sample.question, with_image=False)
    engine.step(prompt.embed(engine))


def _look_and_answer(engine: Engine, tokenizer: TextTokenizer, sample: Sample) -> None:
    """Leave the picture, the question and an answer in the cache."""
    config = engine.config
    crops = overlap_crops(sample.rgb(), config.vision)
    image = project_features(engine, crops, encode_crops(engine, crops, None))
    bos = engine.embed_tokens([config.tokenizer.bos_id])
    engine.prefill_image(np.concatenate([bos, image]))
    if config.tokenizer.templates.query is None:
        return
    prompt = query_prompt(config, tokenizer, sample.question, with_image=True)
    writer = Writer(
        engine,
        Chooser(Sampling(_LONGEST_ANSWER)),
        _LONGEST_ANSWER,
        stop_id=config.tokenizer.eos_id,
    )
    for _ in writer.write(prompt.embed(engine)):
        pass
