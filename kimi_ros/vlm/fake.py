"""A scripted in-memory engine, for tests of everything above the engine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .config import ModelConfig
from .errors import VlmError


@dataclass(frozen=True)
class ScriptedOutput:
    """The fake's prediction at one position: a token, a coordinate bin, two size bins."""

    token: int = -1
    bin: int = 0
    size: tuple[int, int] = (0, 0)


class FakeEngine:
    """Follows a script: entry 0 is predicted after the prompt, entry i after i further positions.

    A script is the sequence that a real model would generate; an int stands for
    ScriptedOutput(token). Fast-forward tokens are fed together with the end of the prompt: they
    count as the beginning of the script if they equal it. Every image and every rewind restart the
    script. `prefills` and `steps` (positions per step) record the calls; each step takes `delay`
    seconds.
    """

    crop_batch_size = 1

    def __init__(
        self, config: ModelConfig, script: Sequence[int | ScriptedOutput] = (), delay: float = 0.0
    ) -> None:
        self.config = config
        self.script = script
        self.delay = delay
        self.length = 0
        self.prefills = 0
        self.steps: list[int] = []
        self.closed = False
        self._position: int | None = None

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """Features (n, patches, enc_dim): each crop's mean everywhere."""
        vision = self.config.vision
        means = crops.mean(axis=(1, 2, 3), dtype=np.float32)
        return np.broadcast_to(
            means[:, None, None], (len(crops), vision.patches, vision.enc_dim)
        ).copy()

    def project(self, global_features: np.ndarray, local_features: np.ndarray) -> np.ndarray:
        """Embeddings (patches, dim): the mean of both."""
        mean = (global_features.mean() + local_features.mean()) / 2
        shape = (self.config.vision.patches, self.config.text.dim)
        return np.full(shape, mean, np.float32)

    def prefill_image(self, embeds: np.ndarray) -> None:
        """Count the prefill and restart the script."""
        self.prefills += 1
        self.length = len(embeds)
        self._position = None

    def rewind(self, length: int) -> None:
        """Restart the script."""
        self.length = length
        self._position = None

    def step(self, embeds: np.ndarray) -> np.ndarray:
        """Hidden state whose first number is the position in the script."""
        if self.length + len(embeds) > self.config.text.max_context:
            raise VlmError('the fake was fed beyond its context')
        time.sleep(self.delay)
        self.steps.append(len(embeds))
        self.length += len(embeds)
        if self._position is None:
            self._position = self._already_written(embeds)
        else:
            self._position += len(embeds)
        hidden = np.zeros(self.config.text.dim, np.float32)
        hidden[0] = self._position
        return hidden

    def logits(self, hidden: np.ndarray) -> np.ndarray:
        """Ten for the scripted token (EOS after the script's end), zero for the others."""
        token = self._scripted(hidden).token
        return _peak(self.config.text.vocab_size, token)

    def token(self, hidden: np.ndarray) -> int:
        """The scripted token."""
        logits = self.logits(hidden)
        if self.config.tokenizer.answer_id is not None:
            logits[self.config.tokenizer.answer_id] = -np.inf
        return int(logits.argmax())

    def coordinate_logits(self, hidden: np.ndarray) -> np.ndarray:
        """Ten for the scripted bin."""
        return _peak(self.config.region.coord_out_dim, self._scripted(hidden).bin)

    def size_logits(self, hidden: np.ndarray) -> np.ndarray:
        """Ten for the scripted bins."""
        bins = self.config.region.size_bins
        return np.stack([_peak(bins, index) for index in self._scripted(hidden).size])

    def embed_tokens(self, ids: Sequence[int]) -> np.ndarray:
        """The id, everywhere."""
        return self._spread(ids)

    def embed_coordinates(self, values: Sequence[float]) -> np.ndarray:
        """The coordinate, everywhere."""
        return self._spread(values)

    def embed_sizes(self, sizes: Sequence[tuple[float, float]]) -> np.ndarray:
        """The width, everywhere."""
        return self._spread([width for width, _ in sizes])

    def read_cache(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Zeros."""
        text = self.config.text
        shape = (text.n_kv_heads, self.length, text.head_dim)
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def close(self) -> None:
        """Record the call."""
        self.closed = True

    def _already_written(self, embeds: np.ndarray) -> int:
        """Number of script entries that the prompt already ends with."""
        fed = embeds[:, 0].tolist()
        for count in range(min(len(fed), len(self.script)), 0, -1):
            if fed[-count:] == list(self.script[:count]):
                return count
        return 0

    def _scripted(self, hidden: np.ndarray) -> ScriptedOutput:
        index = int(hidden[0])
        entry = self.script[index] if index < len(self.script) else self.config.tokenizer.eos_id
        return ScriptedOutput(entry) if isinstance(entry, int) else entry

    def _spread(self, values: Sequence[float]) -> np.ndarray:
        column = np.asarray(values, np.float32)[:, None]
        return np.repeat(column, self.config.text.dim, axis=1)


def _peak(count: int, index: int) -> np.ndarray:
    logits = np.zeros(count, np.float32)
    if index >= 0:
        logits[index] = 10
    return logits
