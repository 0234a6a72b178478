"""Pictures of scanned things on disk: drawn by workers, gone on with after a stop, read back."""

from __future__ import annotations

import dataclasses
import functools
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kimi_ros.sim import seeds
from kimi_ros.sim.scans.things import Things, load_things, parse_things
from kimi_ros.sim.scans.truth import SEEN, ScanTruth, from_json, scan_truth, to_json

FORMAT = {'format': 'kimi_ros scans', 'version': 1}
_JPEG_QUALITY = 95


class DatasetError(ValueError):
    """A folder holds no such dataset, or another one; the message says which."""


@dataclasses.dataclass(frozen=True)
class ScanPicture:
    """One picture with its truth.

    :ivar seed: of its scene.
    :ivar setting: 'table' or 'backdrop', where things hang in free poses.
    :ivar rgb: uint8 (H, W, 3).
    :ivar instances: int16 (H, W), each pixel's `index` in `objects`, -1 elsewhere.
    :ivar objects: everything that shows a pixel.
    :ivar intrinsics: float64 (3, 3), for pixel centres at whole numbers.
    :ivar distortion: k1 and k2 of `ScanCamera`.
    :ivar camera_pose: float64 (4, 4), optical frame -> base frame.
    """

    seed: int
    setting: str
    rgb: np.ndarray
    instances: np.ndarray
    objects: tuple[ScanTruth, ...]
    intrinsics: np.ndarray
    distortion: tuple[float, float]
    camera_pose: np.ndarray

    def visible_truth(self) -> tuple[ScanTruth, ...]:
        """Return what one asks about: things of which at least `SEEN` is seen."""
        return tuple(o for o in self.objects if o.visible >= SEEN and not o.distractor)

    def doubtful(self) -> tuple[ScanTruth, ...]:
        """Return what one neither asks about nor calls absent: the barely seen, and distractors.

        Of a distractor only its kind is in doubt; its own names do not mean it.
        """
        return tuple(o for o in self.objects if o.visible < SEEN or o.distractor)


class ScanDataset:
    """The finished pictures of a folder, by seed: `len(data)`, `data[i]`.

    :ivar things: the things they show.
    :ivar size: width and height, pixels.
    :raises DatasetError: when the folder holds no dataset.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        note = _note(self.folder)
        if note is None:
            raise DatasetError(f'{folder}: no dataset of scanned things in it (no dataset.json)')
        self.size = tuple(note['size'])
        self.things = parse_things(note['things'], str(self.folder / 'dataset.json'))
        self._truths = sorted((self.folder / 'pictures').glob('*.json'))

    def __len__(self) -> int:
        return len(self._truths)

    def __getitem__(self, index: int) -> ScanPicture:
        path = self._truths[index]
        note = json.loads(path.read_text())
        codes = _read(path.with_suffix('.png'), cv2.IMREAD_GRAYSCALE)
        color = _read(path.with_suffix('.jpg'), cv2.IMREAD_COLOR)
        camera = note['camera']
        return ScanPicture(
            note['seed'],
            note['setting'],
            cv2.cvtColor(color, cv2.COLOR_BGR2RGB),
            codes.astype(np.int16) - 1,
            tuple(from_json(entry) for entry in note['objects']),
            np.array(camera['intrinsics']),
            tuple(camera['distortion']),
            np.array(camera['pose']),
        )

    def __iter__(self) -> Iterator[ScanPicture]:
        return (self[i] for i in range(len(self)))


def open_dataset(folder: Path) -> ScanDataset:
    """Return the dataset in a folder."""
    return ScanDataset(folder)


@dataclasses.dataclass(frozen=True)
class DrawSettings:
    """What a dataset is drawn from.

    :ivar scans: folder of the meshes.
    :ivar things: the things file.
    :ivar pictures: number of pictures.
    :ivar seed: of the first picture; the others follow.
    :ivar size: width and height, pixels, even.
    :ivar backdrops: folder of photographs, or None.
    :ivar effects: strength of the cheap camera's effects, 0-1.
    """

    scans: Path
    things: Path
    pictures: int
    seed: int = 0
    size: tuple[int, int] = (384, 288)
    backdrops: Path | None = None
    effects: float = 1.0


def draw_dataset(
    folder: Path,
    settings: DrawSettings,
    workers: int = 1,
    report: Callable[[int], object] = lambda done: None,
) -> None:
    """Draw what is missing of a dataset.

    :param report: called with the number of pictures that are there, after each one.
    :raises DatasetError: when the folder holds another dataset.
    :raises HeldOutSeedError: when the seeds are partly for training, partly not.
    :raises ThingsError, ScanError, FileNotFoundError: when the things file, a mesh or the backdrops
        cannot be used.
    """
    wanted = range(settings.seed, settings.seed + settings.pictures)
    if wanted[-1] < seeds.FIRST_EVALUATION_SEED:
        seeds.check_training(wanted)
    things = load_things(settings.things)
    sampler = _sampler(
        settings
    )  # before the workers: errors come early, and the cache is made once
    (folder / 'pictures').mkdir(parents=True, exist_ok=True)
    _check_same(folder, settings, things)
    missing = [seed for seed in wanted if not _path(folder, seed).exists()]
    done = len(wanted) - len(missing)
    report(done)
    if workers == 1:
        for seed in missing:
            _draw_one(folder, settings, sampler, seed)
            done += 1
            report(done)
        return
    with multiprocessing.get_context('spawn').Pool(workers) as pool:
        task = functools.partial(_draw_in_worker, folder, settings)
        for _ in pool.imap_unordered(task, missing, chunksize=4):
            done += 1
            report(done)


def _draw_in_worker(folder: Path, settings: DrawSettings, seed: int) -> None:
    _draw_one(folder, settings, _worker_sampler(settings), seed)


@functools.cache
def _worker_sampler(settings: DrawSettings):
    cv2.setNumThreads(1)
    return _sampler(settings)


def _sampler(settings: DrawSettings):
    from kimi_ros.sim.scans.sampling import SceneSampler

    return SceneSampler(load_things(settings.things), settings.scans, settings.backdrops)


def _draw_one(folder: Path, settings: DrawSettings, sampler, seed: int) -> None:
    from kimi_ros.sim.scans.camera_effects import cheap_camera
    from kimi_ros.sim.scans.draw import draw

    scene = sampler.sample(seed)
    drawn = draw(scene, *settings.size)
    frame = drawn.frame
    rgb = cheap_camera(frame.rgb, np.random.default_rng([seed, 25]), settings.effects)
    truth = scan_truth(scene, drawn)
    path = _path(folder, seed)
    color = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _write(path.with_suffix('.jpg'), color, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    _write(path.with_suffix('.png'), (frame.segmentation + 1).astype(np.uint8), [])
    note = {
        'seed': seed,
        'size': list(settings.size),
        'setting': scene.setting,
        'camera': {
            'intrinsics': frame.intrinsics.round(4).tolist(),
            'distortion': [round(k, 5) for k in scene.camera.distortion],
            'pose': frame.camera_pose.round(5).tolist(),
        },
        'objects': [to_json(t) for t in truth],
    }
    # Last, and at once: a picture that has it is whole.
    part = path.with_suffix('.part')
    part.write_text(json.dumps(note))
    os.replace(part, path)


def _path(folder: Path, seed: int) -> Path:
    return folder / 'pictures' / f'{seed:07d}.json'


def _check_same(folder: Path, settings: DrawSettings, things: Things) -> None:
    """Write what the dataset is, or refuse to mix two."""
    note = {
        **FORMAT,
        'size': list(settings.size),
        'effects': settings.effects,
        'things': things.to_dict(),
    }
    note = json.loads(json.dumps(note))
    known = _note(folder)
    if known is not None and known != note:
        different = ', '.join(key for key in note if note[key] != known.get(key))
        raise DatasetError(
            f'{folder}: holds pictures drawn otherwise ({different}): choose another folder'
        )
    (folder / 'dataset.json').write_text(json.dumps(note, ensure_ascii=False, indent=1))


def _note(folder: Path) -> dict[str, Any] | None:
    try:
        note = json.loads((folder / 'dataset.json').read_text(encoding='utf-8'))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DatasetError(f'{folder / "dataset.json"}: {error}') from error
    if not isinstance(note, dict) or any(note.get(k) != v for k, v in FORMAT.items()):
        raise DatasetError(f'{folder / "dataset.json"}: not a dataset of scanned things, version 1')
    return note


def _read(path: Path, flag: int) -> np.ndarray:
    image = cv2.imread(str(path), flag)
    if image is None:
        raise DatasetError(f'{path}: missing or not an image')
    return image


def _write(path: Path, image: np.ndarray, flags: list[int]) -> None:
    ok, data = cv2.imencode(path.suffix, image, flags)
    if not ok:
        raise DatasetError(f'{path}: cannot be encoded')
    path.write_bytes(data.tobytes())
