"""Vision-language models of the Moondream 2 architecture, on ONNX Runtime or TensorRT."""

from .errors import VlmError
from .model import VisionLanguageModel
from .results import Answer, Box, EncodedImage, Point
from .stream import Stream

__all__ = ['Answer', 'Box', 'EncodedImage', 'Point', 'Stream', 'VisionLanguageModel', 'VlmError']
