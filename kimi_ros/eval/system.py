"""The system that is evaluated: a model, and how its agents plan."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from kimi_ros.agent import Agent, Frame, Plan, Policy, SkillCatalogue
from kimi_ros.agent.errors import InvalidDraftError
from kimi_ros.agent.planners import RemoteSettings
from kimi_ros.resources import share
from kimi_ros.vlm import VisionLanguageModel


@dataclass(frozen=True)
class System:
    """A model, and how its agents plan; their policy is the one that is shipped.

    :ivar planner: one of `kimi_ros.agent.planners.PLANNERS`.
    :ivar skills: None for the catalogue that is shipped.
    :ivar remote: the server of the planner 'remote'.
    """

    vlm: VisionLanguageModel
    planner: str = 'auto'
    skills: SkillCatalogue | None = None
    remote: RemoteSettings | None = None

    def agent(self, skills: SkillCatalogue | None = None) -> Agent:
        """Return an agent with a catalogue; with that of the system where none is given."""
        known = skills or self.skills or _shipped_skills()
        return Agent(self.vlm, known, _shipped_policy(), planner=self.planner, remote=self.remote)

    def plan(
        self, frame: Frame, instruction: str, skills: SkillCatalogue | None = None
    ) -> Plan | None:
        """Return an agent's plan, or None if the model wrote no valid one.

        :param skills: as for `agent`.
        """
        try:
            return self.agent(skills).run(frame, instruction)
        except InvalidDraftError:
            return None


@lru_cache(maxsize=1)
def _shipped_skills() -> SkillCatalogue:
    return SkillCatalogue.load(share('config/skills.yaml'))


@lru_cache(maxsize=1)
def _shipped_policy() -> Policy:
    return Policy.load(share('config/policy.yaml'))
