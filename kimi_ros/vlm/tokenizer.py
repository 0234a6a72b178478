"""Text to token ids and back, and streaming detokenization in whole words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from .errors import InputError, ModelFolderError

# CJK ideographs and punctuation: each character may be emitted by itself.
_CJK_RANGES = (
    (0x3000, 0x303F),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF01, 0xFF65),
    (0x20000, 0x323AF),
)
_REPLACEMENT_CHARACTER = '\ufffd'


class TextTokenizer:
    """A model folder's tokenizer.json."""

    def __init__(self, source: str) -> None:
        """`source` is the text of a tokenizer.json; it remains available as `self.source`."""
        self.source = source
        self._tokenizer = Tokenizer.from_str(source)
        # User input is plain text: '<|coord|>' in a question must not become the special id.
        self._tokenizer.encode_special_tokens = True

    @classmethod
    def from_file(cls, path: Path) -> TextTokenizer:
        """Read a tokenizer.json. Raises ModelFolderError, naming the file."""
        try:
            return cls(path.read_text(encoding='utf-8'))
        # tokenizers raises a bare Exception for a file that it cannot parse.
        except Exception as error:
            raise ModelFolderError(f'{path} is not a readable tokenizer: {error}') from error

    @property
    def vocab_size(self) -> int:
        """Number of ids of the tokenizer; the model may have more embedding rows."""
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a text; special tokens written in it are encoded as plain text."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f'the text is not valid Unicode: {error}') from error
        return tuple(self._tokenizer.encode(text).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids without special tokens; invalid UTF-8 becomes U+FFFD."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=True)


class TextStream:
    """Streaming detokenizer: text pieces that never change later.

    A piece ends after a space, a line break or a complete Chinese character. Joined, the pieces are
    the text of all ids.
    """

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer
        self._pending: list[int] = []
        self._shown = 0

    def push(self, ids: Iterable[int]) -> str:
        """Add ids; return the text that is final now, possibly ''."""
        self._pending.extend(ids)
        text = self._tokenizer.decode(self._pending)
        end = len(text)
        while end > self._shown and not _may_end_with(text[end - 1]):
            end -= 1
        piece = text[self._shown : end]
        if end == len(text):
            self._pending, self._shown = [], 0
        else:
            self._shown = max(end, self._shown)
        return piece

    def flush(self) -> str:
        """Return the remaining text."""
        piece = self._tokenizer.decode(self._pending)[self._shown :]
        self._pending, self._shown = [], 0
        return piece


def _may_end_with(character: str) -> bool:
    if character in ' \n':
        return True
    code = ord(character)
    return character != _REPLACEMENT_CHARACTER and any(
        low <= code <= high for low, high in _CJK_RANGES
    )
