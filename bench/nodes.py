"""Nodes in processes of their own, and what they compute."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kimi_ros.process import NodeProcess, ros_arguments


@contextlib.contextmanager
def running(
    nodes: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str]
) -> Iterator[list[NodeProcess]]:
    """Start nodes, modules of `kimi_ros.nodes`, with their parameters; stop them at the end."""
    started: list[NodeProcess] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name, parameters in nodes.items():
                module, log = f'kimi_ros.nodes.{name}', Path(folder) / f'{name}.log'
                started.append(NodeProcess(module, ros_arguments(parameters), environment, log))
            yield started
        finally:
            for process in reversed(started):
                process.stop()


def cpu_seconds(pid: int) -> float:
    """Return the seconds that a process has computed, in all its threads."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf('SC_CLK_TCK')
