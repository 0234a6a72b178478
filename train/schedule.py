"""The learning rate over the steps of a training. No torch: the command line reads it, too."""

from __future__ import annotations


def warmup_and_decay(step: int, steps: int, warmup: int, decay: int) -> float:
    """Return the learning rate of a step as a share of its maximum.

    It rises linearly over the first `warmup` steps, and falls linearly to 0 over the last `decay`.
    """
    up = min(1.0, (step + 1) / max(warmup, 1))
    down = min(1.0, (steps - step) / max(decay, 1))
    return up * down
