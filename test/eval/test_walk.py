"""The judge of walks: what sentences claim, and whether it is so; and one walk through the CLI."""

import dataclasses
import json

import pytest

from kimi_ros.cli.main import main
from kimi_ros.eval.walking import evaluation
from kimi_ros.eval.walking.claims import read_claims
from kimi_ros.eval.walking.evaluation import FIGURES, evaluate_walk
from kimi_ros.eval.walking.judging import judge_hazards, judge_sentence
from kimi_ros.eval.walking.walk import Pose, Sentence, Walk, walking_poses
from kimi_ros.sim import GLNotAvailable
from kimi_ros.sim.way import Block, Way, WayObject, WayRenderer, sample_way

POLE = WayObject('pole', (5.0, 0.5, 0.0), 0.0, (0.2, 0.2, 4.0), (0.3, 0.3, 0.3))
WAY = Way(
    0,
    'street',
    (Block((-2, -2, -0.3), (12, 2, 0), 'paving'),),
    (Block((-2, 2, 0), (12, 3, 3), 'brick'), Block((-2, -3, 0), (12, -2, 3), 'brick')),
    (),
    (POLE,),
    9.0,
    path=((0.0, 0.0), (9.0, 0.0)),
)
START = Pose(0.0, 0.0, 0.0, 0.0)


def said(text, language='en', pose=START, **more):
    sentence = Sentence(pose, text, True, pose.time, **more)
    first = Sentence(START, 'First.', False, 0.0)
    return Walk(WAY, language, walking_poses(WAY), (first, sentence)), sentence


@pytest.mark.parametrize(
    'text, language',
    [
        ('Two poles, ahead left, 2.5 metres; the left is free; maybe door, ahead.', 'en'),
        ('两根柱子，左前方，2.5米；左边可走；可能是门，正前方。', 'zh'),
    ],
)
def test_claims_are_read_from_the_words(text, language):
    claims = read_claims(text, language)
    poles, door = claims.things
    assert (poles.kind, poles.count, poles.metres) == ('pole', 2, 2.5)
    assert poles.bearings == (-35, -13) and text[: poles.letters].endswith(('metres', '米'))
    assert (door.kind, door.count, door.metres) == ('door', 1, None)
    assert claims.advice == 'go_left' and not claims.strange
    assert read_claims('Bananas.', 'en').strange == ('Bananas',)


@pytest.mark.parametrize(
    'text, language, wrong',
    [
        ('Pole, ahead, 5 metres; the left is free.', 'en', ''),
        ('柱子，正前方，5米；右边可走。', 'zh', ''),
        ('Pole, ahead right, 5 metres.', 'en', 'side'),
        ('柱子，正前方，7米。', 'zh', 'distance'),
        ('Two poles, ahead, 5 metres.', 'en', 'there'),
        ('自行车，正前方，5米。', 'zh', 'there'),
        ('Pole, ahead, 5 metres; both sides blocked.', 'en', 'free'),
        ('Step down, ahead, 3 metres.', 'en', 'there'),
    ],
)
def test_sentences_are_true_where_the_way_is_so(text, language, wrong):
    verdict = judge_sentence(*said(text, language))
    assert bool(verdict.fault) == bool(wrong), verdict
    if wrong:
        assert getattr(verdict, wrong) is False


def test_hazard_is_announced_only_if_it_is_heard_before_two_metres():
    def announced(x, **more):
        pose = Pose(5.0 + x / 0.8, x, 0.0, 0.0)
        walk, _ = said('Pole, ahead, 3 metres.', pose=pose, **more)
        (hazard,) = judge_hazards(walk)
        return hazard.sentence is not None

    assert announced(1.5) and not announced(2.5)  # one walks on while it is said
    assert not announced(1.5, cut=7.5)


def test_walk_is_counted():
    walk, _ = said('Pole, ahead, 5 metres; the left is free.')
    counts = {name for outcome in evaluate_walk(walk) for name in outcome.counts}
    assert counts == set(FIGURES) - {'paced'}  # which is about sentences that are no warnings


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_walk_through_a_corridor(language, capsys, tmp_path):
    try:
        WayRenderer(sample_way(2_000_003), 32, 24).close()
    except GLNotAvailable as error:
        pytest.skip(str(error))
    out = tmp_path / 'walk'
    words = ['eval', 'walk', '--n', '1', '--seed', '3', '--lang', language, '--json']
    assert main([*words, '--out', str(out)]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {'suite', 'eyes', 'level', 'n', 'seed', 'lang', 'intervals', *FIGURES} == set(told)
    assert told['announced'] == told['there'] == 1 and told['paced'] in (1, None)
    assert told['distance_right'] > 0.7 and 0 < told['sentences_per_3_s'] < 1.5
    text = (tmp_path / 'walk.txt').read_text(encoding='utf-8')
    assert ('tairs' in text or '楼梯' in text) and (tmp_path / 'walk.md').is_file()
    assert main([*words, '--out', str(out)]) == 0  # from what was saved


def test_a_model_is_asked_and_what_it_does_not_see_is_not_announced(
    model_saying, monkeypatch, capsys
):
    way = dataclasses.replace(sample_way(2_000_003), length=1.0)
    monkeypatch.setattr(evaluation, 'sample_way', lambda seed: way)
    monkeypatch.setattr(evaluation, '_MODEL_SIZE', (80, 60))
    engine = model_saying('a')
    try:
        WayRenderer(way, 32, 24).close()
    except GLNotAvailable as error:
        pytest.skip(str(error))
    assert main(['eval', 'walk', '--eyes', 'model', '--n', '1', '--json']) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told['eyes'], told['model'], told['there']) == ('model', 'nano', None)
    assert engine.prefills
