"""`python -m bench.gpu`: the 2B model on this machine's GPU, with random weights.

Time per token at context 800, compared with PyTorch and the memory-bandwidth limit; the first
answer about a 640x480 image; a point after its prefix. Missing rows give the reason.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from kimi_ros.vlm import VisionLanguageModel, VlmError
from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.trt.device_memory import Device, open_device
from kimi_ros.vlm.trt.kv_cache import StridedCopy

from .checkpoint import SIZES, random_checkpoint
from .results import Results
from .table import amount, machine_line, spread
from .timing import Timer, interleave
from .worker import Missing

CONTEXT, TOKENS = 800, 20
_BLOCK = 512 << 20
_PASSES = 8
_BITS = {'fp16': 16.0, 'int4': 4 + 16 / 128}  # int4 with an fp16 scale per group of 128
_PICTURE = (480, 640, 3)
FOLDERS = [(target, precision) for target in ('tensorrt', 'onnx') for precision in _BITS]
_PACKAGES = ('tensorrt', 'onnxruntime-gpu', 'torch', 'pycuda', 'cuda-bindings')


class Card:
    """Memory bandwidth of the GPU, measured with device-to-device copies."""

    def __init__(self, device: Device) -> None:
        self._device = device
        with device.current():
            self._blocks = [device.allocate(_BLOCK) for _ in range(2)]
        rows, width = 512, _BLOCK // 512
        self._all = StridedCopy(width, rows, 1, width, rows, 0, width, rows)

    def speed(self) -> float:
        """Bytes per second, read and written."""
        with self._device.current():
            self._device.synchronize()
            with Timer() as watch:
                for _ in range(_PASSES):
                    self._device.copy(*self._blocks, self._all)
                self._device.synchronize()
        return 2 * _PASSES * _BLOCK / watch.seconds


class Model:
    """One exported folder."""

    def __init__(self, folder: Path) -> None:
        self._vlm = VisionLanguageModel.load(folder, device='cuda')
        self._engine = self._vlm._engine
        self._random = np.random.default_rng(0)

    def token(self) -> float:
        """Seconds per token at CONTEXT: embedding, decoder, head, argmax."""
        engine, token = self._engine, 10
        engine.rewind(0)
        engine.step(engine.embed_tokens(self._random.integers(10, 700, CONTEXT).tolist()))
        with Timer() as watch:
            for _ in range(TOKENS):
                token = engine.token(engine.step(engine.embed_tokens([token])))
        return watch.seconds / TOKENS

    def first_answer(self) -> float:
        """Seconds from the pixels of a new image to the first token."""
        rgb = self._random.integers(0, 256, _PICTURE, np.uint8)
        with Timer() as watch:
            self._vlm.query(self._vlm.encode_image(rgb), 'What is this?', max_tokens=1)
        return watch.seconds

    def point(self) -> float:
        """Seconds of one point with the image prefix in the KV cache."""
        image = self._vlm.encode_image(self._random.integers(0, 256, _PICTURE, np.uint8))
        self._vlm.query(image, 'What is this?', max_tokens=1)
        with Timer() as watch:
            self._vlm.point(image, 'cup', max_objects=1)
        return watch.seconds

    def close(self) -> None:
        """Free the GPU memory."""
        self._vlm.close()


class Torch:
    """bench.torch_decoder on the GPU in fp16, eager or compiled."""

    def __init__(self, compiled: bool) -> None:
        from .torch_decoder import TorchDecoder, torch

        if not torch.cuda.is_available():
            raise Missing('PyTorch is installed without CUDA, or finds no GPU')
        with torch.device('cuda'):
            self._decoder = TorchDecoder(1, 'float16')
        if compiled:
            # Uses CUDA graphs, as our own decoder does.
            self._decoder._next = torch.compile(self._decoder._next, mode='reduce-overhead')
        self._torch = torch

    def token(self) -> float:
        """Seconds per token at CONTEXT."""
        with self._torch.device('cuda'):
            return self._decoder.step(CONTEXT, TOKENS)

    def close(self) -> None:
        """Free the GPU memory."""
        del self._decoder
        self._torch.cuda.empty_cache()


def main() -> int:
    """Measure, print and write JSON; missing rows are not an error."""
    parser = argparse.ArgumentParser(prog='python -m bench.gpu', description=__doc__)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--out', type=Path, default=Path('out/bench-gpu.json'))
    parser.add_argument('--work', type=Path, default=Path('out/bench'))
    options = parser.parse_args()
    found = measure(options.work, options.repeats)
    found.save(options.out)
    Console(width=None if sys.stdout.isatty() else 120).print(render(found))
    return 0


def measure(work: Path, repeats: int) -> Results:
    """All rows, one system on the GPU at a time."""
    found = Results(_versions() | {'repeats': repeats})
    with _row(found, 'copy'):
        device = open_device()
        try:
            found.machine |= {'card': device.name, 'memory_GB': round(device.total / 1e9, 1)}
            card = Card(device)
            card.speed()
            found.add(
                'copy', 'memory bandwidth (copy)', 'B/s', [card.speed() for _ in range(repeats)]
            )
        finally:
            device.close()
    for target, precision in FOLDERS:
        key = f'{target}.{precision}'
        with _row(found, key):
            if 'copy' not in found.figures:
                raise Missing('no GPU')
            model = Model(_exported(work, target, precision))
            try:
                calls = {
                    'token': model.token,
                    'first_answer': model.first_answer,
                    'point': model.point,
                }
                _add(found, key, calls, repeats)
            finally:
                model.close()
            _limit(found, key, precision)
    for compiled in (False, True):
        key = 'torch.compiled' if compiled else 'torch.eager'
        with _row(found, key):
            model = Torch(compiled)
            _add(found, key, {'token': model.token}, repeats)
            model.close()
    return found


def render(found: Results) -> Table:
    """A table of all figures, and the reasons for missing ones."""
    table = Table('figure', 'median', 'repeats', 'from ... to', '', title=machine_line(found))
    for figure in found.figures.values():
        table.add_row(
            figure.label,
            amount(figure.median, figure.unit),
            str(len(figure.values)),
            spread(figure),
            figure.note,
        )
    for key, reason in found.missing.items():
        table.add_row(key, 'missing', '', '', reason)
    return table


def token_bytes(precision: str) -> float:
    """Bytes read per token at CONTEXT: blocks, head, and an fp16 KV cache."""
    text = ModelConfig().text
    weights = text.n_layers * text.dim * (4 * text.dim + 2 * text.ff_dim)
    weights += text.vocab_size * text.dim
    cache = CONTEXT * 2 * text.n_layers * text.n_kv_heads * text.head_dim * 2
    return weights * _BITS[precision] / 8 + cache


def _add(found: Results, key: str, calls: dict[str, Callable[[], float]], repeats: int) -> None:
    for name, seconds in interleave(calls, repeats).items():
        found.add(f'{key}.{name}', f'{key}: {name.replace("_", " ")}', 's', seconds)


def _limit(found: Results, key: str, precision: str) -> None:
    seconds = token_bytes(precision) / found.median('copy')
    share = seconds / found.median(f'{key}.token')
    found.add(
        f'{key}.bandwidth_limit',
        f'{key}: memory-bandwidth limit',
        's',
        [seconds],
        f'{share:.0%} reached',
    )


@contextmanager
def _row(found: Results, key: str):
    """Record the reason for a missing row and go on."""
    try:
        yield
    except (Missing, VlmError, subprocess.CalledProcessError) as error:
        said = getattr(error, 'stderr', None) or str(error)
        found.missing[key] = said.strip().splitlines()[-1]


def _exported(work: Path, target: str, precision: str) -> Path:
    out = work / f'gpu-{target}-{precision}'
    checkpoint = random_checkpoint(work / 'checkpoint-2b', SIZES['2b'])
    command = [sys.executable, '-m', 'kimi_export', str(checkpoint), str(out)]
    command += ['--target', target, '--precision', precision, '--preset', 'desktop_gpu']
    subprocess.run(command, check=True, capture_output=True, text=True)
    return out


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = 'not installed'
    return found


if __name__ == '__main__':
    sys.exit(main())
