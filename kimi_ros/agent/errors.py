"""The named errors of kimi_ros.agent; `code` is the number that the ROS interfaces give for it."""


class AgentError(Exception):
    """Anything that the agent refuses or fails at."""

    code = 900


class InstructionEmpty(AgentError, ValueError):
    """The instruction has no words."""

    code = 901


class InstructionTooLong(AgentError, ValueError):
    """The instruction is longer than the agent reads."""

    code = 902


class FrameError(AgentError, ValueError):
    """The image, the depth, the intrinsics or the camera's pose do not fit together."""


class PlanNotWritten(AgentError):
    """The model's answer is not a plan: cut off, or written without the grammar."""

    code = 905


class CatalogueError(AgentError, ValueError):
    """The skills file is wrong; names the file, the entry and what is wrong with it."""


class PolicyError(AgentError, ValueError):
    """The policy file is wrong; names the file, the entry and what is wrong with it."""


class PlanFormatError(AgentError, ValueError):
    """A text is not the JSON of a plan."""


class HashMismatch(AgentError):
    """The plan is not the one that was shown to the person who decides."""

    code = 921


class PlanExpired(AgentError):
    """The decision came after the plan had expired."""

    code = 922


class NotPending(AgentError):
    """The plan waits for no decision, or was decided before."""

    code = 923
