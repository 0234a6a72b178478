"""From a Moondream 2 checkpoint to a folder that kimi_ros.vlm runs: `kimi-export`."""

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
