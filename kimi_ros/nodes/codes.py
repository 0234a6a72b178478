"""Error codes of the action and the services; the only place that knows the numbers."""

from __future__ import annotations

from enum import IntEnum

from kimi_ros.agent import errors as agent
from kimi_ros.vlm import errors as vlm


class ErrorCode(IntEnum):
    """The error_code constants of kimi_msgs/Instruct, Describe and Approve."""

    NONE = 0
    UNKNOWN = 900
    EMPTY = 901
    TOO_LONG = 902
    NO_FRAME = 903
    STALE_FRAME = 904
    MODEL_FAILED = 905
    BUSY = 906
    CANCELLED = 907
    DENIED = 908
    WAITED_IN_VAIN = 909  # EXPIRED of Instruct
    NO_SUCH_PLAN = 920
    HASH_MISMATCH = 921
    EXPIRED = 922
    NOT_PENDING = 923
    VOICE_NOT_ENOUGH = 924
    SCENE_CHANGED = 925
    RULES_CHANGED = 926


# The first class that an error is an instance of decides.
_CODES: tuple[tuple[type[Exception], ErrorCode], ...] = (
    (agent.EmptyInstructionError, ErrorCode.EMPTY),
    (agent.InstructionTooLongError, ErrorCode.TOO_LONG),
    (agent.InvalidDraftError, ErrorCode.MODEL_FAILED),
    (agent.HashMismatchError, ErrorCode.HASH_MISMATCH),
    (agent.PlanExpiredError, ErrorCode.EXPIRED),
    (agent.NotPendingError, ErrorCode.NOT_PENDING),
    (agent.VoiceNotEnoughError, ErrorCode.VOICE_NOT_ENOUGH),
    (agent.SceneChangedError, ErrorCode.SCENE_CHANGED),
    (agent.RulesChangedError, ErrorCode.RULES_CHANGED),
    (vlm.Cancelled, ErrorCode.CANCELLED),
    (vlm.Busy, ErrorCode.BUSY),
    (vlm.PromptTooLong, ErrorCode.TOO_LONG),
    (vlm.ImageError, ErrorCode.NO_FRAME),
    (vlm.VlmError, ErrorCode.MODEL_FAILED),
)


class RequestError(Exception):
    """A request that the node rejects or cannot complete; `code` goes into the response."""

    def __init__(self, code: ErrorCode, message: str):
        super().__init__(message)
        self.code = code


def error_code_of(error: Exception) -> ErrorCode:
    """Return the error code for an exception of the node, the agent or the model."""
    if isinstance(error, RequestError):
        return error.code
    return next((code for kind, code in _CODES if isinstance(error, kind)), ErrorCode.UNKNOWN)
