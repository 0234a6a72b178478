"""From a frame and an instruction to a grounded plan; no ROS, no engine."""

from kimi_ros.agent.agent import Agent
from kimi_ros.agent.approval import approve, expire, request_for_approval, withdrawn
from kimi_ros.agent.frame import Frame
from kimi_ros.agent.pipeline import State
from kimi_ros.agent.plan import (
    Approval,
    DepthStatus,
    GroundedObject,
    Plan,
    PlanStep,
    Reason,
    Risk,
    Status,
)
from kimi_ros.agent.policy import Policy
from kimi_ros.agent.skills import LANGUAGES, SkillCatalogue

__all__ = [
    'LANGUAGES',
    'Agent',
    'Approval',
    'DepthStatus',
    'Frame',
    'GroundedObject',
    'Plan',
    'PlanStep',
    'Policy',
    'Reason',
    'Risk',
    'SkillCatalogue',
    'State',
    'Status',
    'approve',
    'expire',
    'request_for_approval',
    'withdrawn',
]
