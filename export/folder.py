"""Writing a model folder: beside its place, moved into it when complete."""

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
def written_beside(out: Path) -> Iterator[Path]:
    """Give an empty folder that becomes `out` when the block ends well, and vanishes otherwise.

    A model folder that was at `out` stays until then. Raises FolderError where something else is
    there, and where the disk does not take what is written.
    """
    out = out.expanduser().absolute()
    check_replaceable(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f'.{out.name}.', suffix='.part', dir=out.parent))
    except OSError as error:
        raise FolderError(f'{out.parent} cannot be written: {error}') from error
    try:
        yield beside
        _open_up(beside)
        _move(beside, out)
    except OSError as error:
        raise FolderError(f'{out} cannot be written: {error}') from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check_replaceable(out: Path) -> None:
    """Raise FolderError unless nothing, an empty folder or a model folder is at `out`."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise FolderError(f'{out} is there and is not a folder')
    if out.is_dir() and any(out.iterdir()) and not _is_model_folder(out):
        raise FolderError(
            f'{out} is not empty and not a model folder; it is left as it is, give another place'
        )


def _is_model_folder(path: Path) -> bool:
    try:
        data = json.loads((path / 'model.json').read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and 'format' in data and 'files' in data


def _move(beside: Path, out: Path) -> None:
    if not out.exists():
        beside.rename(out)
        return
    former = beside.with_suffix('.former')
    out.rename(former)
    try:
        beside.rename(out)
    except BaseException:
        former.rename(out)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _open_up(folder: Path) -> None:
    """Give the modes that files made the usual way have; temporary ones are private."""
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    for file in folder.iterdir():
        file.chmod(0o666 & ~mask)
