"""More tokens for a tokenizer, so that new names are words to it and not strings of bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import Tokenizer


def with_names(tokenizer: Tokenizer, names: Iterable[str]) -> Tokenizer:
    """Return the tokenizer with a token for every word and every Chinese character of the names.

    Its other tokens keep their ids, and the new merges come after its own: what it read before, it
    mostly reads as before.
    """
    content = json.loads(tokenizer.to_str())
    model = content['model']
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(' ')) for m in model['merges']]
    known = set(merges)
    for word in _words(tokenizer, names):
        # A merge may serve the words after it, so each is looked at with the merges before it.
        pieces = _pieces(word, merges)
        while len(pieces) > 1:
            pair = pieces[0], pieces[1]
            if pair not in known:
                merges.append(pair)
                known.add(pair)
            model['vocab'].setdefault(''.join(pair), len(model['vocab']))
            pieces = [''.join(pair), *pieces[2:]]
    model['merges'] = [list(pair) for pair in merges]
    return Tokenizer.from_str(json.dumps(content))


def _words(tokenizer: Tokenizer, names: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        # As in a prompt, after a space, and as the first word of an answer.
        for text in (f' {name}', name):
            for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text):
                found[word] = None
    return list(found)


def _pieces(word: str, merges: list[tuple[str, str]]) -> list[str]:
    """Return what byte-pair encoding makes of a word: each merge in turn, wherever it fits."""
    rank = {pair: i for i, pair in enumerate(merges)}
    pieces = list(word)
    while len(pieces) > 1:
        pairs = list(zip(pieces, pieces[1:], strict=False))
        best = min(pairs, key=lambda pair: rank.get(pair, len(rank)))
        if best not in rank:
            break
        at, joined = 0, []
        while at < len(pieces):
            if tuple(pieces[at : at + 2]) == best:
                joined.append(''.join(best))
                at += 2
            else:
                joined.append(pieces[at])
                at += 1
        pieces = joined
    return pieces
