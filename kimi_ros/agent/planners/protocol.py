"""What every planner takes and returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol

from kimi_ros.agent.draft import DraftPlan
from kimi_ros.agent.instruction import without_code


@dataclass(frozen=True)
class PlanRequest:
    """An instruction with what a planner may know about it.

    :ivar instruction: as `validate_instruction` returned it.
    :ivar language: 'en' or 'zh', of what is said to the person.
    :ivar history: earlier (instruction, what was said) turns, oldest first.
    :ivar image: returns the encoded image of the vision-language model, for planners that look.
    :ivar rgb: uint8 (H, W, 3), the image itself, for planners that use another vision model; or
        None.
    """

    instruction: str
    language: str
    history: Sequence[tuple[str, str]] = ()
    image: Callable[[], Any] = lambda: None
    rgb: Any = None

    @property
    def words(self) -> str:
        """Return the instruction without code, which a planner that reads words takes for words."""
        return without_code(self.instruction)


class Planner(Protocol):
    """Turns an instruction into a draft plan out of one skills catalogue."""

    name: str

    def draft(
        self,
        request: PlanRequest,
        on_text: Callable[[str], None] | None = None,
        cancel: Event | None = None,
    ) -> DraftPlan:
        """Return the draft; raises InvalidDraftError where the planner wrote none.

        :param on_text: called with the sentence so far, each time that there is more of it.
        :param cancel: ends the call early when set.
        """
