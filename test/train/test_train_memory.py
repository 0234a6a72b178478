import subprocess
import sys

import pytest

# Page faults of twenty blocks of 64 MiB, each written to and freed before the next.
_FAULTS = """
import resource, sys
import numpy as np
from kimi_train.memory import keep_freed_memory

if sys.argv[1] == 'kept' and not keep_freed_memory():
    sys.exit('cannot')
np.ones(1 << 26, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(1 << 26, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, '-c', _FAULTS, how], capture_output=True, text=True)
    if done.stderr == 'cannot\n':
        pytest.skip('this C library cannot keep freed memory')
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_what_is_freed_is_kept_for_the_next_step():
    assert faults('kept') < faults('given back') / 10
