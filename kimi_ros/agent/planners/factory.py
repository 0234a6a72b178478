"""Choosing a planner by name."""

from __future__ import annotations

from typing import Any

from kimi_ros.agent.planners.model import ModelPlanner
from kimi_ros.agent.planners.protocol import Planner
from kimi_ros.agent.planners.reader import ReaderPlanner
from kimi_ros.agent.planners.remote import RemotePlanner, RemoteSettings
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.agent.vlm_protocol import Vlm

_CLOSED_VOCABULARY = 8192  # tokens; nano has 1,280
PLANNERS = ('auto', 'model', 'reader', 'remote')


def make_planner(
    name: str,
    vlm: Vlm,
    skills: SkillCatalogue,
    reader: Any = None,
    remote: RemoteSettings | None = None,
) -> Planner:
    """Return a planner.

    Raises ValueError for an unknown name, and what the planner itself raises if it cannot be
    used: the model was not trained for plans, no server is named.

    :param name: one of `PLANNERS`; 'auto' is the model if it was trained for plans, else the
        reader.
    :param reader: a `kimi_ros.reader.Reader`; the one that ships if None.
    :param remote: the server of 'remote'; where it fails, the reader plans.
    """
    if name == 'auto':
        name = 'model' if is_taught_plans(vlm) else 'reader'
    elif name == 'model':
        vlm.require('plan')
    if name == 'model':
        # nano has never seen a conversation, and repeats the turns before.
        closed = has_closed_vocabulary(vlm)
        return ModelPlanner(vlm, skills, ReaderPlanner(skills, reader) if closed else None)
    if name == 'reader':
        planner = ReaderPlanner(skills, reader)
        planner.load()
        return planner
    if name == 'remote':
        fallback = ReaderPlanner(skills, reader)
        remote_planner = RemotePlanner(skills, remote or RemoteSettings(), fallback)
        fallback.load()  # so that it is ready when the network fails
        return remote_planner
    raise ValueError(f'planner is {name!r}: give one of {", ".join(PLANNERS)}')


def is_taught_plans(vlm: Vlm) -> bool:
    """Tell whether a model was trained for plans."""
    return 'plan' in getattr(vlm, 'tasks', ('plan',))


def has_closed_vocabulary(vlm: Vlm) -> bool:
    """Tell whether a model knows the words of its own training only, as nano does.

    Such a model is asked in those words and in whole phrases, and what it says to a question of
    another form means nothing. A checkpoint that was fine-tuned for plans keeps the vocabulary of
    its base, 51,200 tokens, and what that knows.
    """
    config = getattr(vlm, 'config', None)
    small = config is None or config.text.vocab_size <= _CLOSED_VOCABULARY
    return is_taught_plans(vlm) and small
