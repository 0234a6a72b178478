"""The training targets of a question, position by position, and their packing into tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from kimi_train.model import Moondream

if TYPE_CHECKING:
    from typing import Self  # from Python 3.11 on

IGNORE = -100


@dataclass
class Example:
    """A question with its answer.

    Position i holds token `ids[i]`, or, in its place, a coordinate or a size (width, height) in
    `coords[i]`, `sizes[i]`, 0-1; `next_*` are the targets there: what follows.
    """

    ids: list[int]
    coords: dict[int, float] = field(default_factory=dict)
    sizes: dict[int, tuple[float, float]] = field(default_factory=dict)
    target_ids: dict[int, int] = field(default_factory=dict)
    target_coords: dict[int, float] = field(default_factory=dict)
    target_sizes: dict[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def last_position(self) -> int:
        """Return the position of the newest element."""
        return len(self.ids) - 1

    def append_answer(self, ids: Sequence[int], end: int) -> None:
        """Answer with these ids, and then with `end`, which is learnt but not appended."""
        for token in ids:
            self.target_ids[self.last_position] = token
            self.ids.append(token)
        self.target_ids[self.last_position] = end

    def append_coordinate(self, value: float, token: int) -> None:
        """Learn a coordinate and append it; `token` is the id that stands for coordinates."""
        self.target_coords[self.last_position] = value
        self.coords[self.last_position + 1] = value
        self.ids.append(token)

    def append_size(self, size: tuple[float, float], token: int) -> None:
        """Learn a width and a height and append them."""
        self.target_sizes[self.last_position] = size
        self.sizes[self.last_position + 1] = size
        self.ids.append(token)


class TensorDataclass:
    """What a dataclass of tensors, or of such dataclasses, does with all of them at once."""

    def to(self, device: torch.device) -> Self:
        """Return them on a device."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Self:
        """Return them in memory that a GPU reads by itself."""
        return self._each(lambda tensor: tensor.pin_memory())

    def _each(self, do: Callable[[Tensor], Tensor]) -> Self:
        def done(value):
            if isinstance(value, TensorDataclass):
                return value._each(do)
            return None if value is None else do(value)

        return type(self)(**{name: done(value) for name, value in vars(self).items()})


@dataclass
class PackedExamples(TensorDataclass):
    """Rows of examples, each about one image, one after the other: (rows, length, ...), padded.

    NaN and IGNORE stand where there is nothing. `segment` counts a row's examples, -1 for padding;
    `position` is the place after the image's prefix; `image` (rows,) says which image.
    """

    ids: Tensor
    coords: Tensor
    sizes: Tensor
    target_ids: Tensor
    target_coords: Tensor
    target_sizes: Tensor
    segment: Tensor
    position: Tensor
    image: Tensor

    def mask(self, prefix: int) -> Tensor:
        """Return the attention mask, bool (rows, 1, length, prefix + length).

        An example attends to the prefix and, causally, to itself.
        """
        rows, length = self.segment.shape
        device = self.segment.device
        same = self.segment[:, :, None] == self.segment[:, None, :]
        causal = torch.ones(length, length, dtype=torch.bool, device=device).tril()
        seen = torch.ones(rows, length, prefix, dtype=torch.bool, device=device)
        return torch.cat([seen, same & causal], -1)[:, None]

    def positions(self, prefix: int) -> Tensor:
        """Return where each stands in its own example's context, (rows, length)."""
        return self.position + prefix


_NUMBERS = ('coords', 'sizes', 'target_coords', 'target_sizes')


def pack(rows: Sequence[Sequence[Example]], image: Sequence[int] | None = None) -> PackedExamples:
    """Return rows of examples; each is about an image of its own unless `image` says which."""
    length = max(sum(len(example.ids) for example in row) for row in rows)
    shape = (len(rows), length)
    out = PackedExamples(
        ids=torch.zeros(shape, dtype=torch.long),
        coords=torch.full(shape, math.nan),
        sizes=torch.full((*shape, 2), math.nan),
        target_ids=torch.full(shape, IGNORE),
        target_coords=torch.full(shape, math.nan),
        target_sizes=torch.full((*shape, 2), math.nan),
        segment=torch.full(shape, -1),
        position=torch.zeros(shape, dtype=torch.long),
        image=torch.tensor(range(len(rows)) if image is None else image),
    )
    for row, group in enumerate(rows):
        start = 0
        for index, example in enumerate(group):
            own = slice(start, start + len(example.ids))
            out.ids[row, own] = torch.tensor(example.ids)
            out.segment[row, own] = index
            out.position[row, own] = torch.arange(len(example.ids))
            for name in ('target_ids', *_NUMBERS):
                tensor = getattr(out, name)
                for position, value in getattr(example, name).items():
                    tensor[row, start + position] = torch.tensor(value, dtype=tensor.dtype)
            start += len(example.ids)
    return out


def embed(model: Moondream, packed: PackedExamples) -> Tensor:
    """Return (rows, length, dim): words by table, numbers by their Fourier features."""
    x = F.embedding(packed.ids, model.text.wte)
    coord, size = ~packed.coords.isnan(), ~packed.sizes[..., 0].isnan()
    if coord.any():
        values = model.region.encode_coordinate(packed.coords[coord])
        x = x.masked_scatter(coord[..., None], values.to(x.dtype))
    if size.any():
        values = model.region.encode_size(packed.sizes[size])
        x = x.masked_scatter(size[..., None], values.to(x.dtype))
    return x


def size_bins(sizes: Tensor, bins: int) -> Tensor:
    """Widths and heights (..., 2), 0-1, in bins: (log2(size) + 10) / 10 * (bins - 1)."""
    return (sizes.clamp(min=2**-10).log2() + 10) / 10 * (bins - 1)


def soft_label_cross_entropy(logits: Tensor, wanted: Tensor, sigma: float) -> Tensor:
    """Cross-entropy (...) of logits (..., bins) to a normal distribution around `wanted` (...).

    `wanted` and `sigma` are in bins; the distribution's own entropy is taken off.
    """
    logits = logits.float()
    bins = torch.arange(logits.shape[-1], device=logits.device)
    target = torch.softmax(-0.5 * ((bins - wanted[..., None]) / sigma) ** 2, -1)
    floor = -(target * target.clamp(min=1e-9).log()).sum(-1)
    return -(target * logits.log_softmax(-1)).sum(-1) - floor
