"""The exceptions of kimi_ros.agent."""


class AgentError(Exception):
    """Base class of all exceptions that the agent raises."""


class EmptyInstructionError(AgentError, ValueError):
    """The instruction contains no words."""


class InstructionTooLongError(AgentError, ValueError):
    """The instruction is longer than MAX_INSTRUCTION characters."""


class FrameError(AgentError, ValueError):
    """Image, depth, intrinsics or camera pose are invalid or inconsistent."""


class InvalidDraftError(AgentError):
    """A planner returned no valid draft plan: truncated, or not allowed by the schema."""


class RemoteSettingsError(AgentError, ValueError):
    """The remote planner cannot be used as it is set; the message says what to change."""


class CatalogueError(AgentError, ValueError):
    """The skills file is invalid; the message names the file, the entry and the fault."""


class PolicyError(AgentError, ValueError):
    """The policy file is invalid; the message names the file, the entry and the fault."""


class PlanFormatError(AgentError, ValueError):
    """A text is not a plan in JSON."""


class HashMismatchError(AgentError):
    """The plan to approve is not the one that was shown."""


class PlanExpiredError(AgentError):
    """The decision came after the plan expired."""


class NotPendingError(AgentError):
    """The plan does not wait for a decision, or was decided before."""


class VoiceNotEnoughError(AgentError):
    """The plan is too risky for a spoken approval, or was not read back."""


class SceneChangedError(AgentError):
    """The plan's objects are no longer where they were."""


class RulesChangedError(AgentError):
    """The skills or the policy are others than the plan was made with."""
