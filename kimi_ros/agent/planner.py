"""An instruction goes to the model, a draft comes back: names only, nothing grounded."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

import jsonschema

from kimi_ros.agent.errors import EmptyInstructionError, InstructionTooLongError, InvalidDraftError
from kimi_ros.agent.plan import Status
from kimi_ros.agent.prompts import plan_prompt
from kimi_ros.agent.schema import plan_schema
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.agent.vlm_protocol import Vlm

MAX_INSTRUCTION = 2000
_MAX_TOKENS = 320
_SAID = re.compile(r'"say":"([^"\\]*)')


@dataclass(frozen=True)
class DraftStep:
    """A step as the model wrote it: objects by name."""

    skill: str
    arguments: dict


@dataclass(frozen=True)
class DraftPlan:
    """A plan as the model wrote it."""

    status: Status
    say: str
    steps: tuple[DraftStep, ...] = ()

    def names(self, catalogue: SkillCatalogue) -> list[str]:
        """Return the names to find in the image, each once, in the order of mention."""
        return list(dict.fromkeys(n for names in self._named(catalogue) for n in names))

    def repeated_name(self, catalogue: SkillCatalogue) -> str:
        """Return a name that one step uses for two of its arguments, or ''."""
        for names in self._named(catalogue):
            if len(set(names)) < len(names):
                return names[0]
        return ''

    def _named(self, catalogue: SkillCatalogue) -> list[list[str]]:
        """Return for each step the names to find in the image."""
        return [
            [step.arguments[a.name] for a in catalogue[step.skill].arguments if a.grounded]
            for step in self.steps
        ]


def validate_instruction(instruction: str) -> str:
    """Return the instruction as the model may read it: one line, no markup of tokenizers.

    Delimiters, JSON and the like stay what they are, text: the grammar, not the instruction,
    decides what can be written. Raises EmptyInstructionError, InstructionTooLongError.
    """
    if len(instruction) > MAX_INSTRUCTION:
        raise InstructionTooLongError(
            f'the instruction has {len(instruction)} characters, more than {MAX_INSTRUCTION}: '
            'say it shorter'
        )
    text = ''.join(' ' if unicodedata.category(c)[0] in 'CZ' else c for c in instruction)
    # Special tokens are spelt <|name|>; with a space inside they are ordinary characters.
    text = ' '.join(text.replace('<|', '< |').replace('|>', '| >').split())
    if not any(c.isalnum() for c in text):
        raise EmptyInstructionError(
            'the instruction has no words: say what to find, pick, place or describe'
        )
    return text


class Planner:
    """Asks a model for plans out of one catalogue."""

    def __init__(self, vlm: Vlm, catalogue: SkillCatalogue):
        self._vlm = vlm
        self._catalogue = catalogue
        self._schemas = {
            statuses: plan_schema(catalogue, statuses) for statuses in (tuple(Status), (Status.OK,))
        }

    def draft(
        self,
        image,
        instruction: str,
        statuses: Sequence[Status] = tuple(Status),
        on_text: Callable[[str], None] | None = None,
        cancel: Event | None = None,
    ) -> DraftPlan:
        """Return what the model would do.

        :param image: an encoded image.
        :param instruction: what `validate_instruction` returned.
        :param statuses: all of them, or OK alone: what would you do if it could be done?
        :param on_text: called with what is said so far, each time that there is more of it.
        """
        schema = self._schemas[tuple(statuses)]
        prompt = plan_prompt(instruction, self._catalogue.signatures())
        arguments = {'grammar': schema, 'max_tokens': _MAX_TOKENS, 'cancel': cancel}
        if on_text is None:
            text = self._vlm.query(image, prompt, **arguments).text
        else:
            text, said = '', ''
            for piece in self._vlm.query(image, prompt, stream=True, **arguments):
                text += piece
                match = _SAID.search(text)
                if match and match[1] != said:
                    said = match[1]
                    on_text(said)
        return parse_draft(text, schema)


def parse_draft(text: str, schema: dict) -> DraftPlan:
    """Read what the model wrote; InvalidDraftError if the schema does not allow it."""
    try:
        data = json.loads(text)
        jsonschema.Draft202012Validator(schema).validate(data)
    except ValueError:
        raise InvalidDraftError(f'the model wrote no whole plan: {text[:200]!r}') from None
    except jsonschema.ValidationError as error:
        raise InvalidDraftError(
            f'the model wrote no plan of known skills: {error.message[:200]}'
        ) from None
    steps = tuple(
        DraftStep(s['skill'], {k: v for k, v in s.items() if k != 'skill'}) for s in data['steps']
    )
    return DraftPlan(Status(data['status']), data['say'], steps)
