"""Starting and stopping nodes as processes, with Fast DDS configured for large images."""

from __future__ import annotations

import ctypes
import json
import os
import queue
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from kimi_ros.resources import share

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_STOP_TIMEOUT = 6.0  # seconds after each signal
# The current name, and that of Humble and Jazzy.
_PROFILES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
_PARTICIPANTS = 20  # per domain whose ports are probed: the first ones may have left
_DOMAINS = 100  # Linux has free ports for domains 0 to 101


class SignalSafeEvent:
    """A `threading.Event` that signal handlers may set.

    An Event's lock is not reentrant: a handler that runs while the main thread is about to wait, or
    is itself interrupted by a second signal, would wait for itself for ever.
    """

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[None] = queue.SimpleQueue()  # its put() is reentrant

    def set(self) -> None:
        """Set it; it stays set."""
        self._told.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, at most for `timeout` seconds; return whether it is."""
        try:
            self._told.get(timeout=timeout)
        except queue.Empty:
            return False
        self._told.put(None)
        return True


class ProcessEndedError(Exception):
    """A process has ended unexpectedly; the message shows the last lines of its log."""


def large_images(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with Fast DDS configured for raw images, unless it already is.

    The defaults lose most raw images of 640x480 and more. The shared-memory segments of
    config/fastdds.xml lose none; FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA, unknown to Humble, loses
    half of them on a busy machine.
    """
    if any(environment.get(name) for name in (*_PROFILES, 'FASTDDS_BUILTIN_TRANSPORTS')):
        return dict(environment)
    older = environment.get('ROS_DISTRO') in ('humble', 'jazzy')
    return {**environment, _PROFILES[older]: str(share('config/fastdds.xml'))}


def isolated(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a ROS graph limited to this machine, in an unused domain."""
    changed = large_images(environment)
    if environment.get('ROS_DISTRO') == 'humble':
        changed['ROS_LOCALHOST_ONLY'] = '1'
    else:
        changed['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    changed['ROS_DOMAIN_ID'] = str(_free_domain())
    return changed


def _free_domain() -> int:
    """Return a domain without participants, by their ports (DDSI-RTPS 2.5, 9.6.2)."""
    domains = list(range(1, _DOMAINS + 1))
    random.SystemRandom().shuffle(domains)
    free = (d for d in domains if all(_free(7410 + 250 * d + 2 * p) for p in range(_PARTICIPANTS)))
    return next(free, domains[0])


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', port))
        except OSError:
            return False
    return True


class NodeProcess:
    """A node of this package in its own process."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path | None = None,
    ):
        """Start `python -m module arguments...`.

        :param log: file for its output; None leaves it on this process's terminal.
        """
        self.module = module
        self.log = log
        self._stream: IO[bytes] | None = log.open('wb') if log else None
        self._process = subprocess.Popen(
            [sys.executable, '-m', module, *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=self._stream,
            stderr=subprocess.STDOUT if log else None,
            # Ctrl-C goes to the parent, which stops its nodes in order.
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == 'linux' else None,
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def ended(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise ProcessEndedError unless the process runs."""
        status = self.ended()
        if status is not None:
            raise ProcessEndedError(
                f'{self.module} has ended with status {status}{self._log_tail()}'
            )

    def stop(self) -> None:
        """Stop the process group with SIGINT, then SIGTERM, then SIGKILL."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                break
            self._signal(number)
            try:
                self._process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                continue
        if self._stream:
            self._stream.close()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            pass

    def _log_tail(self) -> str:
        if self.log is None:
            return ''
        lines = self.log.read_text(errors='replace').strip().splitlines()[-8:]
        return f' ({self.log}):\n' + '\n'.join(lines) if lines else f' ({self.log} is empty)'


def _end_with_parent() -> None:
    """Ask the kernel to terminate this process when its parent is killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def ros_arguments(parameters: Mapping[str, object]) -> list[str]:
    """Return command-line arguments that set parameters: --ros-args -p name:=value ..."""
    arguments = ['--ros-args']
    for name, value in parameters.items():
        arguments += ['-p', f'{name}:={_yaml(value)}']
    return arguments


def _yaml(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f'[{", ".join(_yaml(v) for v in value)}]'
    if isinstance(value, float):
        # Without a decimal point YAML reads an integer, with some exponents a string.
        return f'{value:.9f}'
    if isinstance(value, str) and (not value or value.startswith('{')):
        return json.dumps(value)  # empty, or a string that holds JSON, not a mapping
    return str(value)
