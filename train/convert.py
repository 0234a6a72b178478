"""PyTorch's own weight files (.pt) as safetensors: checkpoints, and published LoRA variants."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kimi_export.lora import FORMAT, UNMERGED
from kimi_export.names import canonical
from kimi_train.files import save_tensors

_PACKED = torch.contiguous_format
# Where training programs keep the weights among other things.
_WRAPPERS = ('model', 'state_dict', 'model_state_dict', 'module')
# How the names of published variants become today's (vikhyat/moondream, lora.py).
_VARIANT_NAMES = (
    ('text_model.transformer.h', 'text.blocks'),
    ('.mixer', '.attn'),
    ('.out_proj', '.proj'),
    ('.Wqkv', '.qkv'),
    ('.parametrizations.weight.0', ''),
)


class ConvertError(ValueError):
    """The file cannot be converted: the message names what is in the way."""


@dataclass(frozen=True)
class Converted:
    """What was written: 'checkpoint' or 'adapter', and what of the source was left out."""

    path: Path
    category: str
    tensors: int
    left_out: tuple[str, ...]


def convert(source: Path, out: Path) -> Converted:
    """Write the tensors of a .pt file as a safetensors file, in the dtypes that they have.

    Nothing in the file is executed: only tensors and plain containers are read. Nested dictionaries
    become names joined by dots. Names stay as they are, for the exporter reads today's and the
    older ones; LoRA variants get today's names and the metadata that `kimi-export --lora` needs.
    Raises ConvertError and leaves nothing half-written.
    """
    if out.suffix != '.safetensors':
        raise ConvertError(f'{out}: the result is a .safetensors file, give it such a name')
    if out.exists():
        raise ConvertError(f'{out} already exists and was not changed; give another name')
    if not out.parent.is_dir():
        raise ConvertError(f'{out.parent} is not a folder')
    state, left_out = _weights(source, _load(source))
    _refuse_peft(source, state)
    halves = [name for name in state if name.endswith(('.A', '.B'))]
    if not halves:
        _check_clashes(source, state)
        _save(state, out, {'format': 'pt'})
        return Converted(out, 'checkpoint', len(state), left_out)
    if len(halves) < len(state):
        other = next(name for name in state if name not in halves)
        raise ConvertError(
            f'{source} holds both LoRA matrices ({halves[0]}) and weights ({other}); convert them '
            'from files of their own'
        )
    state = _renamed(source, state)
    _check_pairs(source, state)
    _save(state, out, {'format': FORMAT, 'scale': '1', 'proj': UNMERGED})
    return Converted(out, 'adapter', len(state), left_out)


def _refuse_peft(source: Path, state: Mapping[str, Tensor]) -> None:
    """Raise ConvertError for an adapter of the library PEFT, which would pass for a checkpoint."""
    peft = next((name for name in state if '.lora_' in name or name.startswith('lora_')), None)
    if peft:
        raise ConvertError(
            f'{source} is a LoRA adapter of PEFT ({peft}), not a checkpoint: merge it with PEFT '
            '(merge_and_unload) and convert the result, or train the adapter with kimi-train tune'
        )


def _load(source: Path) -> Any:
    if not source.is_file():
        raise ConvertError(
            f'{source} is not a file' if source.exists() else f'{source} does not exist'
        )
    try:
        # Mapped, a file of several GB is not in memory twice while it is written anew.
        mapped = zipfile.is_zipfile(source)
        return torch.load(source, map_location='cpu', weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        # The library's text goes on with how to switch the protection off: not here.
        why = str(error).split('WeightsUnpickler error:')[-1].strip().splitlines()[0]
        raise ConvertError(
            f'{source} holds more than weights and is not opened, because that would run code in '
            f'it: {why}'
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise ConvertError(
            f'{source} is not a PyTorch file of weights, or is damaged: '
            f'{str(error).splitlines()[0] if str(error) else type(error).__name__}'
        ) from error


def _weights(source: Path, data: Any) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors by name, and the entries beside them that are no weights."""
    if not isinstance(data, Mapping):
        raise ConvertError(
            f'{source} holds a {type(data).__name__}, not a dictionary of weights by name'
        )
    left_out: tuple[str, ...] = ()
    inside = [key for key in _WRAPPERS if isinstance(data.get(key), Mapping)]
    if len(inside) == 1 and (inside[0] != 'model' or not _only_weights(data)):
        left_out = tuple(str(key) for key in data if key != inside[0])
        data = data[inside[0]]
    state: dict[str, Tensor] = {}
    _flatten(source, '', data, state)
    if not state:
        raise ConvertError(f'{source} holds no tensors')
    return state, left_out


def _only_weights(data: Any) -> bool:
    if isinstance(data, Mapping):
        return all(_only_weights(value) for value in data.values())
    return isinstance(data, Tensor)


def _flatten(source: Path, prefix: str, data: Mapping, state: dict[str, Tensor]) -> None:
    for key, value in data.items():
        name = f'{prefix}{key}'
        if isinstance(value, Mapping):
            _flatten(source, f'{name}.', value, state)
        elif not isinstance(value, Tensor):
            raise ConvertError(
                f'{source}: {name} is a {type(value).__name__}, not a tensor; save the weights '
                "alone, as a model's state_dict()"
            )
        elif value.layout != torch.strided or value.is_quantized:
            raise ConvertError(f'{source}: {name} is sparse or quantised; save plain tensors')
        elif name in state:
            raise ConvertError(f'{source} holds {name} twice, nested and flat')
        else:
            state[name] = value


def _check_clashes(source: Path, names: Mapping[str, Tensor]) -> None:
    known: dict[str, str] = {}
    for name in names:
        other = known.setdefault(canonical(name)[0], name)
        if other != name:
            raise ConvertError(f'{source}: {other} and {name} are two names of one tensor')


def _renamed(source: Path, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    renamed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        new = name
        for old, today in _VARIANT_NAMES:
            new = new.replace(old, today)
        new = canonical(new)[0]
        if new in renamed:
            raise ConvertError(f'{source}: {name} and another are both {new}')
        renamed[new] = tensor
    return renamed


def _check_pairs(source: Path, state: Mapping[str, Tensor]) -> None:
    for layer in dict.fromkeys(name[:-2] for name in state):
        for name in (f'{layer}.A', f'{layer}.B'):
            if name not in state:
                raise ConvertError(f'{source}: {name} is missing')
        a, b = state[f'{layer}.A'].shape, state[f'{layer}.B'].shape
        if len(a) != 2 or len(b) != 2 or a[0] != b[1]:
            raise ConvertError(
                f'{source}: {layer}.A has shape {list(a)} and {layer}.B {list(b)}; they must be '
                '[rank, inputs] and [outputs, rank]'
            )


def _save(state: Mapping[str, Tensor], out: Path, about: dict[str, str]) -> None:
    # The format holds no two names of one memory; a clone costs only those that share it.
    seen: set[int] = set()
    tensors = {}
    for name, tensor in state.items():
        place = tensor.untyped_storage().data_ptr()
        whole = tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes()
        own = whole and place not in seen
        tensors[name] = tensor.contiguous() if own else tensor.clone(memory_format=_PACKED)
        seen.add(place)
    try:
        save_tensors(tensors, out, about)
    except Exception as error:  # the disk's, or the library's for a dtype that it does not know
        raise ConvertError(f'{out} cannot be written: {error}') from error
