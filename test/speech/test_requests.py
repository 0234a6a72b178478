"""What is a request for guidance or narration, and what is not."""

from dataclasses import replace

import pytest

from kimi_ros.speech.dialogue import Dialogue, Instruct, Outcome
from kimi_ros.speech.recognizer import Transcript
from kimi_ros.speech.requests import Wish, parse_request


@pytest.mark.parametrize(
    'text, wish, name',
    [
        ('Please help me find the red book.', Wish.GUIDE, 'red book'),
        ('Guide me to the cup left of the bowl, please.', Wish.GUIDE, 'cup left of the bowl'),
        ('帮我找到桌子上红色的那本书', Wish.GUIDE, '桌子上红色的那本书'),
        ('请帮我找一下杯子在哪里', Wish.GUIDE, '杯子'),
        ('带我去拿杯子', Wish.GUIDE, '杯子'),
        ('Describe the way.', Wish.NARRATE, ''),
        ('开始讲解', Wish.NARRATE, ''),
        ("What's on my left?", Wish.SIDE, 'left'),
        ('What is in front of me?', Wish.SIDE, 'ahead'),
        ('我右边有什么？', Wish.SIDE, 'right'),
        ('前面是什么', Wish.SIDE, 'ahead'),
        ('Stop narrating.', Wish.END, ''),
        ('停止引导', Wish.END, ''),
    ],
)
def test_requests(text, wish, name):
    found = parse_request(text)
    assert (found.wish, found.name) == (wish, name)
    assert found.language == ('en' if text.isascii() else 'zh')


@pytest.mark.parametrize(
    'text', ['Find the red book.', 'What is this?', 'My brother lives here.', '拿起杯子', '']
)
def test_others_are_not_for_it(text):
    assert parse_request(text) is None


def test_dialogue_takes_requests_where_somebody_is_there_for_them(vocabulary):
    heard = Transcript('Guide me to the harmonica.', 'en', 0.9)
    dialogue = Dialogue()
    assert dialogue.hear(heard, vocabulary, 0.0, quiet=100.0) == (Outcome.IGNORED, [])
    assisted = replace(vocabulary, assists=True)
    outcome, actions = dialogue.hear(heard, assisted, 0.0, quiet=100.0)
    assert (outcome, actions) == (
        Outcome.INSTRUCTION,
        [Instruct('guide me to the harmonica', 'en')],
    )
