"""`python -m kimi_export` is the command `kimi-export`."""

import sys

from .cli import main

if __name__ == '__main__':
    sys.exit(main())
