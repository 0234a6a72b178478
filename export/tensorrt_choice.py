"""What an export for TensorRT is to be, and the command that makes it again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from kimi_ros.vlm.layout import Layout

from .presets import Choice, PresetError, choose


def choose_for_tensorrt(
    precision: str | None = None, preset: str | None = None, calibrated: bool = False
) -> Choice:
    """As presets.choose, but fp16 where nothing is asked for.

    Activations, encoder and cache are halves unless the precision is fp32: TensorRT has weights in
    few bits for the decoder's sake, which reads all of them for every token. Raises PresetError.
    """
    if calibrated:
        raise PresetError(
            'scales of an 8-bit cache are for onnxruntime: leave --calibrate out, or --target '
            'tensorrt'
        )
    choice = choose(precision or (None if preset else 'fp16'), preset)
    floats = 'fp32' if choice.precision == 'fp32' else 'fp16'
    layout = Layout(floats, floats, choice.precision, choice.layout.group, floats)
    return replace(choice, layout=layout, threads=None)


def rebuild_command(
    checkpoint: str | Path,
    out: Path,
    choice: Choice,
    config: str | Path | None,
    tokenizer: str | Path | None,
    lora: str | Path | None,
) -> str:
    """The command line that builds the folder again, with whole paths."""
    command = ['kimi-export', _whole(checkpoint), _whole(out), '--target', 'tensorrt']
    command += ['--precision', choice.precision]
    for option, value in (
        ('--preset', choice.preset),
        ('--config', config and _whole(config)),
        ('--tokenizer', tokenizer and _whole(tokenizer)),
        ('--lora', lora and _whole(lora)),
    ):
        if value:
            command += [option, str(value)]
    return shlex.join(command)


def _whole(place: str | Path) -> str:
    """An absolute path; what is none, hub:owner/name for instance, stays as it is."""
    text = str(place)
    return text if text.startswith('hub:') else str(Path(text).expanduser().absolute())
