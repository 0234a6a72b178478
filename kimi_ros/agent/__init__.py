"""From a frame and an instruction to a grounded plan; no ROS, no engine."""

from kimi_ros.agent.agent import Agent
from kimi_ros.agent.approval import approve, expire
from kimi_ros.agent.frame import Frame
from kimi_ros.agent.pipeline import State
from kimi_ros.agent.plan import Approval, DepthStatus, GroundedObject, Plan, PlanStep, Risk, Status
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
    'Risk',
    'SkillCatalogue',
    'State',
    'Status',
    'approve',
    'expire',
]
