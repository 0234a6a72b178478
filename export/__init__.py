"""Export of Moondream 2 checkpoints to model folders for kimi_ros.vlm: `kimi-export`.

The folder export/ is imported as kimi_export.
"""

from .errors import (
    AdapterError,
    CheckpointError,
    ExportError,
    FolderError,
    HubError,
    SelfCheckError,
)
from .pipeline import export_model

__all__ = [
    'AdapterError',
    'CheckpointError',
    'ExportError',
    'FolderError',
    'HubError',
    'SelfCheckError',
    'export_model',
]
