"""What makes a run this run: it is resumed only with the same weights, data and settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from kimi_export.checkpoint import Checkpoint
from kimi_train.tune.settings import FORMER_NAMES, Settings, TuneError

_WORDS = {
    'weights': 'other weights of the checkpoint',
    'pictures': 'other pictures',
    'data': 'other data',
    'validation_data': 'other validation data',
}


def run_identity(
    checkpoint: Checkpoint,
    files: Sequence[Path],
    validation: Sequence[Path],
    images: Iterable[Path],
    settings: Settings,
) -> dict[str, str]:
    """Return hashes of the checkpoint's weights, of the data files and of the images; settings."""
    sizes = [f'{file.name} ({file.stat().st_size} bytes)' for file in checkpoint.files]
    return {
        'checkpoint': ', '.join(sizes),
        'weights': _hash(checkpoint.files),
        'data': _hash(files),
        'validation_data': _hash(validation),
        'pictures': _hash(sorted(set(images))),
        **{name: json.dumps(value) for name, value in asdict(settings).items()},
    }


def check_identity(before: Mapping[str, str], now: Mapping[str, str], out: Path) -> None:
    """Raise TuneError unless a stored run may be resumed: only its epochs may have grown."""
    for name, value in now.items():
        stored = before.get(name, before.get(FORMER_NAMES.get(name, '')))
        # Runs of earlier versions do not hold everything.
        if stored is None or stored == value:
            continue
        if name == 'epochs' and int(stored) < int(value):
            continue
        found = f'with {_WORDS[name]}' if name in _WORDS else f'with {name} {stored}, not {value}'
        raise TuneError(
            f'{out} holds a run {found}: give another folder, or resume with what it started with'
        )


def _hash(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open('rb') as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]
