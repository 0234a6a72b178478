"""The bundled nano model, exported from the shipped checkpoint to the user's cache on first use."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from kimi_ros import __version__
from kimi_ros.resources import ResourceNotFoundError, share

from .errors import ModelFolderError
from .folder import FORMAT, sha256_of

_LOG = logging.getLogger(__name__)
_Model = TypeVar('_Model')


def cache_folder() -> Path:
    """Cache for exported models: KIMI_CACHE, or kimi_ros in XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get('KIMI_CACHE')
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return Path(base).expanduser() / 'kimi_ros'


def load_nano(open_folder: Callable[[Path], _Model]) -> _Model:
    """Open the exported nano; export it first if necessary, and once more if it is damaged."""
    folder = export_once()
    try:
        return open_folder(folder)
    except ModelFolderError as error:
        _LOG.warning('%s; exporting nano again', error)
    with _lock(folder):
        # Another process may have repaired it in the meantime.
        try:
            return open_folder(folder)
        except ModelFolderError:
            shutil.rmtree(folder, ignore_errors=True)
    return open_folder(export_once())


def export_once() -> Path:
    """Export nano unless that was done, and return the folder; other processes wait meanwhile.

    The folder's name is derived from the checkpoint and the version of this package, so a new
    checkpoint or exporter never uses an old export. Raises ModelFolderError.
    """
    checkpoint = nano_checkpoint()
    folder = exported_folder(checkpoint)
    if not (folder / 'model.json').is_file():
        with _lock(folder):
            if not (folder / 'model.json').is_file():
                _export(checkpoint, folder)
    return folder


def exported_folder(checkpoint: Path) -> Path:
    """Path of this checkpoint's export, whether it exists or not."""
    return cache_folder() / f'nano-{_key(checkpoint)}'


def _key(checkpoint: Path) -> str:
    digest = hashlib.sha256(f'{__version__} {FORMAT}'.encode())
    files = sorted(file for file in checkpoint.iterdir() if file.is_file())
    for file in files:
        digest.update(f'{file.name} {sha256_of(file)}\n'.encode())
    return digest.hexdigest()[:16]


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    # The kernel releases a flock when its holder dies, so there are no stale locks.
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        stream = Path(f'{folder}.lock').open('w')
    except OSError as error:
        raise ModelFolderError(
            f'{folder.parent} is not writable: {error}; set KIMI_CACHE to a folder that is'
        ) from error
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _export(checkpoint: Path, folder: Path) -> None:
    """Run the exporter in its own process: the runtime does not depend on it."""
    _LOG.info('exporting nano to %s, once', folder)
    command = [sys.executable, '-m', 'kimi_export', str(checkpoint), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = '\n'.join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise ModelFolderError(f'nano could not be exported to {folder}: {last}')


def nano_checkpoint() -> Path:
    """Folder of the shipped checkpoint; ModelFolderError if the installation lacks it."""
    try:
        return share('models/nano')
    except ResourceNotFoundError as error:
        raise ModelFolderError(str(error)) from error
