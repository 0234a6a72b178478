"""Makes bench/ importable, which is not part of the installed package."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

# Not by sys.path, where the checkout's folder launch/ would stand for ROS's package of that name.
_FOLDER = Path(__file__).parents[2] / 'bench'
_SPEC = spec_from_file_location(
    'bench', _FOLDER / '__init__.py', submodule_search_locations=[str(_FOLDER)]
)
sys.modules['bench'] = module_from_spec(_SPEC)
_SPEC.loader.exec_module(sys.modules['bench'])
