"""Finding the package's data files: configuration, launch files, the nano model."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

PACKAGE = 'kimi_ros'


class ResourceNotFoundError(FileNotFoundError):
    """A data file of the package is not in any install location."""


def share(relative: str) -> Path:
    """Return the path of a data file or folder of the package.

    :param relative: its path in the repository: 'config/skills.yaml', 'models/nano', 'launch'.
    :raises ResourceNotFoundError: if it is in none of the install locations, which are listed.
    """
    locations = list(dict.fromkeys(_locations()))
    for location in locations:
        if (location / relative).exists():
            return location / relative
    searched = '\n  '.join(str(location) for location in locations)
    raise ResourceNotFoundError(
        f'{relative} of {PACKAGE} was not found in:\n  {searched}\n'
        'Reinstall the package (make setup, pip install . or colcon build); after colcon build, '
        'source install/setup.sh.'
    )


def version() -> str:
    """Return the package's version, which package.xml states."""
    return ElementTree.parse(share('package.xml')).findtext('version', '')


def _locations() -> Iterator[Path]:
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
