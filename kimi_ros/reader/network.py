"""The reader's graphs, run by onnxruntime on one thread, and what they make of a catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime as ort

from kimi_ros.reader.cards import SkillCard
from kimi_ros.reader.features import Catalogue, Features, Featurizer, Said
from kimi_ros.reader.heads import EVENTS
from kimi_ros.reader.words import WordTable

GRAPHS = ('encode', 'catalogue', 'mix', 'decide', 'hold', 'phrase')
Arrays = dict[str, np.ndarray]
# Letters and likeness by which a word is told by its spelling; a word without meaning, by fewer.
_SPELT, _UNKNOWN = (7, 0.85), (4, 0.8)


@dataclass(frozen=True)
class Offer:
    """A catalogue as the network sees it; sizes: k tokens, c candidates, b places for arguments.

    :ivar types: of each argument, counted over all skills.
    :ivar tokens: (k, dim), candidates (c, dim), arguments (b, dim), values (v, match).
    :ivar of: (k, c), 1 where a token is a candidate's.
    :ivar meanings: (k, word), the directions of the tokens' words; stems: (k,).
    """

    catalogue: Catalogue
    types: list[str]
    tokens: np.ndarray
    candidates: np.ndarray
    arguments: np.ndarray
    values: np.ndarray
    of: np.ndarray
    meanings: np.ndarray
    stems: np.ndarray


@dataclass(frozen=True)
class Heard:
    """An instruction beside a catalogue: x (n, dim), role (n, roles) and told (n, 3) logits."""

    x: np.ndarray
    role: np.ndarray
    told: np.ndarray
    sim: np.ndarray
    same: np.ndarray


class Network:
    """The graphs in a folder. Raises OSError where one is missing."""

    def __init__(self, folder: Path):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._graphs = {}
        for name in GRAPHS:
            path = folder / f'{name}.onnx'
            if not path.is_file():
                raise FileNotFoundError(f'{path} is missing: write it with kimi-train reader')
            self._graphs[name] = ort.InferenceSession(
                str(path), options, providers=['CPUExecutionProvider']
            )
        words = WordTable.load(folder)
        self.featurizer = Featurizer(words)
        self._directions = words.directions()

    def run(self, graph: str, **inputs: np.ndarray) -> Arrays:
        """Return a graph's outputs by name."""
        session = self._graphs[graph]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs), strict=True))

    def offer(self, skills: Sequence[SkillCard], language: str) -> Offer:
        """Return a catalogue as the network sees it."""
        catalogue = self.featurizer.catalogue(skills, language)
        n_values = sum(map(len, catalogue.values))
        skill, argument, value = (
            _one_hot(index, count)
            for index, count in (
                (catalogue.skill, len(catalogue.arguments)),
                (catalogue.argument, max(1, len(catalogue.values))),
                (catalogue.value, max(1, n_values)),
            )
        )
        encoded = self._encoded(catalogue.features, catalogue.skill)
        seen = self.run('catalogue', encoded=encoded, skill=skill, argument=argument, value=value)
        events = len(EVENTS)
        of = np.zeros((events + len(skill), events + skill.shape[1]), np.float32)
        of[:events, :events] = np.eye(events)
        of[events:, events:] = skill
        meanings = self._directions[catalogue.features.cover]
        meanings = np.concatenate([np.zeros_like(meanings[:1]).repeat(events, 0), meanings])
        stems = np.concatenate([np.full(events, -2), catalogue.features.stem])
        types = [argument.type for card in skills for argument in card.arguments]
        return Offer(catalogue, types, **seen, of=of, meanings=meanings, stems=stems)

    def hear(self, said: Said, offer: Offer) -> Heard:
        """Return an instruction beside a catalogue."""
        features = said.features
        encoded = self._encoded(features, np.zeros(len(features), np.int64))
        sim = self._directions[features.cover] @ offer.meanings.T
        same = (features.stem[:, None] == offer.stems).astype(np.float32)
        self._forgive(said, offer, same)
        seen = self.run(
            'mix', encoded=encoded, position=features.position, tokens=offer.tokens, sim=sim,
            same=same,
        )  # fmt: skip
        return Heard(**seen, sim=sim, same=same)

    def _forgive(self, said: Said, offer: Offer, same: np.ndarray) -> None:
        """Let words that are spelt almost alike be the same: slips, and -ise for -ize."""
        offered = offer.catalogue.texts
        for i, token in enumerate(said.tokens):
            least, alike = _SPELT if said.features.cover[i] else _UNKNOWN
            if token.kind != 'word' or len(token.text) < least or same[i].any():
                continue
            for j, text in enumerate(offered, len(EVENTS)):
                if len(text) >= least and text.isascii() and _likeness(token.text, text) >= alike:
                    same[i, j] = 1

    def _encoded(self, features: Features, whose: np.ndarray) -> np.ndarray:
        return self.run(
            'encode', unit=features.unit, pieces=features.pieces,
            own=self._directions[features.own], cover=self._directions[features.cover],
            place=features.place, part=features.part, position=features.position, whose=whose,
        )['encoded']  # fmt: skip


@lru_cache(10_000)
def _likeness(a: str, b: str) -> float:
    """Return how alike words are spelt, but for their endings: 1 is the same."""
    a, b = (re.sub('(?:e?s|e?d|ing|e)$', '', word) for word in (a, b))
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def _one_hot(index: np.ndarray, count: int) -> np.ndarray:
    return (index[:, None] == np.arange(count)).astype(np.float32)
