"""Exceptions of kimi_export; all of them derive from ExportError."""


class ExportError(Exception):
    """Base class of all export errors."""


class CheckpointError(ExportError):
    """The checkpoint cannot be exported; names the file or tensor."""


class AdapterError(ExportError):
    """The file is not a LoRA adapter, or does not match the checkpoint."""


class HubError(ExportError):
    """The download from the hub failed; names the repository and revision."""


class FolderError(ExportError):
    """The output folder cannot be written, or must not be replaced."""


class SelfCheckError(ExportError):
    """The exported graphs disagree with the reference forward pass."""


class BuildError(ExportError):
    """TensorRT is missing or failed to build an engine; gives the reason."""
