"""What `kimi eval speech` does with each case, with a scripted node in place of the real one."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('soxr', reason='the extra "speech" is not installed: make setup')

from kimi_ros.agent import GroundedObject, Plan, PlanStep, Status  # noqa: E402
from kimi_ros.eval.speech import SpokenCase  # noqa: E402
from kimi_ros.eval.spoken_plans import SpokenPlans, wrongly_typed  # noqa: E402
from kimi_ros.speech.dialogue import Outcome  # noqa: E402

CASE = SpokenCase('Pick up the red cup.', 'en', 'pick')


def plan(x=100.0):
    cup = GroundedObject('o1', 'red cup', 1.0, True, (x, 80.0), None)
    step = PlanStep('pick', ('o1',), '{"object": "o1"}', False, '')
    return Plan('p', CASE.text, 'en', Status.OK, 'I will.', objects=(cup,), steps=(step,))


class Maker:
    """Sounds that a scripted node understands: the case itself."""

    def sound(self, case):
        return case


class Node:
    """Hears a sentence as it is told to, and plans once it is sure of it."""

    def __init__(self, outcome, heard=CASE.text, made=None):
        self.outcome, self.heard, self.made = outcome, heard, made or plan()
        self.plans, self.said, self.speaking, self.answers = [], [], False, []

    def speak(self, case, timeout=30.0):
        if case.text in ('Yes.', 'No.'):
            self.answers.append(case.text)
        if self.outcome is None:
            return None
        if self.outcome is Outcome.READ_BACK and not self.answers:
            self.said.append(f'Did you say: {self.heard}?')
        elif self.outcome is Outcome.INSTRUCTION or self.answers == ['Yes.']:
            self.plans.append(self.made)
            self.said.append(self.made.say)
        return SimpleNamespace(text=self.heard, confidence=0.5)

    def quiet(self):
        pass

    def spin(self, seconds):
        pass

    def until(self, done, timeout, what):
        assert done(), what


def result(node, case=CASE):
    return SpokenPlans(node, lambda _: node.outcome, Maker(), {CASE.text: plan()}).try_case(case)


@pytest.mark.parametrize(('x', 'right'), [(104.0, True), (180.0, False)])
def test_a_plan_is_right_if_it_is_about_the_same_things(x, right):
    found = result(Node(Outcome.INSTRUCTION, made=plan(x)))
    assert found.right is right and not found.read_back and np.isfinite(found.seconds)
    assert ('typed' in found.heard) is not right


@pytest.mark.parametrize(
    ('heard', 'answer', 'right'),
    [('pick up the red cup', 'Yes.', True), ('pick up the red car', 'No.', False)],
)
def test_a_read_back_is_answered_as_it_was_meant(heard, answer, right):
    node = Node(Outcome.READ_BACK, heard)
    found = result(node)
    assert node.answers == [answer]
    assert found.right is right and found.read_back and np.isnan(found.seconds)


def test_other_sounds_are_right_if_nothing_is_accepted():
    other = SpokenCase('How was your day?', 'en', '')
    assert result(Node(Outcome.IGNORED), other).right
    assert result(Node(None), other).right
    assert not result(Node(Outcome.INSTRUCTION), other).right


def test_sentences_without_a_right_plan_are_told():
    twice = [CASE, SpokenCase(CASE.text, 'en', 'pick', voice=1)]
    assert list(wrongly_typed(twice, {CASE.text: None})) == [CASE.text]
    assert not list(wrongly_typed(twice, {CASE.text: plan()}))
