"""Making nano: how fast tables are rendered, training scenes made, and lessons learnt from them."""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from .results import Results
from .timing import Watch, interleave
from .worker import Missing, Worker

SIDE = 224
_WORLDS = ('small', 'full')
_FRAMES = 60  # in a repeat
_SCENES, _FEW = 300, 4  # of the training set; the few tell what starting takes
_WORKERS = 2
_STUDIES = {'encoder': 'the encoder alone', 'all': 'everything'}
_PRECISIONS = ('fp32', 'bf16')


class Rendering:
    """Frames of one table, with colour, labels and the truth, on one core."""

    def __init__(self, threads: int, world: str) -> None:
        from kimi_ros.sim import GLNotAvailable, Renderer

        if hasattr(os, 'sched_setaffinity'):  # OSMesa takes all cores that it may
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self._world = world
        try:
            self._renderer = Renderer(SIDE, SIDE)
        except GLNotAvailable as error:
            raise Missing(str(error)) from error

    def turn(self, frames: int) -> dict[str, float]:
        """Frames a second by processor and by wall time, and seconds to sample one's scene."""
        from kimi_ros.sim import sample_scene, visible_truth

        with Watch() as sampling:
            scenes = [sample_scene(seed, self._world) for seed in range(frames)]
        began = time.process_time()
        with Watch() as rendering:
            for scene in scenes:
                visible_truth(scene, self._renderer.render(scene, depth=False))
        processor = time.process_time() - began
        return {
            'sample': sampling.seconds / frames,
            'cpu': frames / processor,
            'wall': frames / rendering.seconds,
        }


class SceneSets:
    """Sets of scenes to train on, rendered into a folder as the recipe has it."""

    def __init__(self, threads: int) -> None:
        from kimi_ros.resources import share
        from kimi_ros.sim import GLNotAvailable, Renderer

        vision = json.loads((share('models/nano') / 'config.json').read_text())['vision']
        self._sizes = vision['crop_size'], vision['enc_patch_size']
        try:  # here: a process of a pool could not say it
            Renderer(SIDE, SIDE).close()
        except GLNotAvailable as error:
            raise Missing(str(error)) from error

    def seconds(self, folder: str, scenes: int) -> float:
        """From nothing to so many scenes on disk."""
        from kimi_train.nano.scenes import render_set

        with Watch() as watch:
            render_set(Path(folder), range(scenes), *self._sizes, _WORKERS)
        return watch.seconds


def measure(threads: int, repeats: int) -> Results:
    """Rendering, a training set of it, and steps of both stages in both precisions."""
    found = Results()
    with tempfile.TemporaryDirectory() as folder:
        _rendering(found, threads, repeats)
        try:
            _scene_sets(found, folder, threads, repeats)
        except Missing as reason:
            found.missing |= dict.fromkeys(_learning_keys(), f'there are no scenes: {reason}')
        else:
            _learning(found, folder, threads, repeats)
    return found


def _rendering(found: Results, threads: int, repeats: int) -> None:
    with ExitStack() as stack:
        try:
            tables = {
                world: stack.enter_context(Worker('rendering', threads, world=world))
                for world in _WORLDS
            }
        except Missing as reason:
            found.missing |= {f'school.render.{world}.wall': str(reason) for world in _WORLDS}
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
                f'school.render.{world}.{key}',
                f'frames of the {world} table, by {by} time',
                '/s',
                [value[key] for value in values],
                note,
            )
        found.add(
            f'school.sample.{world}',
            f'sampling a scene of the {world} table',
            's',
            [value['sample'] for value in values],
        )


def _scene_sets(found: Results, folder: str, threads: int, repeats: int) -> None:
    try:
        sets = Worker('scene_sets', threads)
    except Missing as reason:
        found.missing['school.scenes'] = str(reason)
        raise
    with sets:

        def speed() -> float:
            few, all_of_them = (
                sets.call('seconds', folder=folder, scenes=count) for count in (_FEW, _SCENES)
            )
            return (_SCENES - _FEW) / (all_of_them - few)

        # Every repeat starts its processes anew: there is nothing to warm up.
        speeds = interleave({'scenes': speed}, repeats, warm_up=False)['scenes']
    found.add(
        'school.scenes',
        'scenes to train on',
        '/s',
        speeds,
        f'{_WORKERS} processes, whose starting is not counted',
    )


def _learning(found: Results, folder: str, threads: int, repeats: int) -> None:
    with ExitStack() as stack:
        calls = {}
        try:
            for study in _STUDIES:
                for precision in _PRECISIONS:
                    pupil = stack.enter_context(
                        Worker('lessons', threads, folder=folder, study=study, precision=precision)
                    )
                    calls[f'{study}.{precision}'] = lambda pupil=pupil: pupil.call('turn')
        except Missing as reason:
            found.missing |= dict.fromkeys(_learning_keys(), str(reason))
            return
        turns = interleave(calls, repeats)
    for name, values in turns.items():
        study, precision = name.split('.')
        making = sum(value['making'] for value in values) / len(values)
        note = f'{making:.0%} of the time makes batches'
        found.add(
            f'school.images.{name}',
            f'images, {_STUDIES[study]}, {precision}',
            '/s',
            [value['images'] for value in values],
            note,
        )
        if study == 'all':
            found.add(
                f'school.questions.{precision}',
                f'questions learnt from, {precision}',
                '/s',
                [value['questions'] for value in values],
            )
    for key, label, above, below in (
        ('encoder', 'the encoder alone, bf16 against fp32', 'encoder.bf16', 'encoder.fp32'),
        ('all', 'everything, bf16 against fp32', 'all.bf16', 'all.fp32'),
        ('alone', 'images, the encoder alone against everything, bf16', 'encoder.bf16', 'all.bf16'),
    ):
        pairs = zip(turns[above], turns[below], strict=True)
        found.add(f'school.ratio.{key}', label, 'x', [a['images'] / b['images'] for a, b in pairs])


def _learning_keys() -> list[str]:
    return [f'school.images.{study}.{precision}' for study in _STUDIES for precision in _PRECISIONS]
