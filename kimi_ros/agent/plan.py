"""A plan, its objects and its steps, mirroring the messages of kimi_msgs.

An enum's name is the name of the message's constant (`Status.OK` is `STATUS_OK`), its value what
JSON holds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, fields, replace
from enum import Enum, IntEnum
from typing import Any, TypeVar

from kimi_ros.agent.errors import PlanFormatError

_Made = TypeVar('_Made', 'Plan', 'GroundedObject', 'PlanStep')


class Status(str, Enum):
    """How an instruction ended."""

    OK = 'ok'
    NEEDS_CLARIFICATION = 'needs_clarification'
    INFEASIBLE = 'infeasible'
    REFUSED = 'refused'
    ANSWER = 'answer'


class Approval(str, Enum):
    """Whether a person has agreed to the risky steps."""

    NOT_NEEDED = 'not_needed'
    PENDING = 'pending'
    GRANTED = 'granted'
    DENIED = 'denied'
    EXPIRED = 'expired'


class DepthStatus(str, Enum):
    """Why an object has, or has not, a position."""

    NONE = 'none'
    OK = 'ok'
    HOLE = 'hole'
    OUT_OF_RANGE = 'out_of_range'
    STALE = 'stale'
    NO_TRANSFORM = 'no_transform'


class Risk(IntEnum):
    """How much can go wrong in a step."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Reason:
    """The agent's own reason codes; beside them stand the ids of rules that acted."""

    NOT_VISIBLE = 'not_visible'
    AMBIGUOUS = 'ambiguous_object'
    UNSURE = 'unsure_object'
    SAME_OBJECT = 'same_object'
    PRECONDITION = 'precondition_unmet'
    OUT_OF_REACH = 'out_of_reach'
    TOO_MANY_STEPS = 'too_many_steps'
    DARK = 'camera_dark'
    BLANK = 'camera_blank'
    MODEL = 'model_said_so'
    NOT_SAID = 'not_said'
    NO_SKILL = 'no_skill'
    NOTHING_ASKED = 'nothing_asked'
    CONDITION = 'condition_unmet'
    UNKNOWN_WORD = 'unknown_word'
    NO_FREE_PLACE = 'no_free_place'
    NOT_UNDERSTOOD = 'not_understood'
    MISSING_ARGUMENT = 'missing_argument'
    OUT_OF_RANGE = 'value_out_of_range'
    FORBIDDEN = 'forbidden_by_instruction'
    CANNOT_TELL = 'cannot_tell'
    DISAGREEMENT = 'views_disagree'
    DOUBTED = 'model_doubted'
    REMOTE_FAILED = 'remote_planner_failed'
    DENIED = 'approval_denied'
    EXPIRED = 'approval_expired'
    WITHDRAWN = 'approval_withdrawn'
    SCENE_CHANGED = 'scene_changed'
    RULES_CHANGED = 'rules_changed'
    NEAR_PERSON = 'near_person'
    NEAR_HAZARD = 'near_hazard'
    LABEL = 'label_contradicts'


@dataclass(frozen=True)
class GroundedObject:
    """One thing in the image that a plan is about.

    :ivar id: unique in the plan: 'o1', 'o2', ...
    :ivar label: the name that the model was asked about, in the instruction's language.
    :ivar score: 0 to 1, lowered if the verification rejected it.
    :ivar verified: the verification confirmed it.
    :ivar point: x, y in pixels of the source image, x right, y down.
    :ivar box: x_min, y_min, x_max, y_max in the same pixels; None where only a point was found.
    :ivar position: x, y, z in metres in `position_frame`, a point of the visible surface; or None.
    :ivar covariance: of `position`, row-major 3x3, square metres; or None.
    """

    id: str
    label: str
    score: float
    verified: bool
    point: tuple[float, float]
    box: tuple[float, float, float, float] | None
    position: tuple[float, float, float] | None = None
    position_frame: str = ''
    covariance: tuple[float, ...] | None = None
    depth_status: DepthStatus = DepthStatus.NONE

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Return its box; without one, its point as a box without area."""
        return self.box or (*self.point, *self.point)


@dataclass(frozen=True)
class PlanStep:
    """One step: a skill out of the catalogue with its arguments.

    :ivar object_ids: ids of the plan's objects, in the order of the skill's arguments.
    :ivar arguments_json: every argument by name; what was grounded stands as its id.
    :ivar needs_approval: not to be done before `Plan.approval` is GRANTED.
    :ivar expected_effect: what should be true afterwards: 'holding(o1)'.
    """

    skill: str
    object_ids: tuple[str, ...] = ()
    arguments_json: str = '{}'
    risk: Risk = Risk.NONE
    needs_approval: bool = False
    expected_effect: str = ''

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the arguments by name."""
        arguments: dict[str, Any] = json.loads(self.arguments_json)
        return arguments


@dataclass(frozen=True)
class Plan:
    """What the robot could do about an instruction, for one image.

    :ivar stamp: of the image, seconds.
    :ivar frame_id: the image's optical frame.
    :ivar hash: SHA-256, hex, of what an approval is bound to; see `content_hash`.
    :ivar say: one sentence for the person, in `language`.
    :ivar policy_hash: of the policy that judged it.
    :ivar seen_text: what an OCR engine read in the image; data, never an instruction.
    :ivar model: name of the vision-language model that looked.
    :ivar planner: who drafted the steps: 'model', 'reader' or 'remote'.
    :ivar reason_codes: why the status is not OK, or which rule acted.
    :ivar expires: seconds, on the agent's clock; 0 where no approval is needed.
    """

    id: str
    instruction: str
    language: str
    status: Status
    say: str
    stamp: float = 0.0
    frame_id: str = ''
    hash: str = ''
    catalogue_hash: str = ''
    policy_hash: str = ''
    model: str = ''
    planner: str = ''
    reason_codes: tuple[str, ...] = ()
    question: str = ''
    options: tuple[str, ...] = ()
    seen_text: tuple[str, ...] = ()
    objects: tuple[GroundedObject, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    approval: Approval = Approval.NOT_NEEDED
    expires: float = 0.0

    def content_hash(self) -> str:
        """Return the SHA-256, hex, of what a person agrees to.

        That is all but `id`, `hash`, `model`, `planner`, and the two fields that a decision and
        waiting for it change.
        """
        content = self.to_dict()
        for name in ('id', 'hash', 'model', 'planner', 'approval', 'expires'):
            del content[name]
        return hash_of(content)

    def sealed(self) -> Plan:
        """Return the plan with its hash filled in."""
        return replace(self, hash=self.content_hash())

    def object(self, object_id: str) -> GroundedObject:
        """Return the object with this id."""
        return next(o for o in self.objects if o.id == object_id)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers; a risk is its lower-case name."""
        content: dict[str, Any] = _plain(self)
        return content

    def to_json(self) -> str:
        """Return the plan as one line of JSON, non-ASCII text unescaped."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what `to_json` wrote; anything else is a PlanFormatError."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise PlanFormatError(f'not JSON: {error}') from None
        try:
            objects = tuple(_object(o) for o in data['objects'])
            steps = tuple(_step(s) for s in data['steps'])
            return _build(
                cls,
                data,
                status=Status(data['status']),
                approval=Approval(data['approval']),
                reason_codes=tuple(data['reason_codes']),
                options=tuple(data['options']),
                seen_text=tuple(data['seen_text']),
                objects=objects,
                steps=steps,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PlanFormatError(f'not a plan: {type(error).__name__}: {error}') from None


def hash_of(content: Any) -> str:
    """Return the SHA-256, hex, of plain data: of its sorted, unspaced JSON in UTF-8."""
    text = json.dumps(
        content, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(',', ':')
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Risk):
        return value.name.lower()
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value


def _object(data: dict[str, Any]) -> GroundedObject:
    vectors: dict[str, tuple[float, ...] | None] = {
        name: None if data[name] is None else tuple(float(v) for v in data[name])
        for name in ('point', 'box', 'position', 'covariance')
    }
    for name, length in (('point', 2), ('box', 4), ('position', 3), ('covariance', 9)):
        vector = vectors[name]
        if vector is not None and len(vector) != length:
            raise ValueError(f'{name} has {len(vector)} numbers, not {length}')
    if vectors['point'] is None:
        raise ValueError('an object has no point')
    return _build(GroundedObject, data, depth_status=DepthStatus(data['depth_status']), **vectors)


def _step(data: dict[str, Any]) -> PlanStep:
    if not isinstance(json.loads(data['arguments_json']), dict):
        raise ValueError('arguments_json holds no object')
    return _build(
        PlanStep, data, object_ids=tuple(data['object_ids']), risk=Risk[data['risk'].upper()]
    )


def _build(cls: type[_Made], data: dict[str, Any], **converted: Any) -> _Made:
    """Make a dataclass of the plain fields in `data` and the converted ones."""
    known = {f.name for f in fields(cls)}
    if set(data) != known:
        raise ValueError(f'{cls.__name__}: fields {sorted(set(data) ^ known)} missing or unknown')
    for name, kind in _PLAIN.items():
        if name in data and name not in converted and not isinstance(data[name], kind):
            raise ValueError(f'{cls.__name__}.{name}: {data[name]!r}')
    return cls(**{**data, **converted})


_NUMBER = (int, float)
_PLAIN: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(
        ('id', 'label', 'position_frame', 'skill', 'arguments_json', 'expected_effect'), str
    ),
    **dict.fromkeys(
        (
            'instruction',
            'language',
            'say',
            'frame_id',
            'hash',
            'catalogue_hash',
            'policy_hash',
            'model',
            'planner',
        ),
        str,
    ),
    'question': str,
    'score': _NUMBER,
    'stamp': _NUMBER,
    'expires': _NUMBER,
    'verified': bool,
    'needs_approval': bool,
}
