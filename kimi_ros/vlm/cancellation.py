"""Cooperative cancellation: every long call takes an event and checks it between steps."""

from __future__ import annotations

import threading

from .errors import Cancelled


def raise_if_cancelled(cancel: threading.Event | None) -> None:
    """Raise Cancelled if the event is set."""
    if cancel is not None and cancel.is_set():
        raise Cancelled('the call was cancelled')
