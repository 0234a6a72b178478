"""Reads instructions, English and Chinese, under any catalogue of skills, without an image."""

from .reader import Reader, ReaderError
from .reading import Condition, Question, Reading, Span, Step, Thing, Value
from .skill_card import Argument, SkillCard

__all__ = [
    'Argument', 'Condition', 'Question', 'Reader', 'ReaderError', 'Reading', 'SkillCard', 'Span',
    'Step', 'Thing', 'Value',
]  # fmt: skip
