"""The command kimi-export."""

from __future__ import annotations

import argparse
import sys

from .errors import ExportError


def main(arguments: list[str] | None = None) -> int:
    """Export a checkpoint; 0 when a folder was written, 1 with a message otherwise."""
    options = _parser().parse_args(arguments)
    from .pipeline import export_model
    from .progress import Lines

    try:
        folder = export_model(
            options.checkpoint, options.out, options.config, options.tokenizer, Lines()
        )
    except ExportError as error:
        print(f'kimi-export: {error}', file=sys.stderr)
        return 1
    print(folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='kimi-export',
        description='Turn a Moondream 2 checkpoint into a folder that kimi_ros loads.',
    )
    parser.add_argument('checkpoint', help='safetensors file, shard index, or folder')
    parser.add_argument('out', help='folder to write; an earlier export there is replaced')
    parser.add_argument('--config', help='config.json, where it is not beside the checkpoint')
    parser.add_argument('--tokenizer', help='tokenizer.json, where it is not beside the checkpoint')
    parser.add_argument('--precision', choices=['fp32'], default='fp32')
    parser.add_argument('--target', choices=['onnx'], default='onnx')
    return parser
