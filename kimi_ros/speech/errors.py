"""Errors of speech; every message says what to do."""

from __future__ import annotations

import importlib
from types import ModuleType

_PACKAGES = {'faster_whisper': 'faster-whisper', 'sherpa_onnx': 'sherpa-onnx'}


class SpeechError(Exception):
    """Speech cannot be recognised or spoken here."""


class SoundError(SpeechError):
    """Sound that cannot be read, or a device that cannot be opened."""


class SpeechModelError(SpeechError):
    """A model that is missing or incomplete."""


def require(module: str, purpose: str) -> ModuleType:
    """Import a library of the extra `speech`.

    :raises SpeechError: if it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:  # OSError: a shared library that it needs
        package = _PACKAGES.get(module, module)
        raise SpeechError(
            f"{package} {purpose} and cannot be imported ({error}): pip install 'kimi_ros[speech]'"
        ) from error
