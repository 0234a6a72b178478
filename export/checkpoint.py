"""A Moondream 2 checkpoint on disk: tensors under canonical names, config and tokenizer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.errors import ConfigError

from .errors import CheckpointError
from .hub import fetch, is_hub_name, origin
from .known import known_checkpoint
from .names import Shapes, canonical, region_shapes, text_shapes, vision_shapes
from .releases import find_release
from .safetensors_file import StoredTensor, read_header
from .tokenizer_file import find_tokenizer, is_starmie

INDEX = 'model.safetensors.index.json'
_MOONDREAM_3 = re.compile(
    r'\.gate\.(weight|bias)$|\.mlp\.(output_)?experts\.|\.router\.|\.tau(_|\.)'
)
TASKS = ('query', 'caption', 'point', 'detect', 'plan')


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose tensors are complete and have the shapes of its config.

    `raw_config` is the content of config.json, which is copied to model.json.
    """

    name: str
    config: ModelConfig
    raw_config: dict[str, Any]
    tokenizer: Path
    files: tuple[Path, ...]
    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    has_regions: bool
    tensors: dict[str, tuple[StoredTensor, bool]]
    presence_threshold: float | None

    @property
    def unmerged_blocks(self) -> frozenset[int]:
        """Decoder blocks with an unmerged LoRA of `attn.proj`; none without an adapter."""
        return frozenset()

    def read(self, name: str) -> np.ndarray:
        """Values f32 of the tensor with this canonical name. Raises CheckpointError for NaN."""
        stored, transposed = self.tensors[name]
        values = stored.read()
        return np.ascontiguousarray(values.T) if transposed else values


def open_checkpoint(
    path: str | Path,
    config: str | Path | None = None,
    tokenizer: str | Path | None = None,
    release: str | None = None,
) -> Checkpoint:
    """Open and check a safetensors file, an index of shards, or a folder with either.

    `hub:owner/name@revision`, or a name of config/checkpoints.yaml, is downloaded first.

    :param config: config.json, if it is not next to the tensors.
    :param tokenizer: tokenizer.json or hub:owner/name, if it is not next to the tensors.
    :param release: of Moondream 2, see `releases`; None to find it out.

    No tensor values are read. Raises CheckpointError, naming the file or tensor, or HubError.
    """
    known = known_checkpoint(path)
    if known:
        path, release = known.hub_name, release or known.release
    from_hub = is_hub_name(path)
    if from_hub:
        path = fetch(str(path))
    path = Path(path).expanduser()
    folder = path if path.is_dir() else path.parent
    files = _files(path)
    tensors = _tensors(files)
    config_file = Path(config) if config else folder / 'config.json'
    raw = _config(config_file)
    follows = find_release(folder, raw, release, is_starmie(folder / 'tokenizer.json'))
    if follows:
        raw = follows.complete(raw)
    sizes = _parse(config_file, raw)
    has_regions = _check_tensors(files, tensors, sizes)
    tokens = find_tokenizer(folder, tokenizer, sizes, from_hub)
    tasks = supported_tasks(sizes, has_regions)
    metadata = _read_tasks(folder / 'tasks.json', tasks)
    return Checkpoint(
        name=metadata.get('name', _name(path, folder)),
        config=sizes,
        raw_config=raw,
        tokenizer=tokens,
        files=files,
        tasks=tuple(metadata.get('tasks', [task for task in tasks if task != 'plan'])),
        languages=tuple(metadata.get('languages', ['en'])),
        has_regions=has_regions,
        tensors=tensors,
        presence_threshold=metadata.get('presence_threshold'),
    )


def _name(path: Path, folder: Path) -> str:
    hub_origin = origin(folder.resolve())
    if hub_origin:  # the folder itself has the name of a commit
        return hub_origin.repository.split('/')[1]
    return folder.resolve().name if path.is_dir() else path.stem


def _files(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        if (path / INDEX).is_file():
            return _shards(path / INDEX)
        files = sorted(path.glob('*.safetensors'))
        if not files:
            raise CheckpointError(
                f'{path} contains no .safetensors file; other checkpoint formats are not supported'
            )
        if len(files) > 1 and path / 'model.safetensors' not in files:
            raise CheckpointError(
                f'{path} contains {len(files)} .safetensors files and no {INDEX}; name one of them'
            )
        return (path / 'model.safetensors' if len(files) > 1 else files[0],)
    if not path.exists():
        raise CheckpointError(f'{path} does not exist')
    if path.suffix not in ('.safetensors', '.json'):
        raise CheckpointError(
            f'{path} is not supported: a checkpoint is a .safetensors file, an index (.json) of '
            'shards, or a folder with either'
        )
    return _shards(path) if path.suffix == '.json' else (path,)


def _shards(index: Path) -> tuple[Path, ...]:
    places = _json(index).get('weight_map')
    if not isinstance(places, dict) or not places:
        raise CheckpointError(f'{index} has no weight_map')
    files = tuple(index.parent / name for name in sorted(set(map(str, places.values()))))
    for file in files:
        if not file.is_file():
            raise CheckpointError(f'{index} lists {file.name}, which is missing')
    return files


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f'{path} cannot be read: {error}') from error
    if not isinstance(data, dict):
        raise CheckpointError(f'{path} must hold a JSON object')
    return data


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; pass the checkpoint's config with --config")
    raw = _json(path)
    if 'text' not in raw and isinstance(raw.get('config'), dict):
        raw = raw['config']  # how the Hugging Face releases wrap it
    elif 'text' not in raw and 'vision' not in raw:
        raise CheckpointError(
            f'{path} has no sections "text" and "vision": it is not the config of a Moondream 2 '
            'checkpoint; pass one with --config'
        )
    return raw


def _parse(path: Path, raw: dict[str, Any]) -> ModelConfig:
    try:
        config = ModelConfig.from_dict(raw)
    except ConfigError as error:
        raise CheckpointError(f'{path}: {error}') from error
    if config.text.group_size is not None or config.region.group_size is not None:
        raise CheckpointError(
            f'{path} describes a quantized checkpoint (group_size); export the unquantized one'
        )
    return config


def _tensors(files: tuple[Path, ...]) -> dict[str, tuple[StoredTensor, bool]]:
    tensors: dict[str, tuple[StoredTensor, bool]] = {}
    for file in files:
        for stored in read_header(file).values():
            if _MOONDREAM_3.search(stored.name):
                raise CheckpointError(
                    f'{file} is a Moondream 3 checkpoint (it has {stored.name}): a mixture of '
                    'experts, another architecture, which kimi-export does not support. Use '
                    'Moondream 2, or run Moondream 3 on a server as a remote planner'
                )
            name, transposed = canonical(stored.name)
            if name in tensors:
                other = tensors[name][0]
                raise CheckpointError(
                    f'{stored.name} in {file} and {other.name} in {other.path} are the same tensor'
                )
            tensors[name] = (stored, transposed)
    return tensors


def _check_tensors(
    files: tuple[Path, ...], tensors: dict[str, tuple[StoredTensor, bool]], config: ModelConfig
) -> bool:
    """Compare the tensors with the config; return whether the region heads are present."""
    required = vision_shapes(config) | text_shapes(config)
    regions = region_shapes(config)
    where = files[0] if len(files) == 1 else files[0].parent
    if not any(name in tensors for name in required):
        sample = next((stored.name for stored, _ in tensors.values()), 'none')
        raise CheckpointError(
            f'{where} is not a Moondream 2 checkpoint: no tensor has a known name (the first is '
            f'{sample})'
        )
    has_regions = any(name in tensors for name in regions)
    if has_regions:
        required |= regions
    _check_shapes(where, tensors, required)
    _check_depth(tensors, config)
    return has_regions


def _check_shapes(
    where: Path, tensors: dict[str, tuple[StoredTensor, bool]], required: Shapes
) -> None:
    for name, shape in required.items():
        if name not in tensors:
            raise CheckpointError(
                f'{name} is missing in {where}; the config expects shape {list(shape)}'
            )
        stored, transposed = tensors[name]
        expected = shape[::-1] if transposed else shape
        if stored.shape != expected:
            raise CheckpointError(
                f'{stored.name} in {stored.path} has shape {list(stored.shape)}, the config '
                f'expects {list(expected)}'
            )
        if not stored.is_weight:
            raise CheckpointError(
                f'{stored.name} in {stored.path} is stored as {stored.dtype}; F32, F16 and BF16 '
                'can be exported'
            )


def _check_depth(tensors: dict[str, tuple[StoredTensor, bool]], config: ModelConfig) -> None:
    # A config with too few layers matches every tensor it names, and would export half a model.
    for part, layers in (('vision', config.vision.enc_n_layers), ('text', config.text.n_layers)):
        extra = f'{part}.blocks.{layers}.attn.qkv.weight'
        if extra in tensors:
            stored = tensors[extra][0]
            raise CheckpointError(
                f'{stored.name} in {stored.path} is one layer more than the {layers} {part} layers '
                'of the config'
            )


def supported_tasks(config: ModelConfig, has_regions: bool) -> list[str]:
    """Tasks that the checkpoint's templates and tensors support; a plan is a kind of query."""
    templates = config.tokenizer.templates
    allowed = {
        'query': templates.query,
        'caption': templates.caption,
        'point': templates.point if has_regions else None,
        'detect': templates.detect if has_regions else None,
        'plan': templates.query,
    }
    return [task for task in TASKS if allowed[task] is not None]


def _read_tasks(path: Path, known: list[str]) -> dict[str, Any]:
    """Read tasks.json, in which a fine-tuned checkpoint lists its tasks and languages."""
    if not path.is_file():
        return {}
    about = _json(path)
    for key, kind in (('name', str), ('tasks', list), ('languages', list)):
        if key in about and not isinstance(about[key], kind):
            raise CheckpointError(f'{path}: {key} must be a {kind.__name__}')
    threshold = about.get('presence_threshold')
    if threshold is not None and not (type(threshold) is float and 0 < threshold < 1):
        raise CheckpointError(f'{path}: presence_threshold must be between 0 and 1')
    for task in about.get('tasks', []):
        if task not in TASKS:
            raise CheckpointError(f'{path}: {task!r} is not a task (one of {", ".join(TASKS)})')
        if task not in known:
            raise CheckpointError(
                f'{path} lists {task}, for which the checkpoint has no template or no weights'
            )
    return about
