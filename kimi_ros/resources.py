"""Finding the files that ship beside the code: configuration, launch files, the nano model."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = 'kimi_ros'


class ResourceNotFound(FileNotFoundError):
    """A file of the package is in none of the places where an installation puts it."""


def share(relative: str) -> Path:
    """Return the path of a file or folder that the package shares.

    :param relative: its path in the repository: 'config/skills.yaml', 'models/nano', 'launch'.
    :raises ResourceNotFound: when it is nowhere, with the places looked at.
    """
    places = list(dict.fromkeys(_places()))
    for place in places:
        if (place / relative).exists():
            return place / relative
    looked = '\n  '.join(str(place) for place in places)
    raise ResourceNotFound(
        f'{relative} of {PACKAGE} is not there. Looked in:\n  {looked}\n'
        'Install the package anew (make setup, pip install . or colcon build), and source '
        'install/setup.sh after a colcon build.'
    )


def _places() -> Iterator[Path]:
    package = Path(__file__).resolve().parent
    if (package.parent / 'package.xml').is_file():
        yield package.parent  # a checkout, also when installed editable
    # PREFIX/lib/pythonX.Y/site-packages/kimi_ros: pip, pip --user and colcon alike.
    if len(package.parents) > 3:
        yield package.parents[3] / 'share' / PACKAGE
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        if prefix:
            yield Path(prefix) / 'share' / PACKAGE
    yield Path(sys.prefix) / 'share' / PACKAGE
