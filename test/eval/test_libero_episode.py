"""From a plan to the arm: what is done, what is looked for again, what is not done."""

from dataclasses import replace

import numpy as np
import pytest

from kimi_ros.agent.plan import Approval, GroundedObject, Plan, PlanStep, Status
from kimi_ros.eval.libero import episode
from kimi_ros.eval.libero.episode import Episode
from kimi_ros.sim.libero.robot import ArmState
from kimi_ros.sim.libero.skills import Held, Result
from kimi_ros.sim.projection import intrinsics
from kimi_ros.sim.rendered_frame import RenderedFrame

HELD = Held(np.zeros(3), 0.0, np.ones(3))


class StillRobot:
    arm = ArmState(np.zeros(3), np.eye(3), 0.08, np.zeros(7))

    def __init__(self):
        self.looks = 0

    def observe(self, camera='agentview'):
        self.looks += 1
        rgb = np.random.default_rng(self.looks).integers(0, 255, (8, 8, 3), np.uint8)
        depth = np.full((8, 8), float(self.looks), np.float32)
        return RenderedFrame(rgb, depth, None, intrinsics(1.0, 8, 8), np.eye(4))


class ScriptedAgent:
    """Gives the same plan each time, its positions one metre farther."""

    def __init__(self, plan):
        self.plan, self.runs = plan, 0

    def run(self, frame, instruction, language):
        self.runs += 1
        moved = [replace(o, position=(float(self.runs), 0.0, 0.0)) for o in self.plan.objects]
        return replace(self.plan, objects=tuple(moved))


class RecordingExecutor:
    results: dict = {}
    done: list = []

    def __init__(self, robot):
        pass

    def execute(self, skill, targets):
        self.done.append((skill, *(float(t.point[0]) for t in targets)))
        left = self.results.get(skill, [])
        return left.pop(0) if left else Result(True, '', HELD)

    def rest(self, home):
        self.done.append(('rest',))


def plan_of(*steps, approval=Approval.NOT_NEEDED, status=Status.OK):
    ids = dict.fromkeys(i for _, *names in steps for i in names)
    objects = [GroundedObject(i, i, 1, True, (3.0, 3.0), (1.0, 1.0, 5.0, 5.0)) for i in ids]
    made = tuple(PlanStep(skill, tuple(names)) for skill, *names in steps)
    return Plan('1', 'x', 'en', status, 'no', objects=tuple(objects), steps=made, approval=approval)


@pytest.fixture
def run(monkeypatch):
    def run(plan, **results):
        RecordingExecutor.results = {k: list(v) for k, v in results.items()}
        RecordingExecutor.done.clear()
        agent = ScriptedAgent(plan)
        monkeypatch.setattr(episode, 'Executor', RecordingExecutor)
        monkeypatch.setattr(episode, 'Agent', lambda *args, **options: agent)
        acted = Episode(StillRobot(), None, 'reader', 'x', 'en').run()
        return acted, list(RecordingExecutor.done), agent

    return run


PUT = ('pick', 'milk'), ('place', 'milk', 'basket')
FAILED = Result(False, 'it slipped')


def test_the_steps_are_done_in_order(run):
    acted, done, agent = run(plan_of(*PUT))
    assert done == [('pick', 1.0), ('place', 1.0, 1.0)]
    assert acted.trouble == () and agent.runs == 1


def test_what_failed_is_looked_for_and_tried_again(run):
    acted, done, _ = run(plan_of(*PUT), pick=[FAILED])
    assert done == [('pick', 1.0), ('rest',), ('pick', 2.0), ('place', 2.0, 2.0)]
    assert acted.trouble == ('pick: it slipped',)


def test_what_was_lost_on_its_way_is_picked_up_again(run):
    _, done, _ = run(plan_of(*PUT), place=[FAILED])
    assert [skill for skill, *_ in done] == ['pick', 'place', 'rest', 'pick', 'place']


def test_tries_come_to_an_end(run):
    acted, done, _ = run(plan_of(*PUT), pick=[FAILED] * 9)
    assert [skill for skill, *_ in done].count('pick') == 3
    assert len(acted.trouble) == 3


def test_after_a_drawer_was_opened_it_is_looked_for_and_the_rest_stays_where_it_was_seen(run):
    steps = ('open', 'drawer'), ('pick', 'bowl'), ('place', 'bowl', 'drawer')
    _, done, _ = run(plan_of(*steps))
    assert done == [('open', 1.0), ('rest',), ('pick', 1.0), ('place', 1.0, 2.0)]


@pytest.mark.parametrize('approval', [Approval.DENIED, Approval.EXPIRED])
def test_what_nobody_agreed_to_is_not_done(run, approval):
    _, done, _ = run(plan_of(*PUT, approval=approval))
    assert done == []


def test_where_the_agent_asks_back_nothing_is_done(run):
    acted, done, _ = run(plan_of(*PUT, status=Status.NEEDS_CLARIFICATION))
    assert done == [] and acted.trouble == ('needs_clarification: no',)
