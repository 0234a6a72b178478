"""Instructions as planners may read them."""

from __future__ import annotations

import re
import unicodedata

from kimi_ros.agent.errors import EmptyInstructionError, InstructionTooLongError

MAX_INSTRUCTION = 2000
# JSON with a key, delimiters of chat templates, headings of prompts: nobody says them.
_CODE = re.compile(
    r'[\s{\[\]}",]*["“]\w+["”]\s*:.*[}\]]|<\s?\|[^|]*\|\s?>|\[/?INST\]|#{2,}\s*\w+\s*:?'
)


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


def without_code(text: str) -> str:
    """Return an instruction without JSON and prompt delimiters, which are no part of a task.

    A planner that reads words would take them for words. An instruction that is nothing else is
    returned as it is.
    """
    plain = ' '.join(_CODE.sub(' ', text).split())
    return plain if any(c.isalnum() for c in plain) else text
