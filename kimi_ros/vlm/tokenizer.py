"""Words to token ids and back, and the cutting of a growing text into whole words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from .errors import InputError, ModelFolderError

# Ideographs and the punctuation written between them: each may be shown as soon as it is there.
_WHOLE_CHARACTERS = (
    (0x3000, 0x303F),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF01, 0xFF65),
    (0x20000, 0x323AF),
)
_UNFINISHED = '\ufffd'


class TextTokenizer:
    """A model folder's tokenizer.json."""

    def __init__(self, source: str) -> None:
        """`source` is the text of a tokenizer.json, which stays available as `self.source`."""
        self.source = source
        self._tokenizer = Tokenizer.from_str(source)
        # What a user types is text: '<|coord|>' in a question must not become the control id.
        self._tokenizer.encode_special_tokens = True

    @classmethod
    def from_file(cls, path: Path) -> TextTokenizer:
        """Read tokenizer.json; ModelFolderError names the file when it is none."""
        try:
            return cls(path.read_text(encoding='utf-8'))
        # tokenizers raises a bare Exception for a file it cannot parse.
        except Exception as error:
            raise ModelFolderError(f'{path} is not a readable tokenizer: {error}') from error

    @property
    def vocab_size(self) -> int:
        """Ids that the tokenizer knows; a model may have more rows than that."""
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a text; control tokens written in it are taken as plain characters."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f'the text is not valid Unicode: {error}') from error
        return tuple(self._tokenizer.encode(text).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids without control tokens; broken bytes become U+FFFD."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=True)


class TextStream:
    """Cuts the text of a growing list of ids into pieces that never have to be taken back.

    A piece ends after a space, a line break, or a whole Chinese character. The pieces, joined, are
    the text of all ids.
    """

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer
        self._pending: list[int] = []
        self._shown = 0

    def push(self, ids: Iterable[int]) -> str:
        """Take further ids; return what can be shown now, possibly nothing."""
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
        """Return the rest."""
        piece = self._tokenizer.decode(self._pending)[self._shown :]
        self._pending, self._shown = [], 0
        return piece


def _may_end_with(character: str) -> bool:
    if character in ' \n':
        return True
    code = ord(character)
    return character != _UNFINISHED and any(low <= code <= high for low, high in _WHOLE_CHARACTERS)
