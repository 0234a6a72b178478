"""What TensorRT engines were built for, and whether that is what runs here.

An engine belongs to one version of TensorRT and one GPU architecture: another would refuse it with
a number for a message, or run it wrongly. model.json says both, and everything else that must be
the same, so that a mismatch is found before the file is given to TensorRT.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelFolderError
from ..folder import ModelFolder

KEY = 'tensorrt'


@dataclass(frozen=True)
class Machine:
    """What engines are built on and run on.

    :ivar version: of TensorRT.
    :ivar compute_capability: of the GPU, '8.7' for instance.
    :ivar device: the GPU's name, for people.
    """

    version: str
    compute_capability: str
    device: str


@dataclass(frozen=True)
class Identity:
    """What model.json says of the engines in its folder.

    :ivar profiles: of each engine, as `plan.profiles` gives them.
    :ivar checkpoint: sha256 of the checkpoint that they were built from.
    :ivar engines: sha256 of each engine's file, by the file's name.
    :ivar rebuild: the command that builds them again.
    """

    machine: Machine
    precision: str
    profiles: dict[str, dict[str, list[int]]]
    checkpoint: str
    engines: dict[str, str]
    rebuild: str

    def to_dict(self) -> dict[str, Any]:
        """As model.json has it, under KEY."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any, where: Path) -> Identity:
        """Read what `to_dict` gave. Raises ModelFolderError, naming the file `where`."""
        try:
            return cls(**(data | {'machine': Machine(**data['machine'])}))
        except (TypeError, KeyError) as error:
            raise ModelFolderError(
                f'{where}: {KEY!r} is missing or malformed ({error}); export the checkpoint again '
                'with --target tensorrt'
            ) from None


def read_identity(folder: ModelFolder) -> Identity:
    """Identity of a folder's engines. Raises ModelFolderError."""
    file = folder.path / 'model.json'
    try:
        data = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ModelFolderError(f'{file} cannot be read: {error}') from error
    return Identity.from_dict(data.get(KEY), file)


def mismatches(
    identity: Identity, here: Machine, precision: str, profiles: dict[str, dict[str, list[int]]]
) -> list[str]:
    """What of the engines is not as this machine and this version of kimi_ros want it, in words."""
    built, found = identity.machine, []
    if built.version != here.version:
        found.append(f'built with TensorRT {built.version}, this is {here.version}')
    if built.compute_capability != here.compute_capability:
        found.append(
            f'built for {built.device} (compute capability {built.compute_capability}), this is '
            f'{here.device} ({here.compute_capability})'
        )
    if identity.precision != precision:
        found.append(f'built in {identity.precision}, model.json says {precision}')
    if identity.profiles != profiles:
        found.append('built for other lengths than this version of kimi_ros runs')
    missing = [f'{name}.engine' for name in profiles if f'{name}.engine' not in identity.engines]
    if missing:
        found.append(f'without {", ".join(missing)}')
    return found


def require(
    folder: Path,
    identity: Identity,
    here: Machine,
    precision: str,
    profiles: dict[str, dict[str, list[int]]],
) -> None:
    """Raise ModelFolderError, with the command that rebuilds, unless everything fits."""
    found = mismatches(identity, here, precision, profiles)
    if found:
        raise ModelFolderError(
            f'the TensorRT engines in {folder} cannot be used here: {"; ".join(found)}. Build them '
            f'again on this machine: {identity.rebuild}'
        )
