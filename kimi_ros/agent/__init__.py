"""From a frame and an instruction to a grounded plan; no ROS, no engine."""

from kimi_ros.agent.agent import Agent, State
from kimi_ros.agent.approval import approve, expire
from kimi_ros.agent.frame import Frame
from kimi_ros.agent.plan import Approval, DepthStatus, GroundedObject, Plan, PlanStep, Risk, Status
from kimi_ros.agent.policy import Policy
from kimi_ros.agent.skills import SkillCatalogue

__all__ = [
    'Agent',
    'Approval',
    'DepthStatus',
    'Frame',
    'GroundedObject',
    'Plan',
    'PlanStep',
    'Policy',
    'Risk',
    'SkillCatalogue',
    'State',
    'Status',
    'approve',
    'expire',
]
