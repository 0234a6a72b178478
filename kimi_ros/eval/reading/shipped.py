"""What ships with the package: sentences as people speak, and the catalogues they are for."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.eval.reading.cases import Case, read_cases

FOLDER = Path(__file__).parent
SPOKEN = FOLDER / 'spoken.jsonl'


def catalogue_names() -> list[str]:
    """Return the names of the shipped catalogues, in alphabetical order."""
    return sorted(path.stem for path in (FOLDER / 'skills').glob('*.yaml'))


@lru_cache
def catalogue(name: str) -> SkillCatalogue:
    """Return a shipped catalogue by its name."""
    return SkillCatalogue.load(FOLDER / 'skills' / f'{name}.yaml')


def spoken() -> list[Case]:
    """Return the sentences of five robots: kitchen, workshop, office, care, warehouse."""
    return read_cases(SPOKEN, catalogue_names())
