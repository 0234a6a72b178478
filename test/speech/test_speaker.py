"""The queue of sentences: priorities, one voice at a time, silence at once."""

import threading
import time

import numpy as np
import pytest

from kimi_ros.speech.devices import Microphone, PacedOutput
from kimi_ros.speech.errors import SpeechError
from kimi_ros.speech.speaker import Priority, Speaker, sentences

RATE = 1000
WAIT = 30.0


class Silence:
    """A voice whose sentences last as long as the seconds that they name."""

    name, rate, languages = 'silence', RATE, ('en', 'zh')

    def synthesize(self, text, language, speed=1.0):
        if text == 'broken':
            raise SpeechError('cannot')
        return np.zeros(int(float(text.split()[0]) * RATE), np.float32)


@pytest.fixture
def make():
    made = []

    def make(output=None, **options):
        begun = []
        speaker = Speaker(
            Silence(),
            output or PacedOutput(lambda samples, rate: None),
            on_begin=lambda text, language: begun.append(text),
            **options,
        )
        made.append(speaker)
        return speaker, begun

    yield make
    for speaker in made:
        speaker.close()


def test_sentences_are_spoken_one_after_the_other(make):
    speaker, begun = make()
    for text in ('0.05 a', '0.05 b', '0.05 c'):
        speaker.say(text, 'en')
    assert speaker.wait(WAIT) and begun == ['0.05 a', '0.05 b', '0.05 c']


def test_the_next_sentence_is_made_while_one_is_heard(make):
    made, events = [], []

    class Voice(Silence):
        def synthesize(self, text, language, speed=1.0):
            made.append(text)
            return super().synthesize('0.05', language)

    class Output:
        def play(self, samples, rate, stop):
            events.append(len(made))
            until = time.monotonic() + WAIT
            while len(made) < min(3, len(events) + 1) and time.monotonic() < until:
                time.sleep(0.005)
            return True

    speaker = Speaker(Voice(), Output())
    try:
        speaker.say('I will pick up the cup. It stands on the tray. Shall I do that?', 'en')
        assert speaker.wait(WAIT)
    finally:
        speaker.close()
    assert made == ['I will pick up the cup.', 'It stands on the tray.', 'Shall I do that?']
    assert len(events) == 3 and events[0] < 3  # heard before the last one was made


@pytest.mark.parametrize(
    ('text', 'parts'),
    [
        ('0.8 m ahead of you.', ['0.8 m ahead of you.']),
        ('Stop. A step down is ahead of you!', ['Stop. A step down is ahead of you!']),
        ('我来拿起红色的杯子。要我这样做吗？', ['我来拿起红色的杯子。', '要我这样做吗？']),
        ('  ', []),
    ],
)
def test_sentences(text, parts):
    assert sentences(text) == parts


def test_stop_is_heard_within_two_blocks(make):
    sent, first = [], threading.Event()

    def send(samples, rate):
        sent.append(len(samples) / rate)
        first.set()

    ends = []
    speaker, begun = make(PacedOutput(send), on_end=ends.append)
    speaker.say('60 a', 'en')
    speaker.say('60 b', 'en')
    assert first.wait(WAIT)
    before = sum(sent)
    speaker.stop()
    assert speaker.wait(WAIT)
    assert sum(sent) - before <= 0.1 and begun == ['60 a']
    assert ends == [False]


def test_higher_priority_interrupts_and_goes_first(make):
    started = threading.Event()
    speaker, begun = make(PacedOutput(lambda samples, rate: started.set()))
    speaker.say('60 narration', 'en', Priority.NARRATION)
    assert started.wait(WAIT)
    speaker.say('0.01 answer', 'en', Priority.ANSWER)
    speaker.say('0.01 hazard', 'en', Priority.HAZARD)
    assert speaker.wait(WAIT)
    assert begun[0] == '60 narration' and set(begun[1:]) == {'0.01 answer', '0.01 hazard'}


def test_a_sentence_that_cannot_be_spoken_does_not_end_the_voice(make):
    speaker, begun = make()
    speaker.say('broken', 'en')
    speaker.say('0.01 a', 'en')
    assert speaker.wait(WAIT) and begun == ['0.01 a']


def test_queue_is_bounded_and_old_sentences_are_not_said(make):
    started = threading.Event()
    speaker, begun = make(PacedOutput(lambda samples, rate: started.set()), capacity=3)
    speaker.say('0.5 first', 'en', Priority.HAZARD)
    assert started.wait(WAIT)
    speaker.say('0.01 stale', 'en', Priority.HAZARD, max_age=-1.0)
    for number in range(10):
        speaker.say(f'0.01 {number}', 'en')
    assert speaker.wait(WAIT)
    assert '0.01 stale' not in begun and len(begun) <= 4 and begun[-1] == '0.01 9'


def test_quiet_is_measured_from_the_end(make):
    started = threading.Event()
    speaker, _ = make(PacedOutput(lambda samples, rate: started.set()))
    assert speaker.quiet_for() > 1000
    speaker.say('60 a', 'en')
    assert started.wait(WAIT) and speaker.quiet_for() == 0.0
    speaker.stop()
    assert speaker.wait(WAIT) and 0.0 <= speaker.quiet_for() < WAIT


def test_microphone_that_vanishes_is_reported_and_opened_again():
    pytest.importorskip('soxr', reason='the extra "speech" is not installed: make setup')
    opened, problems, stop = [], [], threading.Event()

    class Stream:
        samplerate = 48_000

        def __init__(self, callback, **_):
            opened.append(1)
            if len(opened) == 1:
                raise OSError('no such device')
            self._callback = callback

        def __enter__(self):
            for _ in range(4):
                self._callback(np.full((4800, 1), 0.1, np.float32), 4800, None, None)
            return self

        def __exit__(self, *_):
            return False

    microphone = Microphone('usb', problems.append, Stream)
    blocks = microphone.blocks(stop)
    sound = np.concatenate([next(blocks) for _ in range(4)])
    stop.set()
    assert len(opened) == 2 and 5000 < len(sound) <= 6400
    assert problems[0].startswith('microphone usb: no such device') and problems[-1] == ''
