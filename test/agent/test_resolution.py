"""The model's own view of a phrase and the geometry must agree."""

import pytest

from kimi_ros.agent import Status

LEFT, MIDDLE, RIGHT = (0.1, 0.5, 0.2, 0.7), (0.45, 0.5, 0.55, 0.7), (0.8, 0.5, 0.9, 0.7)
PHRASE = 'cup left of the bowl'


@pytest.mark.parametrize(
    ('seen', 'status'), [(LEFT, Status.OK), (RIGHT, Status.NEEDS_CLARIFICATION)]
)
def test_a_relation_that_model_and_geometry_see_otherwise_is_a_question(
    kit, make_agent, frame, seen, status
):
    things = {PHRASE: [seen], 'cup': [LEFT, RIGHT], 'bowl': [MIDDLE]}
    vlm = kit.FakeVlm(kit.ok('Sure.', kit.pick(PHRASE)), things)
    plan = make_agent(vlm).run(frame, f'pick up the {PHRASE}')
    assert plan.status is status
    if status is not Status.OK:
        assert plan.reason_codes == ('views_disagree',)
        assert plan.options == ('1. the cup on the left', '2. the cup on the right')


def test_superlatives_are_resolved_by_geometry_too(kit, make_agent, frame):
    things = {'leftmost cup': [RIGHT], 'cup': [LEFT, RIGHT]}
    vlm = kit.FakeVlm(kit.ok('Sure.', kit.pick('leftmost cup')), things)
    plan = make_agent(vlm).run(frame, 'pick up the leftmost cup')
    assert plan.reason_codes == ('views_disagree',)


def test_a_name_that_nobody_said_is_asked_about(kit, make_agent, frame):
    vlm = kit.FakeVlm(kit.ok('Sure.', kit.pick('sponge')), {'sponge': [LEFT]})
    plan = make_agent(vlm).run(frame, 'take that, will you?')
    assert plan.status is Status.NEEDS_CLARIFICATION and plan.reason_codes == ('not_said',)


def test_synonyms_are_shown_as_they_were_said(kit, make_agent, frame):
    vlm = kit.FakeVlm(kit.ok('I will pick up the cup.', kit.pick('cup')), {'cup': [LEFT]})
    plan = make_agent(vlm).run(frame, 'pick up the mug')
    assert plan.objects[0].label == 'mug' and plan.say == 'I will pick up the mug.'


@pytest.mark.parametrize(
    ('cups', 'skills', 'labels'),
    [
        ([LEFT], ['pick'], ['cup left of the bowl']),
        ([RIGHT], ['pick', 'place'], ['cup', 'bowl', 'left of the bowl']),
    ],
)
def test_a_wish_means_what_stands_there_or_where_it_should(
    kit, make_agent, frame, cups, skills, labels
):
    things = {PHRASE: cups, 'cup': cups, 'bowl': [MIDDLE]}
    vlm = kit.FakeVlm(kit.ok('Sure.', kit.pick(PHRASE)), things)
    plan = make_agent(vlm).run(frame, f'I want the {PHRASE}')
    assert plan.status is Status.OK and [s.skill for s in plan.steps] == skills
    assert [o.label for o in plan.objects] == labels


def test_geometry_tells_apart_what_the_model_does_not(kit, make_agent, frame):
    things = {'leftmost cup': [LEFT, RIGHT], 'cup': [LEFT, RIGHT]}
    vlm = kit.FakeVlm(kit.ok('Sure.', kit.pick('leftmost cup')), things)
    plan = make_agent(vlm).run(frame, 'pick up the leftmost cup')
    assert plan.status is Status.OK and plan.objects[0].point[0] == pytest.approx(96)
