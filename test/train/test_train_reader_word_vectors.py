"""The table of words: which ones, and that words of one sense are near each other."""

import numpy as np
import pytest

from kimi_train.reader import word_vector_table
from kimi_train.reader.word_vector_table import chinese_words, english_words, make_word_vectors
from kimi_train.reader.wordnet import WordNet, english_vectors

# Offset, file of the lexicographers, words, pointers, gloss.
_VERBS = (
    ('00000001', '35', ['touch'], [], 'make physical contact with'),
    ('00000002', '35', ['grab', 'seize'], [('@', '00000001')], 'take hold of so as to stop'),
    ('00000003', '35', ['grasp'], [('@', '00000001')], 'hold firmly'),
    ('00000004', '38', ['walk'], [], 'use ones feet to advance'),
    ('00000005', '38', ['stroll'], [('@', '00000004')], 'walk leisurely'),
)


@pytest.fixture
def wordnet(tmp_path):
    data, index = ['  1 licence'], ['  1 licence']
    for offset, file, words, pointers, gloss in _VERBS:
        named = ' '.join(f'{word} 0' for word in words)
        points = ''.join(f' {symbol} {to} v 0000' for symbol, to in pointers)
        data.append(
            f'{offset} {file} v {len(words):02x} {named} {len(pointers):03d}{points} 00 | {gloss}'
        )
        for word in words:
            symbols = ' '.join({symbol for symbol, _ in pointers})
            count = len(symbols.split())
            index.append(f'{word} v 1 {count} {symbols} 1 1 {offset}'.replace('  ', ' '))
    for part in ('noun', 'adj', 'adv'):
        (tmp_path / f'data.{part}').write_text('  1 licence\n')
        (tmp_path / f'index.{part}').write_text('  1 licence\n')
    (tmp_path / 'data.verb').write_text('\n'.join(data) + '\n')
    (tmp_path / 'index.verb').write_text('\n'.join(index) + '\n')
    return tmp_path


@pytest.fixture
def dictionary(tmp_path):
    path = tmp_path / 'dict.txt'
    path.write_text('拿 900 v\n锤子 90 n\n张三 5000 nr\n的 8000 uj\n机器人工程 3 n\nB超 3 n\n')
    return path


def test_synonyms_have_similar_vectors(wordnet):
    net = WordNet(wordnet)
    words = ['grab', 'seize', 'grasp', 'walk', 'stroll']
    near = english_vectors(net, words, 3)
    alike = near @ near.T
    assert np.allclose(np.linalg.norm(near, axis=1), 1, atol=1e-5)
    assert alike[0, 1] > 0.99  # one synset
    assert alike[0, 2] > alike[0, 4] and alike[3, 4] > alike[3, 2]


def test_vocabulary_has_single_words_and_no_names(wordnet, dictionary):
    assert set(english_words(WordNet(wordnet), 10)) == {
        'touch', 'grab', 'seize', 'grasp', 'walk', 'stroll',
    }  # fmt: skip
    assert chinese_words(dictionary, 10) == ['的', '拿', '锤子']
    assert chinese_words(dictionary, 1) == ['的']


def test_word_vectors_of_both_languages(wordnet, dictionary, tmp_path, monkeypatch):
    monkeypatch.setattr(word_vector_table, 'SIZE', 2)
    rng = np.random.default_rng(0)
    monkeypatch.setattr(word_vector_table, '_embed', lambda words: rng.normal(size=(len(words), 5)))
    table = make_word_vectors(wordnet, dictionary)
    assert table.vectors.shape == (1 + 6 + 3, 2) and not table.vectors[0].any()
    directions = table.normalized()
    english, chinese = directions[table.row('grab')], directions[table.row('拿')]
    assert english[:2].any() and not english[2:].any()
    assert chinese[2:].any() and not chinese[:2].any()
