"""What TensorRT engines were built for, and whether they can run on this machine.

An engine is specific to one version of TensorRT and one GPU architecture; elsewhere it fails with
an obscure error or gives wrong results. model.json records both, and everything else that must
match, so that a mismatch is reported before TensorRT reads the file.
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
    """The TensorRT version and GPU that engines are built for.

    :ivar version: of TensorRT.
    :ivar compute_capability: of the GPU, for example '8.7'.
    :ivar device: name of the GPU, for messages.
    """

    version: str
    compute_capability: str
    device: str


@dataclass(frozen=True)
class BuildInfo:
    """The entry of model.json about the engines in its folder.

    :ivar profiles: of each engine, as `bindings.profile_shapes` gives them.
    :ivar checkpoint: sha256 of the source checkpoint.
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
        """The entry KEY of model.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any, where: Path) -> BuildInfo:
        """The inverse of `to_dict`. Raises ModelFolderError, naming the file `where`."""
        try:
            return cls(**(data | {'machine': Machine(**data['machine'])}))
        except (TypeError, KeyError) as error:
            raise ModelFolderError(
                f'{where}: {KEY!r} is missing or malformed ({error}); export the checkpoint again '
                'with --target tensorrt'
            ) from None


def read_build_info(folder: ModelFolder) -> BuildInfo:
    """Read the build info of a folder's engines. Raises ModelFolderError."""
    file = folder.path / 'model.json'
    try:
        data = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ModelFolderError(f'{file} cannot be read: {error}') from error
    return BuildInfo.from_dict(data.get(KEY), file)


def build_mismatches(
    identity: BuildInfo, here: Machine, precision: str, profiles: dict[str, dict[str, list[int]]]
) -> list[str]:
    """Reasons why the engines do not match this machine or this version of kimi_ros."""
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
        found.append('built with other optimization profiles than this version of kimi_ros uses')
    missing = [f'{name}.engine' for name in profiles if f'{name}.engine' not in identity.engines]
    if missing:
        found.append(f'without {", ".join(missing)}')
    return found


def check_build(
    folder: Path,
    identity: BuildInfo,
    here: Machine,
    precision: str,
    profiles: dict[str, dict[str, list[int]]],
) -> None:
    """Raise ModelFolderError, with the rebuild command, unless everything matches."""
    found = build_mismatches(identity, here, precision, profiles)
    if found:
        raise ModelFolderError(
            f'the TensorRT engines in {folder} cannot be used here: {"; ".join(found)}. Build them '
            f'again on this machine: {identity.rebuild}'
        )
