"""Results, scene by scene, in a file from which an interrupted evaluation resumes.

The first line says what is evaluated; every other one holds a scene's number and its outcomes. A
line cut short by a kill is the last one: it is dropped, and its scene asked again.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from kimi_ros.eval.errors import JournalError
from kimi_ros.eval.outcome import Outcome


class Journal:
    """The outcomes by the scene's number; on disk where there is a path.

    Use it as a context manager. Raises JournalError where the file is of another evaluation, is
    damaged, is being written by another process, or cannot be written.
    """

    def __init__(self, path: Path | None, about: Mapping[str, object]):
        """Open the file, or begin it.

        :param about: what is evaluated, plain data; a file that was begun with other words is
            refused.
        """
        self.done: dict[int, tuple[Outcome, ...]] = {}
        self._path, self._stream = path, None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open('a+b')
            # The kernel lets go of it when its holder dies.
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read(about)
        except BlockingIOError:
            self._stream.close()
            raise JournalError(f'{path} is being written by another evaluation') from None
        except OSError as error:
            raise self._unwritable(error) from error
        except JournalError:
            self._stream.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def add(self, number: int, outcomes: Sequence[Outcome]) -> None:
        """Record the outcomes of a scene."""
        self._write({'scene': number, 'outcomes': [o.to_dict() for o in outcomes]})
        self.done[number] = tuple(outcomes)

    def _read(self, about: Mapping[str, object]) -> None:
        self._stream.seek(0)
        *lines, torn = self._stream.read().split(b'\n')
        if torn:
            self._stream.truncate(sum(len(line) + 1 for line in lines))
        if not lines:
            self._write(about)
            return
        self._check_same(self._parsed(lines[0], 1), about)
        for number, line in enumerate(lines[1:], 2):
            data = self._parsed(line, number)
            try:
                outcomes = tuple(Outcome.from_dict(o) for o in data['outcomes'])
                self.done[int(data['scene'])] = outcomes
            except (KeyError, TypeError, ValueError):
                raise self._damaged(number) from None

    def _check_same(self, found: dict, about: Mapping[str, object]) -> None:
        differ = [
            f'{key} {found.get(key)!r} instead of {value!r}'
            for key, value in about.items()
            if found.get(key) != value
        ]
        if differ:
            raise JournalError(
                f'{self._path} holds the results of another evaluation: {", ".join(differ)}. '
                'Give another --out, or delete that file'
            )

    def _parsed(self, line: bytes, number: int) -> dict:
        try:
            data = json.loads(line)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise self._damaged(number)
        return data

    def _write(self, data: Mapping) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(json.dumps(data, ensure_ascii=False).encode() + b'\n')
            self._stream.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def _damaged(self, number: int) -> JournalError:
        return JournalError(
            f'{self._path}:{number}: damaged. Delete that line and its scene is asked again, or '
            'the file to begin anew'
        )

    def _unwritable(self, error: OSError) -> JournalError:
        return JournalError(f'{self._path} cannot be written: {error.strerror}')
