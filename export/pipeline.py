"""The export from end to end: check, write beside, compare, move into place."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from kimi_ros import __version__
from kimi_ros.vlm.folder import FORMAT, sha256_of

from .builder import GraphBuilder, WeightFile
from .checkpoint import Checkpoint, open_checkpoint
from .errors import SelfCheckError
from .folder import check_replaceable, written_beside
from .graphs import graphs_for
from .layers import Layers
from .progress import Progress
from .selfcheck import OF_SCALE, RELATIVE, check, parts_of
from .tables import write_tables

MIN_ONNXRUNTIME = '1.23.2'


def export_model(
    checkpoint: str | Path,
    out: str | Path,
    config: str | Path | None = None,
    tokenizer: str | Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Export a checkpoint as an fp32 ONNX model folder and return the folder.

    :param checkpoint: safetensors file, index of shards, or folder.
    :param out: the folder to write; a model folder that is there is replaced when all is well.
    :param config: config.json, where it does not lie beside the tensors; `tokenizer` likewise.

    Raises CheckpointError, FolderError or SelfCheckError, and leaves nothing half-made.
    """
    progress = progress or Progress()
    out = Path(out).expanduser()
    check_replaceable(out)
    opened = open_checkpoint(checkpoint, config, tokenizer)
    with written_beside(out) as folder:
        digests = _write(opened, folder, progress)
        _compare(opened, folder, progress)
        about = _describe(opened, digests)
        text = json.dumps(about, indent=1, ensure_ascii=False) + '\n'
        (folder / 'model.json').write_text(text, encoding='utf-8')
    return out


def _write(checkpoint: Checkpoint, folder: Path, progress: Progress) -> dict[str, str]:
    """Write all but model.json; return the files' sha256."""
    builds = graphs_for(checkpoint.has_regions)
    progress.begin('writing', len(checkpoint.tensors))

    def read(name: str) -> np.ndarray:
        progress.advance()
        return checkpoint.read(name)

    with WeightFile(folder / 'weights.bin') as weights:
        for name, build in builds.items():
            progress.say(f'writing {name}')
            graph = GraphBuilder(name, weights)
            build(Layers(graph, read), checkpoint.config)
            graph.save(folder / f'{name}.onnx')
    write_tables(checkpoint, folder / 'tables.safetensors')
    (folder / 'tokenizer.json').write_bytes(checkpoint.tokenizer.read_bytes())
    digests = {'weights.bin': weights.sha256}
    for file in sorted(folder.iterdir()):
        if file.name not in digests:
            digests[file.name] = sha256_of(file)
    return digests


def _compare(checkpoint: Checkpoint, folder: Path, progress: Progress) -> None:
    outside = []
    progress.begin('comparing', parts_of(checkpoint))
    for difference in check(checkpoint, folder):
        progress.say(
            f'{difference.part}: largest error {difference.absolute:.1e} '
            f'({difference.of_scale:.1e} of the scale)'
        )
        if not difference.within:
            outside.append(difference.part)
        progress.advance()
    if outside:
        raise SelfCheckError(
            f'the graphs differ from the checkpoint in: {", ".join(outside)} (more than '
            f'{RELATIVE:g} of a value and {OF_SCALE:g} of the scale); nothing was kept'
        )


def _describe(checkpoint: Checkpoint, digests: dict[str, str]) -> dict[str, Any]:
    return {
        'format': FORMAT,
        'name': checkpoint.name,
        'family': 'moondream2',
        'config': checkpoint.raw_config,
        'precision': 'fp32',
        'runtime': 'onnxruntime',
        'tasks': list(checkpoint.tasks),
        'languages': list(checkpoint.languages),
        'source': _source(checkpoint.files),
        'files': digests,
        'tools': {'kimi_ros': __version__, 'onnx': onnx.__version__},
        'min_onnxruntime': MIN_ONNXRUNTIME,
    }


def _source(files: tuple[Path, ...]) -> dict[str, Any]:
    """Names of the checkpoint's files, and one digest of them all in this order."""
    each = [sha256_of(file) for file in files]
    # A checkpoint of one file is known by that file's own digest.
    whole = each[0] if len(each) == 1 else hashlib.sha256(''.join(each).encode()).hexdigest()
    return {'files': [file.name for file in files], 'sha256': whole}
