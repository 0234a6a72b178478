"""Description of the machine of a run."""

from __future__ import annotations

import os
import platform
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_REPORTED_FLAGS = (
    'avx2',
    'avx_vnni',
    'avx512f',
    'avx512_vnni',
    'avx512_bf16',
    'amx_int8',
    'asimddp',
    'i8mm',
)
_PACKAGES = ('onnxruntime', 'numpy', 'torch', 'llama_cpp_python')


def describe(threads: int, repeats: int) -> dict[str, Any]:
    """Properties of the machine, as plain values."""
    cpu = _cpu()
    flags = set((cpu.get('flags') or cpu.get('Features', '')).split())
    return {
        'processor': cpu.get('model name', platform.machine()),
        'instructions': ' '.join(flag for flag in _REPORTED_FLAGS if flag in flags),
        'cores': os.cpu_count(),
        'memory_GB': round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9, 1),
        'system': platform.platform(terse=True),
        'python': platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        'threads': threads,
        'repeats': repeats,
    }


def now() -> dict[str, Any]:
    """The time and the load average of the last minute."""
    return {
        'started': datetime.now().isoformat(' ', 'minutes'),
        'load_before': round(os.getloadavg()[0], 2),
    }


def _cpu() -> dict[str, str]:
    """The first processor of /proc/cpuinfo."""
    file = Path('/proc/cpuinfo')
    lines = file.read_text().partition('\n\n')[0].splitlines() if file.exists() else []
    return {key.strip(): value.strip() for key, _, value in (line.partition(':') for line in lines)}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return 'not installed'
