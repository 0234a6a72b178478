"""Benchmark of training nano: rendering, data generation and training throughput."""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from .results import Results
from .timing import Timer, interleave
from .worker import Missing, Worker

SIDE = 224
_WORLDS = ('small', 'full')
_FRAMES = 60  # in a repeat
_SCENES, _FEW = 300, 4  # in the training set; the few measure the start-up time
_WORKERS = 2
_TRAINED = {'encoder': 'image encoder only', 'all': 'full model'}
_PRECISIONS = ('fp32', 'bf16')


class Rendering:
    """Renders frames with colour, labels and ground truth, on one core."""

    def __init__(self, threads: int, world: str) -> None:
        from kimi_ros.sim import GLNotAvailable, Renderer

        if hasattr(os, 'sched_setaffinity'):  # OSMesa would use all cores
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self._world = world
        try:
            self._renderer = Renderer(SIDE, SIDE)
        except GLNotAvailable as error:
            raise Missing(str(error)) from error

    def turn(self, frames: int) -> dict[str, float]:
        """Frames per second by CPU and by wall time, and seconds to sample one scene."""
        from kimi_ros.sim import sample_scene, visible_truth

        with Timer() as sampling:
            scenes = [sample_scene(seed, self._world) for seed in range(frames)]
        started = time.process_time()
        with Timer() as rendering:
            for scene in scenes:
                visible_truth(scene, self._renderer.render(scene, depth=False))
        processor = time.process_time() - started
        return {
            'sample': sampling.seconds / frames,
            'cpu': frames / processor,
            'wall': frames / rendering.seconds,
        }


class SceneSets:
    """Generates training scenes in a folder, as the recipe does."""

    def __init__(self, threads: int) -> None:
        from kimi_ros.resources import share
        from kimi_ros.sim import GLNotAvailable, Renderer

        vision = json.loads((share('models/nano') / 'config.json').read_text())['vision']
        self._sizes = vision['crop_size'], vision['enc_patch_size']
        try:  # here: a pool process could not report it
            Renderer(SIDE, SIDE).close()
        except GLNotAvailable as error:
            raise Missing(str(error)) from error

    def seconds(self, folder: str, scenes: int) -> float:
        """Time to generate so many scenes on disk."""
        from kimi_train.nano.scenes import render_set

        with Timer() as watch:
            render_set(Path(folder), range(scenes), *self._sizes, _WORKERS)
        return watch.seconds


def measure(threads: int, repeats: int) -> Results:
    """Rendering, data generation, and training steps of both stages in both precisions."""
    found = Results()
    with tempfile.TemporaryDirectory() as folder:
        _rendering(found, threads, repeats)
        try:
            _scene_sets(found, folder, threads, repeats)
        except Missing as reason:
            found.missing |= dict.fromkeys(_training_keys(), f'no scenes: {reason}')
        else:
            _training(found, folder, threads, repeats)
    return found


def _rendering(found: Results, threads: int, repeats: int) -> None:
    with ExitStack() as stack:
        try:
            tables = {
                world: stack.enter_context(Worker('rendering', threads, world=world))
                for world in _WORLDS
            }
        except Missing as reason:
            found.missing |= {f'training.render.{world}.wall': str(reason) for world in _WORLDS}
            return
        calls = {
            world: lambda table=table: table.call('turn', frames=_FRAMES)
            for world, table in tables.items()
        }
        turns = interleave(calls, repeats)
    note = f'{SIDE}x{SIDE}, colour, labels and truth; one core'
    for world, values in turns.items():
        for key, by in (('cpu', 'processor'), ('wall', 'wall')):
            found.add(
                f'training.render.{world}.{key}',
                f'frames of the {world} table, by {by} time',
                '/s',
                [value[key] for value in values],
                note,
            )
        found.add(
            f'training.sample.{world}',
            f'sampling a scene of the {world} table',
            's',
            [value['sample'] for value in values],
        )


def _scene_sets(found: Results, folder: str, threads: int, repeats: int) -> None:
    try:
        sets = Worker('scene_sets', threads)
    except Missing as reason:
        found.missing['training.scenes'] = str(reason)
        raise
    with sets:

        def speed() -> float:
            few, all_of_them = (
                sets.call('seconds', folder=folder, scenes=count) for count in (_FEW, _SCENES)
            )
            return (_SCENES - _FEW) / (all_of_them - few)

        # Every repeat starts new processes: there is nothing to warm up.
        speeds = interleave({'scenes': speed}, repeats, warm_up=False)['scenes']
    found.add(
        'training.scenes',
        'training scenes generated',
        '/s',
        speeds,
        f'{_WORKERS} processes, start-up not included',
    )


def _training(found: Results, folder: str, threads: int, repeats: int) -> None:
    with ExitStack() as stack:
        calls = {}
        try:
            for trained in _TRAINED:
                for precision in _PRECISIONS:
                    worker = stack.enter_context(
                        Worker(
                            'training_throughput',
                            threads,
                            folder=folder,
                            trained=trained,
                            precision=precision,
                        )
                    )
                    calls[f'{trained}.{precision}'] = lambda worker=worker: worker.call('turn')
        except Missing as reason:
            found.missing |= dict.fromkeys(_training_keys(), str(reason))
            return
        turns = interleave(calls, repeats)
    for name, values in turns.items():
        trained, precision = name.split('.')
        making = sum(value['making'] for value in values) / len(values)
        note = f'{making:.0%} of the time for batch preparation'
        found.add(
            f'training.images.{name}',
            f'images, {_TRAINED[trained]}, {precision}',
            '/s',
            [value['images'] for value in values],
            note,
        )
        if trained == 'all':
            found.add(
                f'training.questions.{precision}',
                f'questions trained on, {precision}',
                '/s',
                [value['questions'] for value in values],
            )
    for key, label, above, below in (
        ('encoder', 'image encoder only, bf16 against fp32', 'encoder.bf16', 'encoder.fp32'),
        ('all', 'full model, bf16 against fp32', 'all.bf16', 'all.fp32'),
        (
            'alone',
            'images, image encoder only against full model, bf16',
            'encoder.bf16',
            'all.bf16',
        ),
    ):
        pairs = zip(turns[above], turns[below], strict=True)
        found.add(
            f'training.ratio.{key}', label, 'x', [a['images'] / b['images'] for a, b in pairs]
        )


def _training_keys() -> list[str]:
    return [
        f'training.images.{trained}.{precision}'
        for trained in _TRAINED
        for precision in _PRECISIONS
    ]
