"""Downloads from the Hugging Face hub: `hub:owner/name@revision`, into the hub's own cache.

This is the only network access for models in the project.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import HubError

PREFIX = 'hub:'
FILE_PATTERNS = (
    '*.safetensors',
    'model.safetensors.index.json',
    'config.json',
    'tokenizer.json',
    'tasks.json',
    'moondream.py',  # read as text, see releases.py
)
_PART = r'[A-Za-z0-9][A-Za-z0-9._-]*'
_HUB_NAME = re.compile(rf'(?P<repository>{_PART}/{_PART})(?:@(?P<revision>[^\s@]+))?')
_COMMIT = re.compile(r'[0-9a-f]{40}')


@dataclass(frozen=True)
class Origin:
    """The hub repository and commit of a downloaded folder."""

    repository: str
    commit: str


def is_hub_name(checkpoint: str | Path) -> bool:
    """Whether the checkpoint is a name on the hub (`hub:...`)."""
    return str(checkpoint).startswith(PREFIX)


def fetch(name: str, use_network: bool = True) -> Path:
    """Download `hub:owner/name` or `hub:owner/name@revision` and return its local folder.

    Only files of FILE_PATTERNS that are not in the cache are downloaded. A revision is a branch, a
    tag or a commit; the default is 'main'. Without `use_network` only the cache is searched. Raises
    HubError, naming repository and revision.
    """
    match = _HUB_NAME.fullmatch(name.removeprefix(PREFIX))
    if not match:
        raise HubError(f'{name} is not of the form hub:owner/name or hub:owner/name@revision')
    repository, revision = match['repository'], match['revision'] or 'main'
    os.environ.setdefault('HF_HUB_DISABLE_TELEMETRY', '1')
    try:
        from huggingface_hub import constants, errors, snapshot_download
    except ImportError as error:
        raise HubError(
            f"{name} needs huggingface_hub: pip install 'kimi_ros[hub]', or download the files "
            'of the repository yourself and pass their folder'
        ) from error
    try:
        folder = snapshot_download(
            repository,
            revision=revision,
            allow_patterns=list(FILE_PATTERNS),
            local_files_only=not use_network,
        )
    except errors.RevisionNotFoundError as error:
        raise HubError(
            f'{repository} has no revision {revision!r}: use a branch, a tag or a commit'
        ) from error
    except errors.GatedRepoError as error:
        raise HubError(
            f'{repository}@{revision} is gated: accept its conditions on its page, and log in '
            'with: hf auth login'
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise HubError(
            f'{repository} is not on the hub, or is private: check the spelling, or log in with: '
            'hf auth login'
        ) from error
    # The library does not wrap the exceptions of its HTTP client.
    except Exception as error:
        offline = constants.HF_HUB_OFFLINE
        why = 'HF_HUB_OFFLINE is set' if offline else _first_line(error)
        if not use_network:
            raise HubError(f'{repository}@{revision} is not in the cache') from error
        raise HubError(
            f'{repository}@{revision} is not completely in the cache {constants.HF_HUB_CACHE}, and '
            f'the hub is not reachable ({why}). On a machine with a network: hf download '
            f'{repository} --revision {revision} --local-dir FOLDER; then pass that folder'
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
