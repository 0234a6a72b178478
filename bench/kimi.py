"""kimi_ros on a folder of kimi-export: single steps and whole answers."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np

from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.crops import overlap_crops
from kimi_ros.vlm.engine import open_engine
from kimi_ros.vlm.folder import read_folder
from kimi_ros.vlm.prompt import query_prompt
from kimi_ros.vlm.tokenizer import TextTokenizer
from kimi_ros.vlm.vision import encode_crops, project_features

from .timing import Timer

_SEED = 0
_CHUNK = 500
_QUESTIONS = ('What is on the table?', 'Where is the red cup?')
_BYTES = {'fp32': 4, 'fp16': 2, 'int8': 1}


class KimiEngine:
    """One engine; methods return seconds or bytes."""

    def __init__(self, threads: int, folder: str) -> None:
        with Timer() as watch:
            opened = read_folder(folder)
            self._engine = open_engine(opened, 'cpu', threads)
            self._tokenizer = TextTokenizer.from_file(opened.file('tokenizer.json'))
        self._opened, self._loading = opened, watch.seconds
        self._config = opened.config
        self._random = np.random.default_rng(_SEED)
        self._vlm = VisionLanguageModel(
            self._engine, self._tokenizer, name=opened.name, tasks=opened.tasks
        )

    def loading(self) -> float:
        """Time of loading, including the verification of hashes."""
        return self._loading

    def fill(self, positions: int) -> None:
        """Fill the KV cache with so many positions of random tokens."""
        self._engine.rewind(0)
        ids = self._random.integers(10, self._config.text.vocab_size, positions).tolist()
        for first in range(0, positions, _CHUNK):
            self._engine.step(self._engine.embed_tokens(ids[first : first + _CHUNK]))

    def step(self, position: int, count: int) -> float:
        """Mean time per token after so many positions: embedding, decoder, head, argmax."""
        engine, token = self._engine, 10
        started = time.perf_counter()
        for _ in range(count):
            # Not rewind, to keep the positions of `fill` for longer contexts.
            engine.length = position
            token = engine.token(engine.step(engine.embed_tokens([token])))
        return (time.perf_counter() - started) / count

    def token_bytes(self, position: int) -> int:
        """Bytes read per token: weights of decoder and head, and the KV cache so far."""
        text, quantization = self._config.text, self._opened.quantization
        weights = sum(_stored(self._opened.file(f'{name}.onnx')) for name in ('decoder', 'head'))
        values = 2 * text.n_layers * text.n_kv_heads * text.head_dim
        return weights + position * values * _BYTES[quantization.cache]

    def encode(self, crops: int = 1) -> float:
        """Time of encoding so many crops, one after the other."""
        side = self._config.vision.crop_size
        pixels = self._random.standard_normal((crops, 1, 3, side, side), np.float32)
        with Timer() as watch:
            for crop in pixels:
                self._engine.encode(crop)
        return watch.seconds

    def tile(self) -> float:
        """Time from pixels to features for an image of one tile."""
        side = self._config.vision.crop_size
        with Timer() as watch:
            crops = overlap_crops(self._picture(side, side), self._config.vision)
            encode_crops(self._engine, crops, None)
        return watch.seconds

    def latency(self, height: int, width: int, max_crops: int, tokens: int) -> dict[str, float]:
        """Latency breakdown of an answer, and the number of crops."""
        engine, config = self._engine, self._config
        vision = dataclasses.replace(config.vision, max_crops=max_crops)
        rgb = self._picture(height, width)
        with Timer() as cropping:
            crops = overlap_crops(rgb, vision)
        with Timer() as seeing:
            features = encode_crops(engine, crops, None)
            embeds = project_features(engine, crops, features)
        with Timer() as prefill:
            bos = engine.embed_tokens([config.tokenizer.bos_id])
            engine.prefill_image(np.concatenate([bos, embeds]))
        prompt = query_prompt(config, self._tokenizer, _QUESTIONS[0], with_image=True)
        with Timer() as asking:
            token = engine.token(engine.step(prompt.embed(engine)))
        with Timer() as decoding:
            for _ in range(tokens):
                token = engine.token(engine.step(engine.embed_tokens([token])))
        return {
            'crops': cropping.seconds,
            'vision': seeing.seconds,
            'prefill': prefill.seconds + asking.seconds,
            'decode': decoding.seconds,
            'count': len(crops.unique),
        }

    def questions(self, tokens: int) -> dict[str, float]:
        """Time of a first question about a new image, of a second one, and of its tokens alone.

        The latter is the second question's prompt in one step, then its answer token by token.
        """
        engine, vlm, side = self._engine, self._vlm, self._config.vision.crop_size
        with Timer() as first:
            image = vlm.encode_image(self._picture(side, side))
            vlm.query(image, _QUESTIONS[0], max_tokens=tokens)
        with Timer() as second:
            answer = vlm.query(image, _QUESTIONS[1], max_tokens=tokens)
        with Timer() as own:
            engine.rewind(self._config.prefix_length)
            hidden = engine.step(engine.embed_tokens(answer.prompt_ids))
            engine.logits(hidden)
            for token in answer.ids[:-1]:
                engine.token(engine.step(engine.embed_tokens([token])))
        return {'first': first.seconds, 'second': second.seconds, 'own': own.seconds}

    def memory(self, tokens: int) -> dict[str, int]:
        """Resident bytes after one answer, and the anonymous (not file-backed) part."""
        side = self._config.vision.crop_size
        image = self._vlm.encode_image(self._picture(side, side))
        self._vlm.query(image, _QUESTIONS[0], max_tokens=tokens)
        return {'answer': resident('VmRSS'), 'private': resident('RssAnon')}

    def memory_at_end(self) -> int:
        """Resident bytes with the whole context in use."""
        self.fill(self._config.text.max_context)
        return resident('VmRSS')

    def _picture(self, height: int, width: int) -> np.ndarray:
        return self._random.integers(0, 256, (height, width, 3), np.uint8)


def resident(name: str = 'VmRSS') -> int:
    """Memory of this process from /proc/self/status, in bytes."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(f'{name}:'):
            return int(line.split()[1]) * 1024
    raise OSError(f'/proc/self/status has no {name}')


def _stored(graph: Path) -> int:
    """Bytes of the weights that a single-token run reads."""
    import onnx  # imported late: not in processes that measure memory

    model = onnx.load(graph, load_external_data=False)
    total = 0
    for tensor in model.graph.initializer:
        if tensor.name.startswith(('prefix.', 'rotary')):
            continue  # used for images only, or only one row is read
        place = {entry.key: entry.value for entry in tensor.external_data}
        total += int(place['length']) if 'length' in place else len(tensor.raw_data)
    return total
