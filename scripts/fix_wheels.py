"""Point the CMake files of the ROS wheels to the headers of this environment.

The wheels export include folders of the machine that built them, and CMake rejects targets whose
include folders do not exist. Run with the Python of the environment to fix.
"""

import re
import sys
import sysconfig
from pathlib import Path

import numpy

FOREIGN = re.compile(r'/opt/python/[^;"]+')


def main() -> None:
    """Rewrite every *Export.cmake under the environment's share folder that needs it."""
    python = sysconfig.get_path('include')
    if not Path(python, 'Python.h').is_file():
        sys.exit(f'No Python.h in {python}: install the headers (Debian: python3-dev).')
    for path in Path(sys.prefix, 'share').glob('*/cmake/*Export.cmake'):
        text = path.read_text()
        fixed = FOREIGN.sub(
            lambda found: numpy.get_include() if 'numpy' in found[0] else python, text
        )
        if fixed != text:
            path.write_text(fixed)


if __name__ == '__main__':
    main()
