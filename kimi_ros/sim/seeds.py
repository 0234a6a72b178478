"""Which seeds are for training, validation and evaluation."""

TRAINING = range(0, 1_000_000)
VALIDATION = range(1_000_000, 2_000_000)
FIRST_EVALUATION_SEED = 2_000_000


class HeldOutSeedError(ValueError):
    """Training asked for a seed that is reserved for evaluation."""


def check_training(seeds: range) -> None:
    """Refuse seeds unless all are for training, or all for validation.

    :raises HeldOutSeedError: when they are not.
    """
    if len(seeds) and not any(
        seeds[0] in lot and seeds[-1] in lot for lot in (TRAINING, VALIDATION)
    ):
        raise HeldOutSeedError(
            f'seeds {seeds[0]} to {seeds[-1]}: training has those below 1,000,000, validation '
            'those below 2,000,000, and the others are for evaluation'
        )
