"""Published checkpoints by name, with pinned revisions and licenses: config/checkpoints.yaml."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import yaml

from kimi_ros.resources import share

from .hub import PREFIX, Origin

_FILE = 'config/checkpoints.yaml'


@dataclass(frozen=True)
class KnownCheckpoint:
    """A published checkpoint.

    :ivar tokenizer: owner/name@revision of its tokenizer, or None for the one in the repository.
    :ivar release: see `releases`.
    """

    repository: str
    revision: str
    release: str
    tokenizer: str | None
    license: str

    @property
    def hub_name(self) -> str:
        """As `hub.fetch` takes it."""
        return f'{PREFIX}{self.repository}@{self.revision}'


@functools.cache
def known_checkpoints() -> dict[str, KnownCheckpoint]:
    """All known checkpoints by name."""
    entries = yaml.safe_load(share(_FILE).read_text(encoding='utf-8'))
    return {name: KnownCheckpoint(**entry) for name, entry in entries.items()}


def known_checkpoint(name: str | Path) -> KnownCheckpoint | None:
    """The checkpoint of this name; None for paths, also where a file has such a name."""
    if Path(name).expanduser().exists():
        return None
    return known_checkpoints().get(str(name))


def license_of(origin: Origin) -> str | None:
    """License of a repository, if it is a known one."""
    for each in known_checkpoints().values():
        if each.repository == origin.repository:
            return each.license
    return None
