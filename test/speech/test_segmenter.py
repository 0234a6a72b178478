"""Utterances: pre-roll, hangover, maximum length, clicks; real speech through the network."""

import numpy as np
import pytest

from kimi_ros.speech.segmenter import Segmenter, SegmenterSettings
from kimi_ros.speech.vad import BLOCK, SileroVad

SETTINGS = SegmenterSettings(hangover=0.32, pre_roll=0.096, min_speech=0.16, max_length=3.2)


def feed(segmenter, probabilities):
    found = []
    for number, probability in enumerate(probabilities):
        block = np.full(BLOCK, number, np.float32)
        if (utterance := segmenter.feed(block, probability)) is not None:
            found.append((number, utterance))
    return found


def test_utterance_has_pre_roll_and_ends_after_the_hangover():
    ((end, utterance),) = feed(Segmenter(SETTINGS), [0.0] * 20 + [0.9] * 20 + [0.0] * 20)
    assert end == 20 + 20 + 9  # ten silent blocks
    kept = utterance.samples[::BLOCK].astype(int).tolist()
    assert kept == list(range(18, 50)) and not utterance.truncated


def test_short_pause_does_not_end_it_and_clicks_are_nothing():
    probabilities = [0.0] * 5 + [0.9] * 10 + [0.0] * 6 + [0.9] * 10 + [0.0] * 12
    assert len(feed(Segmenter(SETTINGS), probabilities)) == 1
    assert feed(Segmenter(SETTINGS), [0.0] * 5 + [0.9] * 3 + [0.0] * 30) == []


def test_probability_may_sink_a_little_within_an_utterance():
    assert len(feed(Segmenter(SETTINGS), [0.9] * 5 + [0.4] * 20 + [0.9] * 5 + [0.0] * 12)) == 1
    assert feed(Segmenter(SETTINGS), [0.4] * 60) == []


def test_endless_speech_is_cut():
    found = feed(Segmenter(SETTINGS), [0.9] * 250)
    assert len(found) == 2 and all(u.truncated for _, u in found)
    assert all(u.duration <= 3.3 for _, u in found)


def test_reset_drops_what_was_begun():
    segmenter = Segmenter(SETTINGS)
    feed(segmenter, [0.9] * 20)
    segmenter.reset()
    assert feed(segmenter, [0.0] * 20) == []


@pytest.mark.parametrize(
    'text, language', [('Pick up the red cup.', 'en'), ('拿起红色的杯子。', 'zh')]
)
def test_network_finds_speech_and_no_speech_in_noise(speak, text, language):
    pytest.importorskip('faster_whisper', reason='the extra "speech" is not installed: make setup')
    vad, segmenter = SileroVad(), Segmenter()
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.02, 32_000).astype(np.float32)
    sound = np.concatenate([noise, speak(text, language), noise])
    utterances = []
    for start in range(0, len(sound) - BLOCK, BLOCK):
        block = sound[start : start + BLOCK]
        if (found := segmenter.feed(block, vad.probability(block))) is not None:
            utterances.append((start / 16_000, found))
    assert len(utterances) in (1, 2)  # a synthetic voice may pause
    assert sum(u.duration for _, u in utterances) < len(speak(text, language)) / 16_000 + 1.2
    assert utterances[0][0] > 2.5


def test_quiet_blocks_do_not_reach_the_network():
    pytest.importorskip('faster_whisper', reason='the extra "speech" is not installed: make setup')
    vad = SileroVad()
    vad._session = None
    assert vad.probability(np.full(BLOCK, 1e-5, np.float32)) == 0.0
