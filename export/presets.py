"""Precisions and presets: what the layout of a folder follows from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import onnxruntime
import yaml

from kimi_ros.resources import share
from kimi_ros.vlm.config import TextConfig
from kimi_ros.vlm.layout import FLOATS, Layout
from kimi_ros.vlm.ort.session import as_version

from .errors import ExportError
from .lowering_ort import fits_group_query_attention, min_onnxruntime

PRECISIONS = ('fp32', 'fp16', 'int8', 'int4')
_FILE = 'config/presets.yaml'


class PresetError(ExportError):
    """A preset that is not there, or a choice that does not go with it; says what there is."""


@dataclass(frozen=True)
class Choice:
    """What an export is to be.

    :ivar preset: its name, '' where none was asked for.
    :ivar max_crops: instead of the config's, or None.
    :ivar threads: of the runtime, or None.
    """

    precision: str
    layout: Layout
    preset: str = ''
    max_crops: int | None = None
    threads: int | None = None


def preset_names() -> list[str]:
    """The presets there are."""
    return list(_read())


def choose(precision: str | None = None, preset: str | None = None) -> Choice:
    """Combine both: a precision that is given goes before the preset's.

    With neither, weights and arithmetic are fp32. Raises PresetError.
    """
    if preset is None:
        return Choice(precision or 'fp32', _layout(precision or 'fp32'))
    presets = _read()
    if preset not in presets:
        raise PresetError(f'there is no preset {preset!r}, only {", ".join(presets)}')
    about = presets[preset]
    chosen = precision or about['precision']
    layout = _layout(chosen, about['activations'], about['vision'], about['group'])
    return Choice(chosen, layout, preset, about['max_crops'], about['threads'])


def check_small_cache(choice: Choice, text: TextConfig) -> None:
    """Raise PresetError where a cache of 8 bits is not to be had, saying what to leave out."""
    if choice.precision in FLOATS:
        raise PresetError(
            f'--calibrate makes a cache of 8 bits, which goes with int8 or int4, not with '
            f'{choice.precision}'
        )
    if not fits_group_query_attention(text):
        raise PresetError(
            f'no cache of 8 bits is to be had for heads that are {text.head_dim} wide; export '
            'without --calibrate'
        )
    needed = min_onnxruntime(dataclasses.replace(choice.layout, cache='int8'))
    if as_version(onnxruntime.__version__) < as_version(needed):
        raise PresetError(
            f'a cache of 8 bits needs onnxruntime {needed}, this is {onnxruntime.__version__}: pip '
            f'install "onnxruntime>={needed}", or export without --calibrate'
        )


def _layout(
    precision: str, activations: str = 'fp32', vision: str = 'int8', group: int = 128
) -> Layout:
    if precision not in PRECISIONS:
        raise PresetError(f'the precision must be one of {", ".join(PRECISIONS)}')
    if precision in FLOATS:
        return Layout(precision, precision, precision, group, precision)
    return Layout(activations, vision, precision, group, activations)


def _read() -> dict[str, dict]:
    return yaml.safe_load(share(_FILE).read_text(encoding='utf-8'))
