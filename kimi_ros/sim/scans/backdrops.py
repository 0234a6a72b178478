"""What lies behind things in free poses: photographs of a folder, or collages of patterns."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from kimi_ros.sim.scans.patterns import SIZE, draw_pattern

_SUFFIXES = ('.jpg', '.jpeg', '.png')


class Backdrops:
    """Photographs to paste things on; without a folder, collages that are busy as photographs are.

    Choose photographs that show none of the things: whatever they show counts as absent.

    :param folder: of JPEG and PNG files, also in folders below; or None.
    :raises FileNotFoundError: when the folder holds none.
    """

    def __init__(self, folder: Path | None = None):
        self._files: list[Path] = []
        if folder is not None:
            self._files = sorted(
                p for p in Path(folder).rglob('*') if p.suffix.lower() in _SUFFIXES
            )
            if not self._files:
                raise FileNotFoundError(f'{folder}: no JPEG or PNG file in it')

    def draw(self, rng: np.random.Generator, aspect: float) -> np.ndarray:
        """Return some of a photograph, uint8 (H, W, 3), with W about `aspect` times H."""
        image = self._photograph(rng) if self._files else _collage(rng)
        height, width = image.shape[:2]
        share = rng.uniform(0.55, 1.0)
        rows, columns = min(height, width / aspect) * share, min(width, height * aspect) * share
        y, x = rng.uniform(0, height - rows), rng.uniform(0, width - columns)
        crop = image[int(y) : int(y + rows), int(x) : int(x + columns)]
        return np.ascontiguousarray(crop[:, ::-1] if rng.random() < 0.5 else crop)

    def draw_square(self, rng: np.random.Generator) -> np.ndarray:
        """Return some of a photograph as a pattern has it, uint8 (SIZE, SIZE, 3)."""
        return cv2.resize(self.draw(rng, 1.0), (SIZE, SIZE))

    def _photograph(self, rng) -> np.ndarray:
        path = self._files[int(rng.integers(len(self._files)))]
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f'{path}: not an image that can be read')
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _collage(rng) -> np.ndarray:
    image = draw_pattern(rng).base.astype(np.float32)
    for _ in range(int(rng.integers(4, 14))):
        mask = np.zeros((SIZE, SIZE), np.float32)
        center = tuple(rng.uniform(0, SIZE, 2))
        box = center, tuple(SIZE * rng.uniform(0.08, 0.5, 2)), rng.uniform(0, 90)
        if rng.random() < 0.6:
            cv2.fillConvexPoly(mask, cv2.boxPoints(box).astype(np.int32), 1.0, cv2.LINE_AA)
        else:
            cv2.ellipse(mask, box, 1.0, -1, cv2.LINE_AA)
        light = np.linspace(*rng.uniform(0.5, 1.3, 2), SIZE)[:, None, None]
        other = draw_pattern(rng).base * light
        image += (other - image) * mask[..., None]
    if rng.random() < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 3))
    return np.clip(image, 0, 255).astype(np.uint8)
