"""Planning by any OpenAI-compatible server."""

from kimi_ros.agent.planners.remote.planner import RemotePlanner
from kimi_ros.agent.planners.remote.settings import RemoteSettings

__all__ = ['RemotePlanner', 'RemoteSettings']
