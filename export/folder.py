"""Atomic output: a model folder is written to a temporary folder, then moved into place."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import FolderError


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces `out` if the block succeeds and is deleted otherwise.

    An existing model folder at `out` is kept until then. Raises FolderError if something else is
    there, or if writing fails.
    """
    out = out.expanduser().absolute()
    check_replaceable(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f'.{out.name}.', suffix='.part', dir=out.parent))
    except OSError as error:
        raise FolderError(f'{out.parent} cannot be written: {error}') from error
    try:
        yield temporary
        _apply_umask(temporary)
        _move(temporary, out)
    except OSError as error:
        raise FolderError(f'{out} cannot be written: {error}') from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_replaceable(out: Path) -> None:
    """Raise FolderError unless nothing, an empty folder or a model folder is at `out`."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise FolderError(f'{out} exists and is not a folder')
    if out.is_dir() and any(out.iterdir()) and not _is_model_folder(out):
        raise FolderError(
            f'{out} is neither empty nor a model folder and is not replaced; use another path'
        )


def _is_model_folder(path: Path) -> bool:
    try:
        data = json.loads((path / 'model.json').read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and 'format' in data and 'files' in data


def _move(temporary: Path, out: Path) -> None:
    if not out.exists():
        temporary.rename(out)
        return
    former = temporary.with_suffix('.former')
    out.rename(former)
    try:
        temporary.rename(out)
    except BaseException:
        former.rename(out)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _apply_umask(folder: Path) -> None:
    """Apply the umask's permissions, since temporary files are private."""
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    for file in folder.iterdir():
        file.chmod(0o666 & ~mask)
