"""Error codes of the action and the services, and the one error that carries them."""

from __future__ import annotations

from enum import IntEnum

from kimi_ros.agent.errors import AgentError
from kimi_ros.vlm.errors import Busy, Cancelled, ImageError, PromptTooLong, VlmError


class Code(IntEnum):
    """The numbers of kimi_msgs/Instruct, Describe and Approve."""

    NONE = 0
    UNKNOWN = 900
    EMPTY = 901
    TOO_LONG = 902
    NO_FRAME = 903
    STALE_FRAME = 904
    MODEL_FAILED = 905
    BUSY = 906
    CANCELLED = 907
    NO_SUCH_PLAN = 920
    HASH_MISMATCH = 921
    EXPIRED = 922
    NOT_PENDING = 923


class NodeError(Exception):
    """What the node refuses or fails at; `code` goes into the reply."""

    def __init__(self, code: Code, message: str):
        super().__init__(message)
        self.code = code


def code_of(error: Exception) -> Code:
    """Return the code of an error that the agent or the model has raised."""
    if isinstance(error, (NodeError, AgentError)):
        return Code(error.code)
    for kind, code in (
        (Cancelled, Code.CANCELLED),
        (Busy, Code.BUSY),
        (PromptTooLong, Code.TOO_LONG),
        (ImageError, Code.NO_FRAME),
        (VlmError, Code.MODEL_FAILED),
    ):
        if isinstance(error, kind):
            return code
    return Code.UNKNOWN
