"""nano's tokenizer: byte-level BPE over the table's sentences, one token for each Chinese
character.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = (
    '<|endoftext|>',
    '<|md_reserved_0|>',
    '<|md_reserved_1|>',
    '<|answer|>',
    '<|thinking|>',
    '<|coord|>',
    '<|size|>',
    '<|start_ground_points|>',
    '<|md_reserved_8|>',
    '<|end_ground|>',
)


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Return a tokenizer with the ids 0-9 of `SPECIAL` and at most `vocab_size` tokens in all.

    Han characters are set apart before merging, so that a word never heard in training falls into
    characters that were, whatever stands around it.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex('[\u4e00-\u9fff]'), 'isolated'),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def templates(tokenizer: Tokenizer) -> dict:
    """Return the prompts' templates in the config's form: a marker, the task's word, a marker; then
    the answer.
    """

    def word(text: str) -> list[int]:
        return [1, *tokenizer.encode(text).ids, 2]

    return {
        'caption': {
            length: [*word(f'caption {length}'), 3] for length in ('short', 'normal', 'long')
        },
        'query': {'prefix': word('query'), 'suffix': [3]},
        'detect': {'prefix': word('detect'), 'suffix': [3]},
        'point': {'prefix': word('point'), 'suffix': [3]},
    }
