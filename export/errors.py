"""The named errors of kimi_export; every one of them is an ExportError."""


class ExportError(Exception):
    """Anything that an export is refused for or fails at."""


class CheckpointError(ExportError):
    """The checkpoint cannot be exported: the message names the file or the tensor."""


class AdapterError(ExportError):
    """The LoRA adapter is none, or does not belong to the checkpoint."""


class HubError(ExportError):
    """The hub did not give the checkpoint: the message names repository and revision."""


class FolderError(ExportError):
    """The output folder cannot be written or must not be replaced."""


class SelfCheckError(ExportError):
    """The graphs do not compute what the checkpoint's tensors say."""


class BuildError(ExportError):
    """TensorRT is missing, or does not build what it was given; says why."""
