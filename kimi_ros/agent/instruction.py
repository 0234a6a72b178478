"""Instructions as planners may read them."""

from __future__ import annotations

import unicodedata

from kimi_ros.agent.errors import EmptyInstructionError, InstructionTooLongError

MAX_INSTRUCTION = 2000


def validate_instruction(instruction: str) -> str:
    """Return the instruction as one line, without the special tokens of tokenizers.

    Delimiters, JSON and the like stay text: the grammar, not the instruction, decides what can be
    written. Raises EmptyInstructionError, InstructionTooLongError.
    """
    if len(instruction) > MAX_INSTRUCTION:
        raise InstructionTooLongError(
            f'the instruction has {len(instruction)} characters, more than {MAX_INSTRUCTION}: '
            'shorten it'
        )
    text = ''.join(' ' if unicodedata.category(c)[0] in 'CZ' else c for c in instruction)
    # Special tokens are spelt <|name|>; with a space inside they are ordinary characters.
    text = ' '.join(text.replace('<|', '< |').replace('|>', '| >').split())
    if not any(c.isalnum() for c in text):
        raise EmptyInstructionError(
            'the instruction has no words: say what to find, pick, place or describe'
        )
    return text
