"""Narration: order, length, pace, only what was measured, and nothing that was not seen."""

import pytest

from kimi_ros.speech.directions import Wording
from kimi_ros.speech.narration import MAX_WORDS, Finding, Narrator, Side

WORKS = Finding('1', 'roadworks', -5.0, 4.2, hazard=True, left=Side.FREE)


@pytest.fixture(params=['en', 'zh'])
def narrator(request):
    narrator = Narrator(Wording(request.param))
    first = narrator.update([], 0.0)
    assert ('cane' in first.text) or ('盲杖' in first.text)
    return narrator


def test_hazard_direction_distance_action_in_this_order():
    narrator = Narrator()
    narrator.update([], 0.0)
    said = narrator.update([WORKS], 0.1)
    assert said.text == 'Roadworks, ahead, 4 metres; the left is free.' and said.interrupts
    narrator = Narrator(Wording('zh'))
    narrator.update([], 0.0)
    chinese = Finding('1', '施工', -5.0, 4.2, hazard=True, left=Side.FREE)
    assert narrator.update([chinese], 0.1).text == '施工，正前方，4米；左边可走。'


def test_a_side_is_free_only_where_it_was_measured():
    for left, right, wanted in (
        (Side.UNKNOWN, Side.UNKNOWN, 'not checked'),
        (Side.BLOCKED, Side.UNKNOWN, 'not checked'),
        (Side.BLOCKED, Side.BLOCKED, 'blocked'),
        (Side.BLOCKED, Side.FREE, 'the right is free'),
    ):
        narrator = Narrator()
        narrator.update([], 0.0)
        said = narrator.update([Finding('1', 'pole', 0, 3.0, True, left, right)], 1.0)
        assert wanted in said.text


def test_said_on_change_only_and_again_when_much_closer(narrator):
    said = []
    for frame in range(90):
        metres = 5.0 - frame * 0.05
        now = 1.0 + frame * 0.1
        if found := narrator.update([Finding('1', 'cone', 0, metres, hazard=True)], now):
            said.append((now, metres, found.text))
    assert 3 <= len(said) <= 6
    stops = ['stop' in text or '停下' in text for _, _, text in said]
    assert stops == [False] * (len(said) - 1) + [True] and 0.9 < said[-1][1] < 1.0
    times = [now for now, _, _ in said[:-1]]  # 'stop' does not wait
    assert said[0][1] == 5.0 and all(b - a >= 1.5 for a, b in zip(times, times[1:], strict=False))
    assert narrator.update([Finding('1', 'cone', 0, 1.0, hazard=True)], 10.1) is None


def test_others_wait_for_the_interval_and_hazards_do_not(narrator):
    narrator.level = 'brief'
    bikes = Finding('2', 'three shared bikes', 30, 3.0)
    assert narrator.update([bikes], 1.0) is None  # 5 s after the first sentence
    assert narrator.update([bikes, WORKS], 1.1).interrupts
    assert narrator.update([bikes], 3.0) is None
    assert narrator.update([bikes], 6.2) is not None
    assert narrator.update([bikes], 20.0) is not None  # out of sight for long: new


@pytest.mark.parametrize('level', ['brief', 'normal', 'rich'])
def test_sentences_are_short(level):
    things = [Finding(str(i), f'a wooden bench number {i}', 10.0 * i, 1.0 + i) for i in range(8)]
    narrator = Narrator(level=level)
    narrator.update([], 0.0)
    text = narrator.update(things, 10.0).text
    assert len(text.split()) <= MAX_WORDS and 'number 0' in text


def test_unknown_distances_are_left_out_and_doubt_is_said():
    narrator = Narrator()
    narrator.update([], 0.0)
    said = narrator.update([Finding('1', 'a step', 0, None, hazard=True, sure=False)], 1.0)
    assert said.text == 'Maybe a step, ahead; sides not checked.'


def test_people_have_no_names_and_text_is_quoted():
    narrator = Narrator()
    narrator.update([], 0.0)
    person = Finding('1', 'Aunt Mary', 20, 2.0, person=True)
    assert narrator.update([person], 10.0).text == 'A person, ahead right, 2 metres.'
    sign = Finding('2', 'a sign', -40, 3.0, text='Way out')
    assert narrator.update([sign], 20.0).text.endswith('it reads "Way out".')


def test_question_in_between():
    narrator = Narrator()
    seen = [Finding('1', 'a bench', -50, 2.0), Finding('2', 'a door', 60, 4.0)]
    assert narrator.answer(seen, 'left') == 'A bench, on the left, 2 metres.'
    assert 'does not mean that it is free' in narrator.answer(seen, 'ahead')


def test_wording_changes_while_it_runs():
    narrator = Narrator()
    narrator.update([], 0.0)
    narrator.wording = Wording(clock=True, units='steps')
    text = narrator.update([Finding('1', 'a bench', 60, 2.0)], 9.0).text
    assert text == "A bench, two o'clock, 3 steps."


def test_what_was_interrupted_is_said_again(narrator):
    pole = Finding('1', 'pole', 0, 4.0, hazard=True)
    assert narrator.update([pole], 10.0) is not None
    close = Finding('2', 'bench', 0, 0.8, hazard=True)
    assert narrator.update([pole, close], 10.4).interrupts
    again = [narrator.update([pole, close], 10.4 + 0.2 * i) for i in range(1, 20)]
    assert any('pole' in said.text.lower() for said in again if said)
    assert not any(narrator.update([pole, close], 20.0 + i) for i in range(5))


def test_stop_is_said_once_of_what_is_at_hand_together(narrator):
    person = Finding('1', 'a person', 0, 0.9, hazard=True, person=True)
    bag = Finding('2', 'bag', 5, 0.9, hazard=True)
    far = Finding('3', 'bicycle', 10, 4.0, hazard=True)
    said = [narrator.update([person, bag, far], 1.0 + 0.2 * frame) for frame in range(40)]
    texts = [narration.text if narration else '' for narration in said]
    stops = [i for i, text in enumerate(texts) if 'stop' in text or '停下' in text]
    assert len(stops) == 2 and stops[1] - stops[0] >= 10, texts
    assert any('bicycle' in text.lower() for text in texts[stops[0] : stops[1]])


def test_a_step_that_one_knows_of_stops_nothing(narrator):
    step = Finding('1', 'step', 0, 4.0, hazard=True, step=True)
    assert ';' not in narrator.update([step], 10.0).text  # one walks over it
    pole = Finding('2', 'pole', 0, 5.0, hazard=True)
    at_hand = Finding('1', 'step', 0, 0.8, hazard=True, step=True)
    assert 'pole' in narrator.update([step, pole], 14.0).text.lower()
    assert narrator.update([at_hand, pole], 14.4) is None
    assert 'step' in narrator.update([at_hand, pole], 17.0).text.lower()


def test_what_is_in_the_way_comes_before_what_is_passed(narrator):
    car = Finding('1', 'car', 40, 2.0, hazard=True, aside=0.6, straight=Side.FREE)
    pole = Finding('2', 'pole', 0, 4.0, hazard=True)
    assert narrator.update([car, pole], 10.0).text.lower().startswith('pole')
    free = narrator.update([car], 20.0)
    assert free is None or 'straight on is free' in free.text or '可以直走' in free.text
