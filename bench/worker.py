"""Runs each measured system in its own process, with its own libraries, threads and memory.

The parent writes one JSON object a line, {"call": ..., "with": {...}}; the child answers each with
{"gave": ...}, {"missing": reason} or {"failed": traceback}.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from typing import Any

from .baselines import BASELINES


class Missing(Exception):
    """What a baseline needs is not installed here; the message says what."""


class WorkerFailed(Exception):
    """A baseline broke; the message has its traceback."""


class Worker:
    """Starts `BASELINES[name](**arguments)` in a child process and calls its methods there.

    Raises Missing where the baseline says that it cannot run here.
    """

    def __init__(self, name: str, threads: int, **arguments: Any) -> None:
        read, write = os.pipe()
        environment = dict(os.environ)
        environment |= {'OMP_NUM_THREADS': str(threads), 'MKL_NUM_THREADS': str(threads)}
        environment['OPENBLAS_NUM_THREADS'] = '1'  # numpy's, which no baseline computes with
        spec = json.dumps({'name': name, 'threads': threads} | arguments)
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'bench.worker', str(write), spec],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            pass_fds=(write,),
            env=environment,
        )
        os.close(write)
        self._replies = os.fdopen(read, 'r', encoding='utf-8')
        self._name = name
        try:
            self._reply()
        except Exception:
            self.close()
            raise

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method over there and return what it gave. Raises WorkerFailed."""
        line = json.dumps({'call': method, 'with': arguments})
        self._process.stdin.write(line.encode() + b'\n')
        self._process.stdin.flush()
        return self._reply()

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._replies.close()
        self._log.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reply(self) -> Any:
        line = self._replies.readline()
        reply = json.loads(line) if line else {'failed': self._last_words()}
        if 'missing' in reply:
            raise Missing(reply['missing'])
        if 'failed' in reply:
            raise WorkerFailed(f'{self._name}: {reply["failed"]}')
        return reply['gave']

    def _last_words(self) -> str:
        status = self._process.wait()
        self._log.seek(0)
        said = self._log.read().decode(errors='replace')[-2000:]
        return f'the process ended with {status}: {said}'


def serve(descriptor: int, spec: dict[str, Any]) -> None:
    """Be the child: make the baseline, then answer calls until the parent closes."""
    with os.fdopen(descriptor, 'w', encoding='utf-8', closefd=False) as stream:

        def answer(work) -> Any:
            try:
                reply = {'gave': work()}
            except Missing as reason:
                reply = {'missing': str(reason)}
            except Exception:
                reply = {'failed': traceback.format_exc()}
            # Only plain values travel; a baseline itself is told by its presence.
            stream.write(json.dumps(reply, default=lambda _: True) + '\n')
            stream.flush()
            return reply.get('gave')

        module, _, kind = BASELINES[spec.pop('name')].partition(':')

        baseline = answer(lambda: getattr(importlib.import_module(module), kind)(**spec))
        for line in sys.stdin if baseline is not None else ():
            call = json.loads(line)
            answer(lambda call=call: getattr(baseline, call['call'])(**call['with']))


if __name__ == '__main__':
    # The module that baselines import has its own Missing; this one is __main__.
    from bench.worker import serve as serve_imported

    serve_imported(int(sys.argv[1]), json.loads(sys.argv[2]))
