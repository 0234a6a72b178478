"""Export settings for TensorRT, and the command that rebuilds the engines."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from kimi_ros.vlm.quantization import QuantizationConfig

from .known import known_checkpoint
from .settings import ExportSettings, PresetError, resolve_settings


def resolve_tensorrt_settings(
    precision: str | None = None, preset: str | None = None, calibrated: bool = False
) -> ExportSettings:
    """As settings.resolve_settings, but the default precision is fp16.

    Activations, image encoder and cache are fp16 unless the precision is fp32. Only the decoder,
    which reads all its weights for every token, is quantized. Raises PresetError.
    """
    if calibrated:
        raise PresetError(
            '--calibrate (an int8 KV cache) is not supported with --target tensorrt; omit one of '
            'them'
        )
    settings = resolve_settings(precision or (None if preset else 'fp16'), preset)
    floats = 'fp32' if settings.precision == 'fp32' else 'fp16'
    quantization = QuantizationConfig(
        floats, floats, settings.precision, settings.quantization.group, floats
    )
    return replace(settings, quantization=quantization, threads=None)


def rebuild_command(
    checkpoint: str | Path,
    out: Path,
    settings: ExportSettings,
    config: str | Path | None,
    tokenizer: str | Path | None,
    lora: str | Path | None,
    release: str | None,
) -> str:
    """The command line that rebuilds the folder, with absolute paths."""
    command = ['kimi-export', _absolute(checkpoint), _absolute(out), '--target', 'tensorrt']
    command += ['--precision', settings.precision]
    for option, value in (
        ('--preset', settings.preset),
        ('--config', config and _absolute(config)),
        ('--tokenizer', tokenizer and _absolute(tokenizer)),
        ('--lora', lora and _absolute(lora)),
        ('--release', release),
    ):
        if value:
            command += [option, str(value)]
    return shlex.join(command)


def _absolute(place: str | Path) -> str:
    """The absolute path; a name on the hub or of a known checkpoint is returned unchanged."""
    text = str(place)
    by_name = text.startswith('hub:') or known_checkpoint(text)
    return text if by_name else str(Path(text).expanduser().absolute())
