"""The tokenizer of a checkpoint: found, compared with the prompt templates, pinned.

The repositories of the releases since 2025-06-21 still contain the GPT-2 tokenizer.json of earlier
ones, while their code loads moondream/starmie-v1. With the wrong one every answer is garbage.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from kimi_ros.vlm.config import ModelConfig

from .errors import CheckpointError, HubError
from .hub import PREFIX, fetch, is_hub_name

FILE = 'tokenizer.json'
STARMIE = 'moondream/starmie-v1@35192e10a54e36eabe0a7cc57a2c1aab371cafc5'
STARMIE_WORDS = {15381: 'query', 32708: 'caption'}
GPT2_WORDS = {24361: 'Question', 33706: 'Answer'}
"""Ids in the published templates, and the words that they must be."""


def read_tokenizer(path: Path) -> Tokenizer:
    """Read a tokenizer.json. Raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f'{path} is missing; pass a tokenizer.json with --tokenizer')
    try:
        return Tokenizer.from_file(str(path))
    # tokenizers raises a bare Exception for a file that it cannot parse.
    except Exception as error:
        raise CheckpointError(f'{path} is not a tokenizer: {error}') from error


def is_starmie(path: Path) -> bool | None:
    """Whether this is starmie-v1 (True) or GPT-2's tokenizer (False); None for another or none."""
    if not path.is_file():
        return None
    tokenizer = read_tokenizer(path)
    for words, answer in ((STARMIE_WORDS, True), (GPT2_WORDS, False)):
        if not _wrong_words(tokenizer, words):
            return answer
    return None


def find_tokenizer(
    folder: Path, given: str | Path | None, config: ModelConfig, use_network: bool
) -> Path:
    """The tokenizer.json that matches the config: the given one, the folder's, or starmie-v1.

    :param given: a file, or hub:owner/name@revision.
    :param use_network: whether starmie-v1 may be downloaded; the hub's cache is always searched.

    Raises CheckpointError, naming the ids that do not match, and HubError.
    """
    if given is not None:
        path = fetch(str(given)) / FILE if is_hub_name(given) else Path(given).expanduser()
        problem = _problem(path, config)
        if problem:
            raise CheckpointError(problem)
        return path
    path = folder / FILE
    problem = _problem(path, config) if path.is_file() else f'{path} is missing'
    if not problem:
        return path
    if not _published(config, STARMIE_WORDS):
        raise CheckpointError(f'{problem}; pass a tokenizer.json with --tokenizer')
    try:
        path = fetch(PREFIX + STARMIE, use_network) / FILE
    except HubError as error:
        raise CheckpointError(
            f'{problem}. This checkpoint needs the tokenizer moondream/starmie-v1: pass '
            f'--tokenizer {PREFIX}{STARMIE} to download it (4 MB), or the file ({error})'
        ) from error
    problem = _problem(path, config)
    if problem:
        raise CheckpointError(problem)
    return path


def _problem(path: Path, config: ModelConfig) -> str:
    """Why this tokenizer cannot be the config's, '' if it can."""
    tokenizer = read_tokenizer(path)
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)
    if largest >= config.text.vocab_size:
        return (
            f'{path} has token ids up to {largest}, text.vocab_size is {config.text.vocab_size}: '
            'the tokenizer does not match the config'
        )
    for words in (STARMIE_WORDS, GPT2_WORDS):
        wrong = _wrong_words(tokenizer, _published(config, words))
        if wrong:
            return f"{path} does not match the config's prompt templates: {wrong}"
    return ''


def _published(config: ModelConfig, words: dict[int, str]) -> dict[int, str]:
    """Those of the words that occur in the published templates of query and caption."""
    templates = config.tokenizer.templates
    used = {
        (1, 15381, 2): 15381,
        (198, 198, 24361, 25): 24361,
        (198, 198, 33706, 25): 33706,
    }
    query = templates.query
    found = {used.get(part) for part in (query.prefix, query.suffix)} if query else set()
    if any(ids[:3] == (1, 32708, 2) for ids in (templates.caption or {}).values()):
        found.add(32708)
    return {token: word for token, word in words.items() if token in found}


def _wrong_words(tokenizer: Tokenizer, words: dict[int, str]) -> str:
    """The ids that are other words, readable; '' if all are right."""
    wrong = []
    for token, word in words.items():
        found = tokenizer.decode([token], skip_special_tokens=False).strip()
        if found != word:
            wrong.append(f'id {token} is {found!r}, not {word!r}')
    return ', '.join(wrong)
