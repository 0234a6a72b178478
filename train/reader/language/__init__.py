"""Generated instructions to robots, English and Chinese, each with what it says."""

from kimi_train.reader.language.example import Argument, Example, SkillCard
from kimi_train.reader.language.generate import generate

__all__ = ['Argument', 'Example', 'SkillCard', 'generate']
