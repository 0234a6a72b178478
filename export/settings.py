"""Export settings: precisions and presets (config/presets.yaml)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import onnxruntime
import yaml

from kimi_ros.resources import share
from kimi_ros.vlm.config import TextConfig
from kimi_ros.vlm.ort.session import parse_version
from kimi_ros.vlm.quantization import FLOATS, QuantizationConfig

from .errors import ExportError
from .lowering_ort import fits_group_query_attention, min_onnxruntime

PRECISIONS = ('fp32', 'fp16', 'int8', 'int4')
_FILE = 'config/presets.yaml'


class PresetError(ExportError):
    """An unknown preset, or an option that is incompatible with it."""


@dataclass(frozen=True)
class ExportSettings:
    """Settings of an export.

    :ivar preset: name of the preset, or ''.
    :ivar max_crops: overrides the config, or None.
    :ivar threads: of the runtime, or None.
    """

    precision: str
    quantization: QuantizationConfig
    preset: str = ''
    max_crops: int | None = None
    threads: int | None = None


def preset_names() -> list[str]:
    """Names of all presets."""
    return list(_read())


def resolve_settings(precision: str | None = None, preset: str | None = None) -> ExportSettings:
    """Settings from a preset, a precision, or both; the precision overrides the preset's.

    The default is fp32. Raises PresetError.
    """
    if preset is None:
        return ExportSettings(precision or 'fp32', _quantization(precision or 'fp32'))
    presets = _read()
    if preset not in presets:
        raise PresetError(f'there is no preset {preset!r}; use one of {", ".join(presets)}')
    values = presets[preset]
    chosen = precision or values['precision']
    quantization = _quantization(chosen, values['activations'], values['vision'], values['group'])
    return ExportSettings(chosen, quantization, preset, values['max_crops'], values['threads'])


def check_int8_cache(settings: ExportSettings, text: TextConfig) -> None:
    """Raise PresetError, with a hint, if an int8 KV cache is not supported here."""
    if settings.precision in FLOATS:
        raise PresetError(
            '--calibrate quantizes the KV cache to int8, which needs --precision int8 or int4, not '
            f'{settings.precision}'
        )
    if not fits_group_query_attention(text):
        raise PresetError(
            f'an int8 KV cache is not supported for a head dimension of {text.head_dim}; export '
            'without --calibrate'
        )
    needed = min_onnxruntime(dataclasses.replace(settings.quantization, cache='int8'))
    if parse_version(onnxruntime.__version__) < parse_version(needed):
        raise PresetError(
            f'an int8 KV cache needs onnxruntime {needed}, this is {onnxruntime.__version__}: pip '
            f'install "onnxruntime>={needed}", or export without --calibrate'
        )


def _quantization(
    precision: str, activations: str = 'fp32', vision: str = 'int8', group: int = 128
) -> QuantizationConfig:
    if precision not in PRECISIONS:
        raise PresetError(f'the precision must be one of {", ".join(PRECISIONS)}')
    if precision in FLOATS:
        return QuantizationConfig(precision, precision, precision, group, precision)
    return QuantizationConfig(activations, vision, precision, group, activations)


def _read() -> dict[str, dict]:
    return yaml.safe_load(share(_FILE).read_text(encoding='utf-8'))
