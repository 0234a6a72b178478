"""Checkpoints on the Hugging Face hub: `hub:owner/name@revision`, fetched into the hub's own cache.

Nothing else in the project uses a network for models, and this only where it is written out.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import HubError

PREFIX = 'hub:'
WANTED = (
    '*.safetensors',
    'model.safetensors.index.json',
    'config.json',
    'tokenizer.json',
    'tasks.json',
)
_PART = r'[A-Za-z0-9][A-Za-z0-9._-]*'
_SPELLED = re.compile(rf'(?P<repository>{_PART}/{_PART})(?:@(?P<revision>[^\s@]+))?')
_COMMIT = re.compile(r'[0-9a-f]{40}')


@dataclass(frozen=True)
class Origin:
    """Where on the hub a folder's files came from."""

    repository: str
    commit: str


def is_hub_name(checkpoint: str | Path) -> bool:
    """Whether this is to be fetched from the hub."""
    return str(checkpoint).startswith(PREFIX)


def fetch(spelled: str) -> Path:
    """Return the local folder of `hub:owner/name` or `hub:owner/name@revision`.

    Only `WANTED` files are fetched, and nothing that the cache has already; a revision is a branch,
    a tag or a commit, 'main' where it is left out. Raises HubError, which names repository and
    revision and says what to do.
    """
    match = _SPELLED.fullmatch(spelled.removeprefix(PREFIX))
    if not match:
        raise HubError(f'{spelled} is not spelled hub:owner/name or hub:owner/name@revision')
    repository, revision = match['repository'], match['revision'] or 'main'
    os.environ.setdefault('HF_HUB_DISABLE_TELEMETRY', '1')
    try:
        from huggingface_hub import constants, errors, snapshot_download
    except ImportError as error:
        raise HubError(
            f"{spelled} needs huggingface_hub: pip install 'kimi_ros[hub]', or download the files "
            'of the repository yourself and give their folder'
        ) from error
    try:
        folder = snapshot_download(repository, revision=revision, allow_patterns=list(WANTED))
    except errors.RevisionNotFoundError as error:
        raise HubError(
            f'{repository} has no revision {revision!r}: name a branch, a tag or a commit of it'
        ) from error
    except errors.GatedRepoError as error:
        raise HubError(
            f'{repository}@{revision} is given out after its conditions are accepted: do so on its '
            'page, and log in with: hf auth login'
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise HubError(
            f'{repository} is not on the hub, or is private: check the spelling, or log in with: '
            'hf auth login'
        ) from error
    # The library passes on whatever its transport raises.
    except Exception as error:
        offline = constants.HF_HUB_OFFLINE
        why = 'HF_HUB_OFFLINE is set' if offline else _first_line(error)
        raise HubError(
            f'{repository}@{revision} is not, or not whole, in the cache {constants.HF_HUB_CACHE}, '
            f'and the hub was not reached ({why}). Where there is a network: hf download '
            f'{repository} --revision {revision} --local-dir FOLDER; then give that folder'
        ) from error
    return Path(folder)


def origin(folder: Path) -> Origin | None:
    """Where the files came from, if this is a snapshot in a hub cache.

    There a snapshot is .../models--owner--name/snapshots/COMMIT, full of links to ../../blobs.
    """
    commit, parent, repository = folder.name, folder.parent.name, folder.parent.parent.name
    if parent != 'snapshots' or not _COMMIT.fullmatch(commit):
        return None
    kind, *name = repository.split('--')
    return Origin('/'.join(name), commit) if kind == 'models' and len(name) == 2 else None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
