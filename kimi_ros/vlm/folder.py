"""A model folder, as written by kimi-export: model.json and the files whose hashes it lists."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import ModelConfig
from .errors import ConfigError, ModelFolderError
from .quantization import QuantizationConfig

FORMAT = 2
_REQUIRED = {
    'name': str,
    'config': dict,
    'precision': str,
    'layout': dict,
    'runtime': str,
    'tasks': list,
    'languages': list,
    'files': dict,
}


@dataclass(frozen=True)
class ModelFolder:
    """A verified model folder: all files are present and match their hashes in model.json.

    :ivar threads: of the runtime, if the export's preset set them.
    :ivar presence_threshold: if one was chosen; see `VisionLanguageModel`.
    """

    path: Path
    name: str
    config: ModelConfig
    precision: str
    quantization: QuantizationConfig
    runtime: str
    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    files: tuple[str, ...]
    min_onnxruntime: str
    threads: int | None = None
    presence_threshold: float | None = None

    def file(self, name: str) -> Path:
        """Path of a file that model.json lists, or ModelFolderError."""
        if name not in self.files:
            raise ModelFolderError(f'{self.path / "model.json"} lists no {name}; export it again')
        return self.path / name


def read_folder(path: str | Path) -> ModelFolder:
    """Read and verify a model folder.

    Every file is hashed, so that a truncated or modified file is an error here instead of wrong
    output later. Raises ModelFolderError, naming the file.
    """
    path = Path(path).expanduser()
    data = _read_json(path)
    config, quantization = _config(path / 'model.json', data)
    for name, digest in data['files'].items():
        _verify(path / name, digest)
    return ModelFolder(
        path=path,
        name=data['name'],
        config=config,
        precision=data['precision'],
        quantization=quantization,
        runtime=data['runtime'],
        tasks=tuple(data['tasks']),
        languages=tuple(data['languages']),
        files=tuple(data['files']),
        min_onnxruntime=str(data.get('min_onnxruntime', '')),
        threads=data.get('threads'),
        presence_threshold=data.get('presence_threshold'),
    )


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open('rb') as stream:
        if hasattr(hashlib, 'file_digest'):
            return hashlib.file_digest(stream, 'sha256').hexdigest()
        digest = hashlib.sha256()  # Python 3.10
        while block := stream.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        raise ModelFolderError(
            f'{path} is not a folder; use "nano" or a folder written by kimi-export'
        )
    file = path / 'model.json'
    try:
        data = json.loads(file.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise ModelFolderError(
            f'{file} is missing: {path} is not a model folder. Export a checkpoint with '
            f'kimi-export {path} OUT'
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFolderError(f'{file} cannot be read: {error}') from error
    if not isinstance(data, dict) or data.get('format') != FORMAT:
        found = data.get('format') if isinstance(data, dict) else None
        raise ModelFolderError(
            f'{file} has the format {found!r}, this version reads {FORMAT}; export the checkpoint '
            'again with the kimi-export of this version'
        )
    for key, kind in _REQUIRED.items():
        if not isinstance(data.get(key), kind):
            raise ModelFolderError(f'{file}: {key!r} is missing or not a {kind.__name__}')
    for key in ('tasks', 'languages'):
        if not all(isinstance(value, str) for value in data[key]):
            raise ModelFolderError(f'{file}: {key!r} must be a list of strings, not {data[key]!r}')
    threads = data.get('threads')
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ModelFolderError(f'{file}: threads must be an integer of at least 1, not {threads!r}')
    threshold = data.get('presence_threshold')
    if threshold is not None and not (type(threshold) is float and 0 < threshold < 1):
        raise ModelFolderError(
            f'{file}: presence_threshold must be between 0 and 1, not {threshold!r}'
        )
    return data


def _config(file: Path, data: dict[str, Any]) -> tuple[ModelConfig, QuantizationConfig]:
    try:
        return ModelConfig.from_dict(data['config']), QuantizationConfig.from_dict(data['layout'])
    except ConfigError as error:
        raise ModelFolderError(f'{file}: {error}') from error


def _verify(file: Path, digest: str) -> None:
    try:
        found = sha256_of(file)
    except FileNotFoundError:
        raise ModelFolderError(f'{file} is missing; export the checkpoint again') from None
    except OSError as error:
        raise ModelFolderError(f'{file} cannot be read: {error}') from error
    if found != digest:
        raise ModelFolderError(
            f'{file} is damaged: its sha256 is {found}, model.json lists {digest}; export the '
            'checkpoint again'
        )
