"""`python -m kimi_train`."""

import sys

from kimi_train.cli import main

sys.exit(main())
