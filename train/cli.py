"""The command `kimi-train`: nano's making, and weights from other formats."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Run a verb; returns the exit status."""
    parser = argparse.ArgumentParser(prog='kimi-train', description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar='VERB')

    p = verbs.add_parser('convert', help='write the tensors of a .pt file as safetensors')
    p.add_argument('source', type=Path, help='weights or LoRA variant that PyTorch saved')
    p.add_argument('out', type=Path, help='the .safetensors file to write')
    p.set_defaults(run=convert)

    p = verbs.add_parser('nano', help='everything, from rendering to the checkpoint; resumable')
    p.add_argument('folder', type=Path, help='for scenes, stages and the checkpoint')
    p.add_argument('--scenes', type=int, default=30_000)
    p.add_argument('--workers', type=int, default=2, help='rendering processes')
    p.add_argument('--steps', type=int, help="of each stage, instead of the recipe's: for a trial")
    p.set_defaults(run=nano)

    p = verbs.add_parser('render', help='render scenes with labels into a folder')
    p.add_argument('folder', type=Path)
    p.add_argument('--first', type=int, default=0, help='first seed (training: below 1,000,000)')
    p.add_argument('--count', type=int, default=30_000)
    p.add_argument('--workers', type=int, default=2)
    p.set_defaults(run=render)

    p = verbs.add_parser('run', help='train one stage, or the rest of it')
    p.add_argument('scenes', type=Path)
    p.add_argument('start', type=Path, help='folder with config.json and tokenizer.json')
    p.add_argument('out', type=Path, help='folder for last.pt and log.jsonl')
    p.add_argument('--weights', type=Path, help='last.pt or checkpoint to begin from')
    for name, default in _plan_defaults().items():
        flag = '--' + name.replace('_', '-')
        p.add_argument(flag, type=type(default), default=default, help=f'default {default}')
    p.set_defaults(run=run)

    p = verbs.add_parser('save', help='write trained weights as a checkpoint folder')
    p.add_argument('start', type=Path)
    p.add_argument('weights', type=Path)
    p.add_argument('out', type=Path)
    p.set_defaults(run=save)

    args = parser.parse_args(argv)
    try:
        args.run(args)
    except ModuleNotFoundError as error:
        print(
            f"kimi-train: {error.name} is not installed; pip install 'kimi_ros[train]'",
            file=sys.stderr,
        )
        return 1
    except (ValueError, OSError) as error:
        print(f'kimi-train: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('kimi-train: stopped; the same command goes on from the last save', file=sys.stderr)
        return 130
    return 0


def convert(args) -> None:
    """Write a .pt file's tensors as safetensors."""
    from kimi_train.convert import convert

    done = convert(args.source, args.out)
    if done.left_out:
        print(f'left out: {", ".join(done.left_out)}')
    print(f'{done.path}: {done.kind} of {done.tensors} tensors')


def nano(args) -> None:
    """Make nano."""
    from kimi_train.nano.recipe import make_nano

    print(make_nano(args.folder, args.scenes, args.workers, args.steps))


def render(args) -> None:
    """Render a set of scenes."""
    from kimi_train.nano.scenes import render_set
    from kimi_train.nano.sizes import CROP, PATCH

    began = time.monotonic()
    seeds = range(args.first, args.first + args.count)
    render_set(args.folder, seeds, CROP, PATCH, args.workers)
    took = time.monotonic() - began
    print(f'{args.count} scenes in {took:.0f} s, {args.count / took:.0f} frames/s')


def run(args) -> None:
    """Train a stage."""
    from kimi_train.nano.plan import Plan
    from kimi_train.nano.recipe import train
    from kimi_train.nano.scenes import SceneSet

    plan = Plan(**{name: getattr(args, name) for name in _plan_defaults()})
    train(SceneSet.load(args.scenes), args.start, args.out, plan, args.weights)


def save(args) -> None:
    """Write config, tokenizer, tasks and the weights in half precision."""
    from kimi_train.nano.checkpoint import save_checkpoint

    size = save_checkpoint(args.start, args.weights, args.out)
    print(f'{args.out}: {size / 1e6:.1f} MB')


def _plan_defaults() -> dict:
    from kimi_train.nano.plan import Plan

    return {f.name: f.default for f in dataclasses.fields(Plan)}
