"""Arrows point down only: the contracts stand in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('importlinter', reason='import-linter is in the extra "dev"')

ROOT = Path(__file__).parents[2]


def test_no_import_points_up():
    # In a process of its own, because it switches off every logger that there is.
    program = (
        'import sys; from importlinter.cli import lint_imports; '
        'sys.exit(lint_imports(no_cache=True))'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
