"""Memory from one step to the next."""

from __future__ import annotations

import ctypes

# As malloc.h numbers them.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Have the C library keep what a step frees, because the next step allocates the same again.

    glibc gives large blocks back to the kernel at once, which clears every page of the new ones: on
    a processor that is up to half of a step. For the whole process, and without a way back; returns
    whether the library does so (glibc does, musl and macOS do not).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    settings = {_MMAP_MAX: 0, _TRIM_THRESHOLD: -1, _TOP_PAD: 1 << 28}
    return all(mallopt(name, value) for name, value in settings.items())
