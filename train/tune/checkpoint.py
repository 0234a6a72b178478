"""Loading a checkpoint to train, and writing it back under its own tensor names."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from kimi_export.checkpoint import TASKS, Checkpoint
from kimi_export.lora import adapt
from kimi_export.names import canonical, region_shapes
from kimi_train.averaging import check_share, mean_weights
from kimi_train.files import save_tensors
from kimi_train.model import Moondream
from kimi_train.tune.settings import TuneError


def load_model(checkpoint: Checkpoint) -> Moondream:
    """Return the checkpoint's model in fp32, on the CPU. Raises CheckpointError at NaN."""
    with torch.device('meta'):
        model = Moondream(checkpoint.config)
    names = [name for name, _ in model.named_parameters()]
    if not checkpoint.has_regions:
        lacking = region_shapes(checkpoint.config)
        names = [name for name in names if name not in lacking]
        del model.region
    state = {name: torch.from_numpy(checkpoint.read(name)) for name in names}
    model.load_state_dict(state, assign=True)
    return model


def write_checkpoint(
    checkpoint: Checkpoint,
    changed: Mapping[str, Tensor],
    out: Path,
    tasks: Sequence[str],
    languages: Sequence[str],
) -> Path:
    """Write the checkpoint with changed tensors (by canonical name) into the folder `out`.

    Every tensor keeps the name, the layout and the dtype that it has in the checkpoint, and what is
    not changed keeps its bits. A folder that is there is replaced. Raises TuneError.
    """
    tensors: dict[str, Tensor] = {}
    for file in checkpoint.files:
        with safe_open(str(file), framework='pt') as stored:
            for name in stored.keys():  # noqa: SIM118 - it is not a dict
                tensors[name] = _stored(stored.get_tensor(name), name, changed)
    beside = out.with_name(f'.{out.name}.part')
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        save_tensors(tensors, beside / 'model.safetensors', {'format': 'pt'})
        raw = checkpoint.raw_config
        config = raw if 'text' in raw or 'vision' in raw else {'config': raw}
        (beside / 'config.json').write_text(json.dumps(config, indent=1) + '\n')
        shutil.copyfile(checkpoint.tokenizer, beside / 'tokenizer.json')
        about = {
            'name': checkpoint.name,
            'tasks': [t for t in TASKS if t in {*checkpoint.tasks, *tasks}],
            'languages': list(dict.fromkeys((*checkpoint.languages, *languages))),
        }
        (beside / 'tasks.json').write_text(json.dumps(about, indent=1) + '\n')
        if out.exists():
            shutil.rmtree(out)
        os.replace(beside, out)
    except OSError as error:
        raise TuneError(f'{out} cannot be written: {error}') from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return out


def _stored(tensor: Tensor, name: str, changed: Mapping[str, Tensor]) -> Tensor:
    known, transposed = canonical(name)
    if known not in changed:
        return tensor
    new = changed[known].detach().cpu()
    new = (new.T if transposed else new).to(tensor.dtype).contiguous()
    if not torch.isfinite(new).all():
        raise TuneError(
            f'{name} has values that are not finite, or are beyond {tensor.dtype}: the training '
            'diverged; try a smaller rate'
        )
    return new


def merge(checkpoint: Checkpoint, adapter: Path, out: Path) -> Path:
    """Write the checkpoint with an adapter merged into its weights.

    Raises AdapterError, and TuneError for an adapter that cannot be merged.
    """
    if out.exists():
        raise TuneError(f'{out} already exists and was not changed; give another name')
    merged = adapt(checkpoint, adapter)
    if merged.unmerged_blocks:
        raise TuneError(
            f'{adapter} adapts the projections from the input of their blocks, which no weight can '
            'express; give it to kimi-export --lora, which computes it beside them'
        )
    changed = {
        f'{layer}.weight': torch.from_numpy(merged.read(f'{layer}.weight'))
        for layer in merged.adapter.pairs
    }
    plain = replace(checkpoint, tasks=merged.tasks, languages=merged.languages)
    return write_checkpoint(plain, changed, out, (), ())


def average(checkpoint: Checkpoint, tuned: Checkpoint, share: float, out: Path) -> Path:
    """Write the `mean_weights` of a tuned checkpoint and the one that it came from.

    Raises TuneError where `out` exists, and ValueError for checkpoints that cannot be averaged.

    :param share: of the tuned weights in that mean, 0-1.
    """
    if out.exists():
        raise TuneError(f'{out} already exists and was not changed; give another name')
    check_share(share)
    before, after = (load_model(c).state_dict() for c in (checkpoint, tuned))
    return write_checkpoint(tuned, mean_weights(before, after, share), out, (), ())
