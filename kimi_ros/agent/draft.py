"""Draft plans: what a planner makes of an instruction; names only, nothing grounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kimi_ros.agent.plan import Reason, Status
from kimi_ros.agent.references import Reference
from kimi_ros.agent.skills import Skill, SkillCatalogue


@dataclass(frozen=True)
class Condition:
    """A step is meant only if the thing is in view (`present`), or only if it is not."""

    reference: Reference
    present: bool = True


@dataclass(frozen=True)
class DraftStep:
    """A step with its arguments by name: references to things, and other values as they are.

    :ivar relation: how the place argument is meant, also where it is the thing itself: 'on', 'in';
        '' where that was not said.
    """

    skill: str
    arguments: dict[str, Reference | str | float | bool] = field(default_factory=dict)
    condition: Condition | None = None
    relation: str = ''

    def references(self, skill: Skill) -> dict[str, Reference]:
        """Return the references to what must be found in the image, by argument."""
        values = ((a.name, self.arguments.get(a.name)) for a in skill.arguments if a.grounded)
        return {name: value for name, value in values if isinstance(value, Reference)}


@dataclass(frozen=True)
class DraftQuestion:
    """A question about the view.

    :ivar kind: 'describe', 'count', 'presence', 'where', 'what', 'attribute', 'relation', 'text' or
        'other'.
    :ivar value: of an attribute that is asked about: 'red'; '' for "what colour?".
    """

    kind: str
    references: tuple[Reference, ...] = ()
    value: str = ''


@dataclass(frozen=True)
class Usage:
    """What a draft cost.

    :ivar seconds: from the request to the draft, waiting and all attempts included.
    :ivar prompt_tokens: read by the model, 0 where it did not say; so `completion_tokens`, written.
    """

    seconds: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    attempts: int = 1


@dataclass(frozen=True)
class DraftPlan:
    """What a planner makes of an instruction.

    :ivar say: one sentence for the person.
    :ivar steps: with a status other than OK, what would be done if it could: grounding decides.
    :ivar reason: the reason code of a status other than OK.
    :ivar question: of the status ANSWER; None where `say` answers.
    :ivar forbidden: what must not be touched.
    :ivar alternative: what is meant if nothing stands where these steps' references say.
    :ivar intention: said instead of `say` if the steps are done in spite of the status.
    :ivar left_out: words of the instruction that nothing here accounts for.
    :ivar planner: who planned where that was not the planner asked, or ''.
    :ivar notice: said before everything else, whatever becomes of the draft: why another planned.
    """

    status: Status
    say: str
    steps: tuple[DraftStep, ...] = ()
    reason: str = Reason.MODEL
    question: DraftQuestion | None = None
    forbidden: tuple[Reference, ...] = ()
    left_out: tuple[str, ...] = ()
    alternative: DraftPlan | None = None
    intention: str = ''
    planner: str = ''
    notice: str = ''
    usage: Usage | None = None

    @property
    def doubted(self) -> bool:
        """Tell whether there are steps in spite of the status."""
        return bool(self.steps) and self.status is not Status.OK

    def references(self, skills: SkillCatalogue) -> Iterator[Reference]:
        """Yield every reference to find in the image, in the order of mention."""
        for step in self.steps:
            yield from step.references(skills[step.skill]).values()

    def names(self, skills: SkillCatalogue) -> list[str]:
        """Return the texts of the references, each once, in the order of mention."""
        return list(dict.fromkeys(r.text for r in self.references(skills)))

    def repeated_name(self, skills: SkillCatalogue) -> str:
        """Return a name that one step uses for two of its arguments, or ''."""
        for step in self.steps:
            names = [r.text for r in step.references(skills[step.skill]).values()]
            if len(set(names)) < len(names):
                return names[0]
        return ''
