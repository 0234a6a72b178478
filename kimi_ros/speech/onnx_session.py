"""Networks of speech in ONNX Runtime: small, on the CPU, with few threads."""

from __future__ import annotations

from pathlib import Path

import onnxruntime


def cpu_session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Load a network; warnings about it are not printed."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, ['CPUExecutionProvider'])
