"""Fields and constants of the interfaces."""

import pytest

pytest.importorskip('kimi_msgs', reason='kimi_msgs is built by make setup')

from kimi_msgs.action import Instruct  # noqa: E402
from kimi_msgs.msg import GroundedObject, Plan, PlanStep  # noqa: E402
from kimi_msgs.srv import Approve, Describe  # noqa: E402

FIELDS = {
    Plan: 'header id hash catalogue_hash policy_hash instruction language say model planner '
    'status reason_codes question options seen_text objects steps approval expires',
    GroundedObject: 'id label score verified point box position position_frame covariance '
    'depth_status',
    PlanStep: 'skill object_ids arguments_json risk needs_approval expected_effect',
    Instruct.Goal: 'instruction language camera',
    Instruct.Result: 'plan error_code error_msg',
    Instruct.Feedback: 'state partial_text',
    Approve.Request: 'id hash approve approver voice read_back',
    Approve.Response: 'approval error_code error_msg',
    Describe.Request: 'question language camera',
    Describe.Response: 'header text error_code error_msg',
}

ERRORS = {
    'NONE': 0, 'UNKNOWN': 900, 'EMPTY': 901, 'TOO_LONG': 902, 'NO_FRAME': 903, 'STALE_FRAME': 904,
    'MODEL_FAILED': 905, 'BUSY': 906, 'CANCELLED': 907, 'DENIED': 908, 'EXPIRED': 909,
}  # fmt: skip


@pytest.mark.parametrize('interface', FIELDS, ids=lambda interface: interface.__name__)
def test_fields(interface):
    assert ' '.join(interface.get_fields_and_field_types()) == FIELDS[interface]


def test_error_codes():
    assert {name: getattr(Instruct.Result, name) for name in ERRORS} == ERRORS
    shared = ('NONE', 'UNKNOWN', 'TOO_LONG', 'NO_FRAME', 'STALE_FRAME', 'MODEL_FAILED', 'BUSY')
    assert all(getattr(Describe.Response, name) == ERRORS[name] for name in shared)


@pytest.mark.parametrize(
    'interface, prefix, names',
    [
        (Plan, 'STATUS_', 'UNSET OK NEEDS_CLARIFICATION INFEASIBLE REFUSED'),
        (Plan, 'APPROVAL_', 'NOT_NEEDED PENDING GRANTED DENIED EXPIRED'),
        (PlanStep, 'RISK_', 'NONE LOW MEDIUM HIGH'),
        (GroundedObject, 'DEPTH_', 'NONE OK HOLE OUT_OF_RANGE STALE NO_TRANSFORM'),
        (Instruct.Feedback, '', 'LOOKING THINKING GROUNDING CHECKING AWAITING_APPROVAL'),
    ],
)
def test_states_are_consecutive(interface, prefix, names):
    numbers = [getattr(interface, prefix + name) for name in names.split()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_array_sizes():
    thing = GroundedObject()
    assert [len(thing.point), len(thing.box), len(thing.covariance)] == [2, 4, 9]
