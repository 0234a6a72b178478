"""Fixtures that several rooms share: the golden checkpoint, and the folder exported from it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / 'golden' / 'moondream_small'


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """See `_without_excuse`."""
    return _without_excuse((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    """See `_without_excuse`."""
    return _without_excuse((yield))


def _without_excuse(report):
    """Fail what `make setup` would let run, where that was done: in CI nothing is left out."""
    if report.skipped and os.environ.get('CI') == 'true' and 'make setup' in str(report.longrepr):
        report.outcome = 'failed'
        report.longrepr = f'skipped, although CI is set: {report.longrepr[2]}'
    return report


@pytest.fixture(scope='session')
def golden_checkpoint():
    """Folder of the golden checkpoint; a run without it must not pass."""
    if not (GOLDEN / 'model.safetensors').is_file():
        pytest.fail(f'{GOLDEN} is missing: restore it with git checkout -- test/golden')
    return GOLDEN


@pytest.fixture(scope='session')
def golden_cases(golden_checkpoint):
    """What the reference said: the cases, and the arrays by their keys."""
    cases = json.loads((golden_checkpoint / 'cases.json').read_text(encoding='utf-8'))
    with np.load(golden_checkpoint / 'expected.npz') as arrays:
        return cases, dict(arrays)


@pytest.fixture(scope='session')
def golden_folder(golden_checkpoint, tmp_path_factory):
    """Model folder that kimi-export writes from the golden checkpoint, made once a run."""
    out = tmp_path_factory.mktemp('export') / 'golden'
    command = [sys.executable, '-m', 'kimi_export', str(golden_checkpoint), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f'kimi_export failed:\n{done.stdout}\n{done.stderr}')
    return out
