"""The command `kimi-train`: render scenes, make the tokenizer, train, write a checkpoint."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np


def main(argv: list[str] | None = None) -> int:
    """Run a verb; returns the exit status."""
    parser = argparse.ArgumentParser(prog='kimi-train', description=__doc__)
    verbs = parser.add_subparsers(required=True)

    p = verbs.add_parser('render', help='render scenes with labels into a folder')
    p.add_argument('folder', type=Path)
    p.add_argument('--first', type=int, default=0, help='first seed (training: below 1,000,000)')
    p.add_argument('--count', type=int, default=30_000)
    p.add_argument('--workers', type=int, default=2)
    p.set_defaults(run=render)

    p = verbs.add_parser('tokenizer', help="make nano's tokenizer and config")
    p.add_argument('scenes', type=Path)
    p.add_argument('out', type=Path)
    p.set_defaults(run=tokenizer)

    p = verbs.add_parser('run', help='train a stage')
    p.add_argument('scenes', type=Path)
    p.add_argument('start', type=Path, help='folder with config.json and tokenizer.json')
    p.add_argument(
        'out', type=Path, help='folder for last.pt and log.jsonl; an unfinished run there goes on'
    )
    p.add_argument('--weights', type=Path, help='begin from the weights of this .pt')
    p.add_argument('--steps', type=int, required=True)
    p.add_argument('--images', type=int, default=16)
    p.add_argument('--rate', type=float, default=2e-3)
    p.add_argument('--warmup', type=int, default=100)
    p.add_argument('--decay', type=int, default=500)
    p.add_argument('--short', type=int, default=0, help='short questions for each image')
    p.add_argument('--long', type=int, default=0, help='plans and captions for each image')
    p.add_argument('--patches', type=float, default=1.0, help="weight of the patches' labels")
    p.add_argument('--vision-rate', type=float, default=1.0)
    p.add_argument('--seed', type=int, default=0)
    p.set_defaults(run=run)

    p = verbs.add_parser('save', help='write a trained model as a checkpoint folder')
    p.add_argument('start', type=Path)
    p.add_argument('weights', type=Path)
    p.add_argument('out', type=Path)
    p.set_defaults(run=save)

    args = parser.parse_args(argv)
    return args.run(args) or 0


def render(args) -> None:
    """Render a set of scenes."""
    from kimi_train.nano import CROP, PATCH
    from kimi_train.scenes import render_set

    began = time.monotonic()
    seeds = range(args.first, args.first + args.count)
    render_set(args.folder, seeds, CROP, PATCH, args.workers)
    took = time.monotonic() - began
    print(f'{args.count} scenes in {took:.0f} s, {args.count / took:.0f} frames/s')


def tokenizer(args) -> None:
    """Train the tokenizer on questions about the scenes; write it and the config."""
    from kimi_train.corpus import corpus
    from kimi_train.nano import build_tokenizer, config_with, description
    from kimi_train.scenes import SceneSet

    rows = SceneSet.load(args.scenes).objects
    made = build_tokenizer(corpus(rows, np.random.default_rng(0)))
    args.out.mkdir(parents=True, exist_ok=True)
    made.save(str(args.out / 'tokenizer.json'))
    config = json.dumps(config_with(made), indent=1)
    (args.out / 'config.json').write_text(config + '\n')
    (args.out / 'tasks.json').write_text(description() + '\n')


def run(args) -> None:
    """Train a stage, from where it was left."""
    import torch

    from kimi_train.batches import BatchMaker
    from kimi_train.checkpoint import load_start
    from kimi_train.loop import Plan, Trainer
    from kimi_train.nano import initialise
    from kimi_train.questions import QuestionWriter
    from kimi_train.scenes import SceneSet

    torch.manual_seed(args.seed)
    torch.set_flush_denormal(True)
    names = (
        'steps',
        'images',
        'rate',
        'warmup',
        'decay',
        'short',
        'long',
        'patches',
        'vision_rate',
    )
    plan = Plan(**{n: getattr(args, n) for n in names}, seed=args.seed)
    model, words = load_start(args.start)
    initialise(model)
    trainer = Trainer(model, plan)
    last = args.out / 'last.pt'
    if last.exists():
        trainer.load(last)
        print(f'going on from step {trainer.step}')
    elif args.weights:
        trainer.load(args.weights, weights_only=True)
    args.out.mkdir(parents=True, exist_ok=True)
    writer = QuestionWriter(model.config, words)
    trainer.run(BatchMaker(SceneSet.load(args.scenes), writer, args.images, args.seed), args.out)


def save(args) -> None:
    """Write config, tokenizer, tasks and the weights in half precision."""
    from kimi_train.checkpoint import save_checkpoint

    size = save_checkpoint(args.start, args.weights, args.out)
    print(f'{args.out}: {size / 1e6:.1f} MB')
