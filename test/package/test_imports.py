"""Import layers; the contracts are in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('importlinter', reason='import-linter is in the extra "dev"')

ROOT = Path(__file__).parents[2]


def test_import_contracts():
    # In a separate process, because lint_imports disables all loggers.
    program = (
        'import sys; from importlinter.cli import lint_imports; '
        'sys.exit(lint_imports(no_cache=True))'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
