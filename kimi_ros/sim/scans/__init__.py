"""Photo-like pictures of scanned things, with ground truth."""

from kimi_ros.sim.scans.dataset import (
    DatasetError,
    DrawSettings,
    ScanDataset,
    ScanPicture,
    draw_dataset,
    open_dataset,
)
from kimi_ros.sim.scans.mesh import ScanError
from kimi_ros.sim.scans.things import YCB, Thing, Things, ThingsError, load_things
from kimi_ros.sim.scans.truth import SEEN, ScanTruth

__all__ = [
    'DatasetError',
    'DrawSettings',
    'SEEN',
    'ScanDataset',
    'ScanError',
    'ScanPicture',
    'ScanTruth',
    'Thing',
    'Things',
    'ThingsError',
    'YCB',
    'draw_dataset',
    'load_things',
    'open_dataset',
]
