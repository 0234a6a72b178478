"""Vectors of English words from WordNet: from shared senses, hypernyms and glosses."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import torch

PARTS = ('noun', 'verb', 'adj', 'adv')
_SYMBOL = {'n': 'noun', 'v': 'verb', 'a': 'adj', 's': 'adj', 'r': 'adv'}
# Weights of pointers: hypernym, similar, derived, verb group, entailment, holonym and so on.
_NEAR = {'@': 0.7, '@i': 0.7, '&': 0.7, '+': 0.5, '$': 0.9, '*': 0.4, '>': 0.4, '!': 0.3,
         '#p': 0.4, '%p': 0.3, '=': 0.4, '^': 0.3, '\\': 0.5, '<': 0.5}  # fmt: skip
_UPWARDS = 5  # levels of hypernyms
_SENSES = 4  # per word
_STOP = frozenset(
    'a an the of or in to and for with by as on that is from at be used which it one not having '
    'who being something someone especially usually made has are can into other than etc when '
    'where whose your you his her their its he she they this these those through about'.split()
)


class WordNet:
    """The database files of WordNet 3.0."""

    def __init__(self, folder: Path):
        self.near: dict[tuple, list[tuple[tuple, str]]] = {}
        self.gloss: dict[tuple, list[str]] = {}
        self.lexfile: dict[tuple, int] = {}
        self.senses: dict[str, list[tuple[tuple, float]]] = defaultdict(list)
        for part in PARTS:
            self._read_data(folder / f'data.{part}', part)
        for part in PARTS:
            self._read_index(folder / f'index.{part}', part)

    def _read_data(self, path: Path, part: str) -> None:
        for line in path.read_text(encoding='utf-8').splitlines():
            if line.startswith(' '):
                continue
            left, _, gloss = line.partition(' | ')
            fields = left.split()
            key = (part, fields[0])
            self.lexfile[key] = int(fields[1])
            n_words = int(fields[3], 16)
            at = 4 + 2 * n_words
            pointers = [fields[i : i + 3] for i in range(at + 1, at + 1 + 4 * int(fields[at]), 4)]
            self.near[key] = [((_SYMBOL[p], offset), symbol) for symbol, offset, p in pointers]
            words = [w.lower() for w in fields[4:at:2]]
            gloss_words = re.findall('[a-z]+', gloss.split('"')[0].lower())
            apart = [w for word in words for w in word.split('_')]
            self.gloss[key] = [_stem(w) for w in gloss_words if w not in _STOP and len(w) > 2] + [
                _stem(w) for w in apart
            ]

    def _read_index(self, path: Path, part: str) -> None:
        for line in path.read_text(encoding='utf-8').splitlines():
            if line.startswith(' '):
                continue
            fields = line.split()
            n_senses, n_pointers = int(fields[2]), int(fields[3])
            offsets, tagged = fields[6 + n_pointers :], int(fields[5 + n_pointers])
            for rank, offset in enumerate(offsets[:_SENSES]):
                weight = (1.0 if tagged else 0.5) / (1 + rank) ** 0.5
                self.senses[fields[0]].append(((part, offset), weight))
            assert len(offsets) == n_senses

    def features(self, word: str) -> Counter:
        """Return the weighted features of a word: synsets, lexicographer files, gloss stems."""
        out: Counter = Counter()
        for synset, weight in self.senses.get(word, ()):
            reached = {synset: 1.0}
            waiting = [(synset, 1.0, 0)]
            while waiting:
                at, share, up = waiting.pop()
                for other, symbol in self.near[at]:
                    near = share * _NEAR.get(symbol, 0)
                    climbs = symbol.startswith('@')
                    if near <= reached.get(other, 0) or (up and not climbs):
                        continue
                    reached[other] = near
                    if climbs and up < _UPWARDS:
                        waiting.append((other, near, up + 1))
            for other, share in reached.items():
                out[other] += weight * share
            out['file', self.lexfile[synset]] += weight * 0.6
            stems = self.gloss[synset]
            for stem in stems:
                out['gloss', stem] += weight * 1.5 / len(stems) ** 0.5
        return out


def english_vectors(wordnet: WordNet, words: list[str], size: int) -> np.ndarray:
    """Return (words, size) float32 of length 1: TF-IDF features, reduced by SVD."""
    rows = [wordnet.features(word) for word in words]
    count = Counter(name for row in rows for name in row)
    columns = {name: i for i, name in enumerate(n for n, c in count.items() if c > 1)}
    index, values = [], []
    for i, row in enumerate(rows):
        weighed = {
            columns[name]: value * math.log(len(rows) / count[name])
            for name, value in row.items()
            if name in columns
        }
        norm = math.sqrt(sum(v * v for v in weighed.values())) or 1.0
        index += [(i, column) for column in weighed]
        values += [value / norm for value in weighed.values()]
    shape = (len(rows), len(columns))
    matrix = torch.sparse_coo_tensor(torch.tensor(index).T, torch.tensor(values), shape).float()
    torch.manual_seed(0)
    left, scale, _ = torch.svd_lowrank(matrix.coalesce(), size + 16, niter=4)
    # The first components separate verbs from nouns and little else: whiten partly.
    vectors = (left * scale.sqrt())[:, :size].numpy()
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, 1e-8)


def _stem(word: str) -> str:
    return re.sub('(?:ing|ed|es|s|ly|e)$', '', word) if len(word) > 4 else word.removesuffix('s')
