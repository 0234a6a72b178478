"""Operator profiles, from the profiler of ONNX Runtime."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from .exports import INT4, INT4_CACHE8, Exports
from .results import Results
from .worker import Worker

_POSITION = 800
_RUNS = 10
_DTYPES = {
    'float': np.float32,
    'float16': np.float16,
    'int8': np.int8,
    'int32': np.int32,
    'bool': np.bool_,
}


class Profile:
    """One graph of a folder with profiling on, fed as the engine feeds it."""

    def __init__(self, threads: int, folder: str, graph: str) -> None:
        import onnxruntime

        self._place = tempfile.TemporaryDirectory()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(self._place.name) / graph)
        options.log_severity_level = 3
        path = Path(folder) / f'{graph}.onnx'
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=['CPUExecutionProvider']
        )

    def shares(self) -> dict[str, float]:
        """Seconds that each kind of operator takes in one run, the first runs left out."""
        binding = self._bind()
        for _ in range(2 * _RUNS):
            self._session.run_with_iobinding(binding)
        return _operators(Path(self._session.end_profiling()))

    def _bind(self):
        from onnxruntime import OrtValue

        binding, cache = self._session.io_binding(), {}
        known = {
            'seqlens_k': np.full(1, _POSITION, np.int32),
            'total_sequence_length': np.array(_POSITION + 1, np.int32),
            'image': np.zeros((), np.bool_),
        }
        for edge in self._session.get_inputs():
            dtype = _DTYPES[edge.type[len('tensor(') : -1]]
            shape = [side if isinstance(side, int) else 1 for side in edge.shape]
            value = OrtValue.ortvalue_from_numpy(known.get(edge.name, np.ones(shape, dtype)))
            binding.bind_ortvalue_input(edge.name, value)
            if edge.name.startswith('past_'):
                cache[edge.name.replace('past', 'present')] = value
        for edge in self._session.get_outputs():
            if edge.name in cache:
                binding.bind_ortvalue_output(edge.name, cache[edge.name])
            else:
                binding.bind_output(edge.name, 'cpu')
        self._values = cache  # which the binding does not keep alive
        return binding


def measure(exports: Exports, threads: int) -> Results:
    """A decoder step at context 800 with each cache, and one crop."""
    found = Results()
    for name, kind, graph in (
        ('decoder step, context 800, fp32 cache', INT4, 'decoder'),
        ('decoder step, context 800, 8-bit cache', INT4_CACHE8, 'decoder'),
        ('head, one token', INT4, 'head'),
        ('vision, one crop, int8', INT4, 'vision'),
    ):
        with Worker('profile', threads, folder=exports.folder(kind), graph=graph) as worker:
            found.profiles[name] = worker.call('shares')
    return found


def _operators(file: Path) -> dict[str, float]:
    """Sum the later half of the runs by kind of operator; what an If holds counts, itself not."""
    events = json.loads(file.read_text())
    runs = [event for event in events if event['name'] == 'model_run']
    first = sorted(event['ts'] for event in runs)[len(runs) // 2]
    seconds: dict[str, float] = {}
    for event in events:
        kind = event.get('args', {}).get('op_name')
        if not event['name'].endswith('_kernel_time') or kind == 'If' or event['ts'] < first:
            continue
        seconds[kind] = seconds.get(kind, 0.0) + event['dur'] / 1e6
    count = len(runs) - len(runs) // 2
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    return {kind: total / count for kind, total in ordered}
