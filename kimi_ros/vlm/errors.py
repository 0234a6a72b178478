"""Exceptions of kimi_ros.vlm; all of them derive from VlmError."""

_TASK_HINTS = {
    'plan': 'fine-tune it on plans with kimi-train, load "nano", or use a remote planner',
    'point': 'export a checkpoint that has region weights and a point template, or load "nano"',
    'detect': 'export a checkpoint that has region weights and a detect template, or load "nano"',
}
_DEFAULT_TASK_HINT = 'export a checkpoint whose config has a template for it, or load "nano"'


class VlmError(Exception):
    """Base class of all errors of the vision-language model."""


class ConfigError(VlmError, ValueError):
    """A checkpoint's config has sizes or ids that are invalid for this architecture."""


class ModelFolderError(VlmError):
    """A model folder is unreadable, incomplete, modified or of another format; names the file."""


class ImageError(VlmError, ValueError):
    """The argument is not an image that the model can encode."""


class InputError(VlmError, ValueError):
    """An invalid argument: an empty question, a NaN spatial reference, a bad setting."""


class GrammarError(VlmError, ValueError):
    """A grammar does not compile, or its limits were exceeded during decoding."""


class PromptTooLong(VlmError, ValueError):
    """The prompt exceeds the model's context, by `excess` tokens."""

    def __init__(self, message: str, excess: int) -> None:
        super().__init__(message)
        self.excess = excess

    def __reduce__(self) -> tuple[type['PromptTooLong'], tuple[str, int]]:
        """Make the error picklable."""
        return type(self), (str(self), self.excess)


class TaskNotSupported(VlmError):
    """The loaded model does not support this task."""


class Busy(VlmError):
    """A stream is open on this model; read it to its end or close it first."""


class Cancelled(VlmError):
    """The caller's cancel event was set while the call ran or waited."""


class EngineError(VlmError):
    """The runtime failed to run a graph, for example out of memory; names the graph.

    The model remains usable.
    """


class DeviceNotAvailable(VlmError):
    """The requested device is not available on this machine."""


def task_hint(task: str) -> str:
    """Return what helps where a model does not support a task."""
    return _TASK_HINTS.get(task, _DEFAULT_TASK_HINT)
