"""Carrying out a plan step by step, with a robot and eyes that are made up."""

import pytest

pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')

from builtin_interfaces.msg import Time

from kimi_msgs.msg import GroundedObject, Plan, PlanStep
from kimi_ros.nodes.plan_execution import FailedError, PlanExecution, StoppedError

CUP, BOWL = (0.5, 0.1, 0.05), (0.6, -0.3, 0.02)


def thing(object_id, label, position):
    made = GroundedObject(id=object_id, label=label, position_frame='base_link')
    made.position.x, made.position.y, made.position.z = position
    made.depth_status, made.box = made.DEPTH_OK, [0.0, 0.0, 9.0, 9.0]
    return made


def plan():
    """Put the cup in the bowl."""
    made = Plan(id='p', objects=[thing('o1', 'cup', CUP), thing('o2', 'bowl', BOWL)])
    made.steps = [
        PlanStep(skill='pick', object_ids=['o1'], expected_effect='holding(o1), not hand_empty'),
        PlanStep(
            skill='place',
            object_ids=['o1', 'o2'],
            expected_effect='on(o1, o2), hand_empty, not holding(o1)',
        ),
    ]
    return made


class Robot:
    """Remembers what it was told; `does` is called in each step."""

    def __init__(self, does=lambda stop: None):
        self.went = []
        self._does = does

    def carry_out(self, step, objects, stamps, stop):
        target, stamp = objects[-1].position, stamps[objects[-1].id]
        self.went.append((step.skill, (target.x, target.y, target.z), stamp.sec))
        self._does(stop)


def eyes(*views):
    """Return a `find` that sees one view after the other, and what it was asked for."""
    rest, asked = list(views), []

    def find(plan, objects, stop):
        asked.append({o.id: (o.position.x, o.position.y, o.position.z) for o in objects})
        seen = rest.pop(0)
        labels = {o.id: o.label for o in objects}
        return Time(sec=len(asked)), [thing(i, labels[i], p) for i, p in seen.items()]

    return find, asked


def run(*views, robot=None, max_move=0.1):
    robot = robot or Robot()
    find, asked = eyes(*views)
    steps = []
    PlanExecution(plan(), robot, find, max_move).run(steps.append)
    return robot, asked, steps


def test_next_step_goes_where_its_object_is_now():
    moved = (0.62, -0.33, 0.02)
    robot, asked, steps = run({'o2': moved}, {'o1': moved, 'o2': moved})
    assert robot.went == [('pick', CUP, 0), ('place', moved, 1)]
    assert steps == ['pick cup', 'place cup, bowl']
    # After it was placed, the cup is looked for in the bowl.
    assert asked == [{'o1': CUP, 'o2': BOWL}, {'o1': moved, 'o2': moved}]


def test_without_looking_again_the_plan_is_carried_out_as_it_is():
    robot = Robot()
    PlanExecution(plan(), robot, None, 0.1).run(lambda text: None)
    assert [went[:2] for went in robot.went] == [('pick', CUP), ('place', BOWL)]


@pytest.mark.parametrize(
    ('views', 'reason', 'steps'),
    [
        ([{'o1': CUP, 'o2': BOWL}], r'pick did not have its effect: holding\(o1\)', 1),
        ([{}], 'bowl is not in view any more', 1),
        ([{'o2': (0.6, 0.0, 0.02)}], r'bowl is 0\.30 m from where it was', 1),
        ([{'o2': BOWL}, {'o1': CUP, 'o2': BOWL}], r'place did not have .* 0\.41 m apart', 2),
    ],
)
def test_nothing_more_is_done_when_the_scene_is_not_as_expected(views, reason, steps):
    robot = Robot()
    with pytest.raises(FailedError, match=reason):
        run(*views, robot=robot)
    assert len(robot.went) == steps


def test_position_in_another_frame_is_not_the_newer_one():
    """A transform that is missing for a moment leaves a position in the camera's frame."""

    def find(plan, objects, stop):
        seen = thing('o2', 'bowl', BOWL)
        seen.position_frame = 'camera'
        return Time(sec=1), [seen]

    with pytest.raises(FailedError, match='bowl is not in view any more'):
        PlanExecution(plan(), Robot(), find, 0.1).run(lambda text: None)


def test_thing_out_of_view_at_the_end_contradicts_nothing():
    run({'o2': BOWL}, {'o2': BOWL})


def test_stop_between_two_steps_keeps_its_first_reason():
    def told(stop):
        stop.set('told to stop')
        stop.set('something else')

    robot = Robot(told)
    with pytest.raises(StoppedError, match='^told to stop$'):
        run({'o2': BOWL}, robot=robot)
    assert len(robot.went) == 1
