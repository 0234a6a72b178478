"""The reader's ONNX graphs, run by ONNX Runtime on one thread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime as ort

from kimi_ros.reader.features import Features, Featurizer, TokenizedCatalogue, TokenizedInstruction
from kimi_ros.reader.labels import EVENTS
from kimi_ros.reader.skill_card import SkillCard
from kimi_ros.reader.word_vectors import WordVectors

GRAPHS = ('encoder', 'catalogue', 'fusion', 'decoder', 'arguments', 'phrase')
Arrays = dict[str, np.ndarray]
# Minimum length and similarity of a spelling match; lower for words without a vector.
_SPELLING_MATCH, _UNKNOWN_WORD_MATCH = (7, 0.85), (4, 0.8)


@dataclass(frozen=True)
class EncodedCatalogue:
    """An encoded catalogue of k tokens, c candidates and b slots.

    :ivar types: by argument, over all skills.
    :ivar tokens: (k, dim); candidates: (c, dim); arguments: (b, dim); values: (v, scorer_dim).
    :ivar membership: (k, c), 1 if a token belongs to a candidate.
    :ivar word_vectors: (k, word), of length 1; stems: (k,).
    """

    tokenized: TokenizedCatalogue
    types: list[str]
    tokens: np.ndarray
    candidates: np.ndarray
    arguments: np.ndarray
    values: np.ndarray
    membership: np.ndarray
    word_vectors: np.ndarray
    stems: np.ndarray


@dataclass(frozen=True)
class EncodedInstruction:
    """An instruction of n tokens, encoded with its catalogue.

    :ivar hidden_states: (n, dim).
    :ivar role: (n, roles) logits; coverage: (n, 3) logits.
    :ivar similarity: (n, k), of the words' vectors; exact_match: (n, k), 1 for equal stems.
    """

    hidden_states: np.ndarray
    role: np.ndarray
    coverage: np.ndarray
    similarity: np.ndarray
    exact_match: np.ndarray


class OnnxModel:
    """The graphs of a reader's folder. Raises OSError if one is missing."""

    def __init__(self, folder: Path):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._sessions = {}
        for name in GRAPHS:
            path = folder / f'{name}.onnx'
            if not path.is_file():
                raise FileNotFoundError(f'{path} is missing: write it with kimi-train reader')
            self._sessions[name] = ort.InferenceSession(
                str(path), options, providers=['CPUExecutionProvider']
            )
        words = WordVectors.load(folder)
        self.featurizer = Featurizer(words)
        self._word_vectors = words.normalized()

    def run(self, graph: str, **inputs: np.ndarray) -> Arrays:
        """Return a graph's outputs by name."""
        session = self._sessions[graph]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs), strict=True))

    def encode_catalogue(self, skills: Sequence[SkillCard], language: str) -> EncodedCatalogue:
        """Return a catalogue, encoded; it can be reused for many instructions."""
        catalogue = self.featurizer.tokenize_catalogue(skills, language)
        n_values = sum(map(len, catalogue.values))
        skill, argument, value = (
            _one_hot(index, count)
            for index, count in (
                (catalogue.skill, len(catalogue.arguments)),
                (catalogue.argument, max(1, len(catalogue.values))),
                (catalogue.value, max(1, n_values)),
            )
        )
        encoded = self._encode(catalogue.features, catalogue.skill)
        outputs = self.run(
            'catalogue', encoded=encoded, skill=skill, argument=argument, value=value
        )
        events = len(EVENTS)
        membership = np.zeros((events + len(skill), events + skill.shape[1]), np.float32)
        membership[:events, :events] = np.eye(events)
        membership[events:, events:] = skill
        word_vectors = self._word_vectors[catalogue.features.word_row]
        word_vectors = np.concatenate(
            [np.zeros_like(word_vectors[:1]).repeat(events, 0), word_vectors]
        )
        stems = np.concatenate([np.full(events, -2), catalogue.features.stem])
        types = [argument.type for card in skills for argument in card.arguments]
        return EncodedCatalogue(
            catalogue,
            types,
            **outputs,
            membership=membership,
            word_vectors=word_vectors,
            stems=stems,
        )

    def encode_instruction(
        self, tokenized: TokenizedInstruction, catalogue: EncodedCatalogue
    ) -> EncodedInstruction:
        """Return an instruction, encoded with its catalogue."""
        features = tokenized.features
        encoded = self._encode(features, np.zeros(len(features), np.int64))
        similarity = self._word_vectors[features.word_row] @ catalogue.word_vectors.T
        exact_match = (features.stem[:, None] == catalogue.stems).astype(np.float32)
        self._match_misspellings(tokenized, catalogue, exact_match)
        outputs = self.run(
            'fusion',
            encoded=encoded,
            position=features.position,
            tokens=catalogue.tokens,
            similarity=similarity,
            exact_match=exact_match,
        )
        return EncodedInstruction(**outputs, similarity=similarity, exact_match=exact_match)

    def _match_misspellings(
        self, tokenized: TokenizedInstruction, catalogue: EncodedCatalogue, exact_match: np.ndarray
    ) -> None:
        """Count near-identical spellings as exact matches: typing errors, -ise for -ize."""
        catalogue_texts = catalogue.tokenized.texts
        for i, token in enumerate(tokenized.tokens):
            min_length, min_similarity = (
                _SPELLING_MATCH if tokenized.features.word_row[i] else _UNKNOWN_WORD_MATCH
            )
            if token.kind != 'word' or len(token.text) < min_length or exact_match[i].any():
                continue
            for j, text in enumerate(catalogue_texts, len(EVENTS)):
                if (
                    len(text) >= min_length
                    and text.isascii()
                    and _spelling_similarity(token.text, text) >= min_similarity
                ):
                    exact_match[i, j] = 1

    def _encode(self, features: Features, sequence: np.ndarray) -> np.ndarray:
        return self.run(
            'encoder',
            token_bucket=features.token_bucket,
            ngrams=features.ngrams,
            token_vector=self._word_vectors[features.token_row],
            word_vector=self._word_vectors[features.word_row],
            word_position=features.word_position,
            segment=features.segment,
            position=features.position,
            sequence=sequence,
        )['encoded']


@lru_cache(10_000)
def _spelling_similarity(a: str, b: str) -> float:
    """Return the similarity of two stems' spelling, 0 to 1."""
    a, b = (re.sub('(?:e?s|e?d|ing|e)$', '', word) for word in (a, b))
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def _one_hot(index: np.ndarray, count: int) -> np.ndarray:
    encoding: np.ndarray = (index[:, None] == np.arange(count)).astype(np.float32)
    return encoding
