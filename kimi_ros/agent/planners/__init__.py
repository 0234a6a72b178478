"""Planners: who turns an instruction into a draft plan."""

from kimi_ros.agent.planners.factory import PLANNERS, make_planner
from kimi_ros.agent.planners.model import ModelPlanner
from kimi_ros.agent.planners.protocol import Planner, PlanRequest
from kimi_ros.agent.planners.reader import ReaderPlanner
from kimi_ros.agent.planners.remote import RemotePlanner, RemoteSettings

__all__ = [
    'PLANNERS',
    'ModelPlanner',
    'PlanRequest',
    'Planner',
    'ReaderPlanner',
    'RemotePlanner',
    'RemoteSettings',
    'make_planner',
]
