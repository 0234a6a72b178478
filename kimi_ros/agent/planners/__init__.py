"""Planners: who turns an instruction into a draft plan."""

from kimi_ros.agent.planners.factory import PLANNERS, make_planner
from kimi_ros.agent.planners.model import ModelPlanner
from kimi_ros.agent.planners.protocol import Planner, PlanRequest
from kimi_ros.agent.planners.reader import ReaderPlanner

__all__ = [
    'PLANNERS',
    'ModelPlanner',
    'PlanRequest',
    'Planner',
    'ReaderPlanner',
    'make_planner',
]
