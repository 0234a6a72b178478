"""Labels for every patch of views and of painted tables, over the classes of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from kimi_ros.sim import CATEGORIES, COLORS
from kimi_train.examples import IGNORE, TensorDataclass
from kimi_train.nano.batches import patch_labels
from kimi_train.things.views import View, is_clear


@dataclass
class ClassLabels(TensorDataclass):
    """What a view adds to `PatchLabels`.

    :ivar boxes: (n, patches, 4), the box of the object that a patch shows, x_min, y_min, x_max,
        y_max in 0-1; zeros where there is none to learn.
    :ivar asked: bool (n, classes): of which classes it is known whether they are there.
    :ivar painted: bool (n,), which of the images are tables.
    """

    boxes: Tensor
    asked: Tensor
    painted: Tensor


class Classes:
    """What patches may show: the painted tables' categories, then the scanned things."""

    def __init__(self, things: Sequence[str]):
        self.things = tuple(things)
        self.index = {thing: len(CATEGORIES) + i for i, thing in enumerate(things)}

    def __len__(self) -> int:
        return len(CATEGORIES) + len(self.things)

    def of_table(self, owners: np.ndarray, scene: Sequence) -> tuple[tuple, tuple]:
        """Return the fields of `PatchLabels` and of `ClassLabels` of a painted table."""
        labels = patch_labels(owners, scene, background=len(self))
        asked = np.zeros(len(self), bool)
        asked[: len(CATEGORIES)] = True
        return labels, (_boxes(owners, [t.box for t in scene]), asked, True)

    def of_view(self, view: View) -> tuple[tuple, tuple]:
        """Return the fields of `PatchLabels` and of `ClassLabels` of a view of scanned things.

        Patches of what shows too little to be told are left out. An object that only looks like a
        thing has no name: it counts as background.
        """
        stand_ins = [_stand_in(o) for o in view.objects]
        category, _, size_name, *rest = patch_labels(view.owners, stand_ins, background=len(self))
        names = [self._class_of(o) for o in view.objects]
        colors = [COLORS.index(o.color) if o.color else IGNORE for o in view.objects]
        flat = view.owners.reshape(-1).astype(int)  # -1 takes the last entry
        category = np.array([*names, len(self)], np.int64)[flat]
        color = np.array([*colors, len(COLORS)], np.int64)[flat]
        asked = np.zeros(len(self), bool)
        asked[len(CATEGORIES) :] = True
        for thing in view.objects:
            if not is_clear(thing) and thing.thing in self.index:
                asked[self.index[thing.thing]] = False
        boxes = _boxes(view.owners, [o.box if is_clear(o) else (0, 0, 0, 0) for o in view.objects])
        return (category, color, np.full_like(size_name, IGNORE), *rest), (boxes, asked, False)

    def _class_of(self, thing) -> int:
        if thing.distractor or thing.thing not in self.index:
            return len(self)
        return self.index[thing.thing] if is_clear(thing) else IGNORE


def _stand_in(thing):
    """Return the object with a category and no colour that `patch_labels` knows."""
    return replace(thing, category=CATEGORIES[0], color='', size_name='')


def _boxes(owners: np.ndarray, boxes: Sequence) -> np.ndarray:
    return np.array([*boxes, (0, 0, 0, 0)], np.float32)[owners.reshape(-1).astype(int)]
