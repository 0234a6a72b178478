"""The named errors of kimi_ros.eval."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 20


class EvalError(Exception):
    """An evaluation cannot run; the message says why, and what would help."""


class UnsupportedWorldError(EvalError):
    """A suite does not apply to the world that it was given."""


class JournalError(EvalError):
    """The file of results cannot be written, is damaged, or belongs to another evaluation."""


class DataError(EvalError):
    """A user's own data are wrong; every line of the message names file, line and fault."""

    def __init__(self, faults: Sequence[str]):
        self.faults = tuple(faults)
        rest = len(faults) - _SHOWN
        more = [f'and {rest} more'] if rest > 0 else []
        super().__init__('\n'.join([*faults[:_SHOWN], *more]))
