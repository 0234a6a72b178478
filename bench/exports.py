"""Model folders of random checkpoints, cached on disk until the exporter changes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.sim import recorded_frames

from .checkpoint import SIZES, random_checkpoint
from .results import Results

_ROOT = Path(__file__).resolve().parents[1]
_SOURCES = (
    'export/*.py',
    'kimi_ros/vlm/quantization.py',
    'kimi_ros/vlm/config.py',
    'config/presets.yaml',
    'bench/checkpoint.py',
)
_SIDE, _NOISE = 378, 2


class ExportFailed(Exception):
    """kimi-export failed; the message is its output."""


@dataclass(frozen=True)
class Kind:
    """A model folder: the checkpoint's size and the export settings."""

    name: str
    size: str
    precision: str
    calibrated: bool = False


INT4 = Kind('2b-int4', '2b', 'int4')
INT4_CACHE8 = Kind('2b-int4-cache8', '2b', 'int4', calibrated=True)
FP32_VISION = Kind('2b-vision-fp32', '2b-vision', 'fp32')


@dataclass(frozen=True)
class Export:
    """Time and peak memory of an export."""

    seconds: float
    peak: int


class Exports:
    """The folders below one place."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def folder(self, kind: Kind) -> str:
        """The folder, exported now where there is none of this exporter."""
        stamp = self._place / f'{kind.name}.made_by'
        if not stamp.is_file() or stamp.read_text() != _digest():
            self.export(kind)
        return str(self._place / kind.name)

    def export(self, kind: Kind) -> Export:
        """Export in a process of its own, by the command that users have."""
        size = SIZES[kind.size]
        checkpoint = random_checkpoint(self._place / f'checkpoint-{size.name}', size)
        out, digest = self._place / kind.name, _digest()
        command = [sys.executable, '-m', 'kimi_export', str(checkpoint), str(out)]
        command += ['--precision', kind.precision]
        if kind.calibrated:
            command += ['--calibrate', str(self._pictures())]
        started = time.perf_counter()
        with (self._place / f'{kind.name}.log').open('w+') as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                # wait4, which returns the resource usage of this child.
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.terminate()
                process.wait()
                raise
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                log.seek(0)
                raise ExportFailed(f'{" ".join(command)}: {log.read()[-2000:]}')
        (self._place / f'{kind.name}.made_by').write_text(digest)
        return Export(seconds, usage.ru_maxrss * 1024)

    def _pictures(self) -> Path:
        folder = self._place / 'pictures'
        folder.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(np.ascontiguousarray(recorded_frames()[0].frame.rgb))
        pictures = [picture.resize((_SIDE, _SIDE))]  # small enough for one crop
        # With random weights a rendered scene alone gives calibration ranges that are too narrow.
        random = np.random.default_rng(0)
        for _ in range(_NOISE):
            pictures.append(Image.fromarray(random.integers(0, 256, (_SIDE, _SIDE, 3), np.uint8)))
        for index, picture in enumerate(pictures):
            picture.save(folder / f'{index}.png')
        return folder


def measure(exports: Exports) -> Results:
    """The export of a 2B checkpoint to int4; once, since it takes minutes."""
    found, export = Results(), exports.export(INT4)
    found.add('export.int4.time', 'export of 2B to int4', 's', [export.seconds], 'once')
    found.add('export.int4.memory', 'its largest resident memory', 'B', [export.peak], 'once')
    return found


def _digest() -> str:
    """Digest of all sources that affect an export."""
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for file in sorted(_ROOT.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()
