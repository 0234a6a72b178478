"""Experiment trackers: they write below the run's folder, and a resumed run continues there."""

from __future__ import annotations

import importlib.util
import os
import uuid
from pathlib import Path
from typing import Any

from kimi_train.tune.settings import TuneError

TRACKERS = ('tensorboard', 'wandb', 'mlflow')


def check_tracker(name: str | None) -> None:
    """Raise TuneError for a tracker that is not installed."""
    if name and importlib.util.find_spec(name) is None:
        raise TuneError(f'{name} is not installed: pip install {name}, or choose another')


def tracker_options(name: str, out: Path, step: int) -> dict[str, dict[str, Any]]:
    """Return what `Accelerator.init_trackers` takes as `init_kwargs`; environment variables win.

    :param out: the run's folder.
    :param step: the step that the run resumes from: what was tracked of later ones is void.
    """
    folder = out / 'tracker'
    folder.mkdir(parents=True, exist_ok=True)
    if name == 'tensorboard':
        return {name: {'purge_step': step + 1}}
    if name == 'wandb':
        file = folder / 'wandb_run_id'
        if not file.exists():
            file.write_text(uuid.uuid4().hex)
        directory = os.environ.get('WANDB_DIR', str(folder))
        return {name: {'dir': directory, 'id': file.read_text(), 'resume': 'allow'}}
    os.environ.setdefault('MLFLOW_TRACKING_URI', (folder / 'mlruns').resolve().as_uri())
    return {}
