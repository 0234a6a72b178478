"""The named errors of kimi_ros.vlm; every one of them is a VlmError."""


class VlmError(Exception):
    """Anything that the vision-language model refuses or fails at."""


class ConfigError(VlmError, ValueError):
    """A checkpoint's config names sizes or ids that cannot be a model of this family."""


class ModelFolderError(VlmError):
    """A model folder is unreadable, incomplete, changed, or of another format; names the file."""


class ImageError(VlmError, ValueError):
    """What was given is not an image this model can look at."""


class InputError(VlmError, ValueError):
    """An argument of a call is unusable: an empty question, a NaN reference, a bad setting."""


class GrammarError(VlmError, ValueError):
    """A grammar cannot be compiled, or its limits were exceeded while decoding."""


class PromptTooLong(VlmError, ValueError):
    """The prompt does not fit into the model's context. `excess` is by how many tokens."""

    def __init__(self, message: str, excess: int) -> None:
        super().__init__(message)
        self.excess = excess

    def __reduce__(self) -> tuple:
        """So that it can come from another process."""
        return type(self), (str(self), self.excess)


class TaskNotSupported(VlmError):
    """The loaded model was not made for this task."""


class Busy(VlmError):
    """A stream is open on this model; it must be exhausted or closed first."""


class Cancelled(VlmError):
    """The caller's cancel event was set while the call ran or waited."""


class EngineError(VlmError):
    """The runtime failed while it ran a graph, out of memory for instance; names the graph.

    The model can be asked again.
    """


class DeviceNotAvailable(VlmError):
    """The device that was asked for cannot be used here."""
