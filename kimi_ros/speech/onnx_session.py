"""Networks of speech in ONNX Runtime: small, on the CPU, with one thread."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from kimi_ros.speech.errors import SpeechModelError


def cpu_session(path: Path) -> onnxruntime.InferenceSession:
    """Load a network; warnings about it are not printed.

    :raises SpeechModelError: if the file cannot be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, ['CPUExecutionProvider'])
    except Exception as error:  # its own classes, which share no other base
        raise SpeechModelError(
            f'{path} cannot be loaded ({error}): copy it again, it may be cut short or a pointer '
            'to a large file'
        ) from error
