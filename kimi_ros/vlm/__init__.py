"""Image and words in, words, points and boxes out: the Moondream 2 architecture on a runtime."""

from .errors import VlmError
from .model import VisionLanguageModel
from .results import Answer, Box, EncodedImage, Point
from .turns import Stream

__all__ = ['Answer', 'Box', 'EncodedImage', 'Point', 'Stream', 'VisionLanguageModel', 'VlmError']
