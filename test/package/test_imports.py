"""Arrows point down only: the contracts stand in pyproject.toml."""

from pathlib import Path

import pytest

cli = pytest.importorskip('importlinter.cli', reason='import-linter is in the extra "dev"')


def test_no_import_points_up(capsys):
    config = Path(__file__).parents[2] / 'pyproject.toml'
    failed = cli.lint_imports(config_filename=str(config), no_cache=True)
    assert not failed, capsys.readouterr().out
