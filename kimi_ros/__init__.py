"""Grounded action plans from a camera image and an instruction.

The names below are imported on first use: `import kimi_ros` itself loads no engine and no ROS.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kimi_ros.agent import Agent, Frame, Plan, Policy, SkillCatalogue
    from kimi_ros.vlm import VisionLanguageModel

__all__ = [
    'Agent',
    'Frame',
    'Plan',
    'Policy',
    'SkillCatalogue',
    'VisionLanguageModel',
    '__version__',
]

_MODULES = {
    'Agent': 'kimi_ros.agent',
    'Frame': 'kimi_ros.agent',
    'Plan': 'kimi_ros.agent',
    'Policy': 'kimi_ros.agent',
    'SkillCatalogue': 'kimi_ros.agent',
    'VisionLanguageModel': 'kimi_ros.vlm',
}


def __getattr__(name: str) -> object:
    if name == '__version__':
        from kimi_ros.resources import version

        return version()
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
