"""Stamps of messages in seconds and nanoseconds; duck-typed, no ROS needed."""

from __future__ import annotations

from typing import Any

NANO = 1_000_000_000


def nanoseconds(stamp: Any) -> int:
    """Return a builtin_interfaces/Time as nanoseconds."""
    return int(stamp.sec) * NANO + int(stamp.nanosec)


def seconds(nanoseconds: int) -> float:
    """Return a stamp in seconds; every reader of a plan gets the same float, and so its hash."""
    return nanoseconds / NANO  # rounded once; 1e9 would round the nanoseconds first
