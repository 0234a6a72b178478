"""How a stage is trained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How a stage is trained.

    :ivar steps: where the stage ends, counted from its beginning.
    :ivar decay: the last steps, over which the rate falls to nothing.
    :ivar short: short questions for each image; with `long` at 0, the encoder's labels alone when
        both are.
    :ivar patches: weight of the patches' labels.
    :ivar vision_rate: the encoder's learning rate as a share of the others'; at 0 it stays as
        it is.
    :ivar precision: 'fp32' or 'bf16', to multiply in; 'auto' for 'bf16' where the device has it.
    :ivar workers: processes that write the batches ahead, for a GPU; 0 for none.
    """

    steps: int = 4000
    images: int = 16
    rate: float = 2e-3
    warmup: int = 100
    decay: int = 500
    short: int = 0
    long: int = 0
    patches: float = 1.0
    vision_rate: float = 1.0
    precision: str = 'auto'
    seed: int = 0
    workers: int = 0

    def __post_init__(self):
        if self.precision not in ('auto', 'bf16', 'fp32'):
            raise ValueError(f'precision {self.precision!r}: auto, bf16 or fp32')
        if not (self.patches or self.short or self.long):
            raise ValueError('nothing to learn: ask short or long questions, or weigh the patches')

    def rate_at(self, step: int) -> float:
        """Return the learning rate: a ramp, a plain, a ramp down."""
        up = min(1.0, (step + 1) / self.warmup)
        down = min(1.0, (self.steps - step) / max(self.decay, 1))
        return self.rate * up * down
