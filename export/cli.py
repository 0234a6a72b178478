"""The command kimi-export."""

from __future__ import annotations

import argparse
import signal
import sys

from kimi_ros.vlm.errors import VlmError

from .errors import ExportError
from .known import known_checkpoints
from .releases import RELEASES

_INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended


def main(arguments: list[str] | None = None) -> int:
    """Export a checkpoint; 0 when a folder was written, 1 with a message otherwise."""
    options = _parser().parse_args(arguments)
    # Clean up after SIGTERM as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from .pipeline import export_model
    from .progress import TerminalProgress

    progress = TerminalProgress()
    try:
        folder = export_model(
            options.checkpoint,
            options.out,
            options.config,
            options.tokenizer,
            progress,
            precision=options.precision,
            preset=options.preset,
            calibrate=options.calibrate,
            verify=options.verify,
            lora=options.lora,
            target=options.target,
            release=options.release,
        )
    except (ExportError, VlmError, OSError) as error:
        progress.close()
        print(f'kimi-export: {error}', file=sys.stderr)
        return 1
    except MemoryError:
        progress.close()
        print('kimi-export: not enough memory for this checkpoint', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.close()
        print('kimi-export: interrupted, nothing was written', file=sys.stderr)
        return _INTERRUPTED
    progress.close()
    print(folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='kimi-export',
        description='Export a Moondream 2 checkpoint to a model folder for kimi_ros.',
    )
    parser.add_argument(
        'checkpoint',
        help='safetensors file, shard index, folder, hub:owner/name@revision, or one of '
        + ', '.join(known_checkpoints()),
    )
    parser.add_argument('out', help='output folder; an earlier export there is replaced')
    parser.add_argument('--config', help='config.json, if it is not next to the checkpoint')
    parser.add_argument(
        '--tokenizer',
        help='tokenizer.json or hub:owner/name@revision, if not the one next to the checkpoint',
    )
    parser.add_argument(
        '--release',
        metavar='TAG',
        help=f'release of Moondream 2, if the checkpoint does not tell: {", ".join(RELEASES)}',
    )
    parser.add_argument(
        '--precision',
        choices=['fp32', 'fp16', 'int8', 'int4'],
        help="default: the preset's, or fp32 (fp16 for TensorRT)",
    )
    parser.add_argument(
        '--target',
        choices=['onnx', 'tensorrt'],
        default='onnx',
        help='ONNX graphs for ONNX Runtime, or TensorRT engines for the GPU of this machine',
    )
    from .settings import preset_names

    presets = ', '.join(preset_names())
    parser.add_argument(
        '--preset', metavar='NAME', help=f'settings for a kind of machine: {presets}'
    )
    parser.add_argument(
        '--calibrate', metavar='FOLDER', help='sample images; quantize the KV cache to int8'
    )
    parser.add_argument('--lora', metavar='ADAPTER', help='LoRA adapter to merge (.safetensors)')
    parser.add_argument(
        '--verify', metavar='FOLDER', help='sample images; measure the difference from fp32'
    )
    return parser
