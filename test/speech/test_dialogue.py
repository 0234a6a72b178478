"""What the node does with what was heard, and what it never does."""

import pytest

from kimi_ros.speech.commands import Command, after_wake_word, find_command
from kimi_ros.speech.dialogue import (
    Decide,
    Dialogue,
    Instruct,
    Outcome,
    PlanNotice,
    Say,
    Settings,
    Stop,
)
from kimi_ros.speech.recognizer import Transcript
from kimi_ros.speech.vocabulary import language_of


@pytest.fixture
def hear(vocabulary):
    def hear(dialogue, text, confidence=0.9, now=0.0, **options):
        transcript = Transcript(text, language_of(text), confidence)
        return dialogue.hear(transcript, vocabulary, now, **options)

    return hear


def plan(**fields):
    given = {'id': 'p1', 'hash': 'h', 'language': 'en', 'say': 'I will pick up the red cup.'}
    return PlanNotice(**{**given, **fields})


@pytest.mark.parametrize('text', ['Pick up the red cup, and then', '把香蕉放到碗里，然后'])
def test_half_an_instruction_is_asked_for_in_shorter_sentences(hear, text):
    dialogue = Dialogue()
    outcome, (action,) = hear(dialogue, text, truncated=True)
    assert outcome is Outcome.ASKED_AGAIN and isinstance(action, Say)
    assert ('shorter' in action.text) == (action.language == 'en')
    assert hear(dialogue, 'yes') == (Outcome.IGNORED, [])  # nothing waits for it
    outcome, actions = hear(dialogue, 'stop', truncated=True)
    assert outcome is Outcome.COMMAND and isinstance(actions[0], Stop)


@pytest.mark.parametrize(
    'text',
    [
        'Pick up the red cup.',
        'Could you find the scissors, please?',
        '把香蕉放到碗里。',
        '红色的书在哪里？',
    ],
)
def test_clear_commands_are_instructions(hear, text):
    outcome, (action,) = hear(Dialogue(), text)
    assert outcome is Outcome.INSTRUCTION and isinstance(action, Instruct)
    assert action.language == language_of(text)


@pytest.mark.parametrize(
    'text',
    ['The weather is nice today.', 'I put the book back yesterday.', 'The red cup was a present.',
     '今天天气很好。', '那个红色的杯子是阿姨送的。', ''],
)  # fmt: skip
def test_talk_is_ignored(hear, text):
    assert hear(Dialogue(), text) == (Outcome.IGNORED, [])


@pytest.mark.parametrize('text', ['Pick up the red cup.', '拿起红色的杯子。'])
def test_unsure_is_read_back_and_done_only_after_yes(hear, text):
    yes, no = ('是的', '不对') if language_of(text) == 'zh' else ('yes', 'no')
    dialogue = Dialogue()
    outcome, (asked,) = hear(dialogue, text, confidence=0.4)
    assert outcome is Outcome.READ_BACK and isinstance(asked, Say)
    outcome, (action,) = hear(dialogue, yes, now=3.0)
    assert isinstance(action, Instruct) and action.text in asked.text
    assert hear(dialogue, yes, now=4.0) == (Outcome.IGNORED, [])  # once only
    hear(dialogue, text, confidence=0.4)
    assert all(isinstance(a, Say) for a in hear(dialogue, no, now=3.0)[1])
    hear(dialogue, text, confidence=0.4, now=10.0)
    assert hear(dialogue, yes, now=100.0)[1] == []  # too late


def test_unknown_things_and_misheard_words_are_read_back(hear):
    for text in ('Pick up the astrolabe.', 'Pick up the red cop.'):
        outcome, (asked,) = hear(Dialogue(), text)
        assert outcome is Outcome.READ_BACK
    assert 'red cup' in asked.text


def test_badly_heard_is_never_guessed(hear):
    assert hear(Dialogue(), 'Pick up the red cup.', 0.1) == (Outcome.IGNORED, [])
    outcome, actions = hear(Dialogue(), 'Pick up the red cup.', 0.1, addressed=True)
    assert outcome is Outcome.ASKED_AGAIN and not any(isinstance(a, Instruct) for a in actions)


@pytest.mark.parametrize('text', ['Stop!', 'stop stop', 'Please stop.', '停！', '停下来', '停停停'])
def test_stop_is_always_live(hear, text):
    for settings in (Settings(), Settings(wake_words=('hey kimi',))):
        outcome, actions = hear(Dialogue(settings), text, confidence=0.05)
        assert outcome is Outcome.COMMAND and isinstance(actions[0], Stop)


def test_stop_in_a_sentence_is_no_stop_but_over_ones_own_voice_it_is():
    assert find_command('Do not stop') is None
    assert find_command('Stopping there was a good idea') is None
    dialogue = Dialogue()
    assert dialogue.heard_over_own_voice('up the cup stop', 'I will pick up the cup.') == [Stop()]
    assert dialogue.heard_over_own_voice('say stop', 'You can say stop.') == []
    assert dialogue.heard_over_own_voice('pick up the red cup', 'Hello.') == []


def test_repeat_and_more(hear):
    dialogue = Dialogue()
    dialogue.said('I will pick up the red cup.', 'en')
    assert hear(dialogue, 'Repeat that')[1] == [Say('I will pick up the red cup.', 'en')]
    assert hear(dialogue, '再说一遍')[1] == [Say('I will pick up the red cup.', 'en')]
    dialogue.planned(plan(details='Step 1: pick red cup.'), 0.0)
    assert hear(dialogue, 'more')[1] == [Say('Step 1: pick red cup.', 'en')]
    assert hear(dialogue, '详细')[1] == [Say('Step 1: pick red cup.', 'en')]


def test_yes_approves_low_risk_after_the_read_back_only(hear):
    dialogue = Dialogue()
    assert hear(dialogue, 'yes') == (Outcome.IGNORED, [])
    waiting = plan(pending=True, low_risk=True)
    (asked,) = dialogue.planned(waiting, 0.0)
    assert waiting.say in asked.text
    outcome, actions = hear(dialogue, 'yes')
    assert actions == [Decide(waiting, True, asked.text)]
    assert hear(dialogue, 'yes')[1] == []
    dialogue.planned(plan(id='p2', pending=True, low_risk=True), 0.0)
    assert hear(dialogue, 'no')[1][0].approve is False


def test_yes_never_approves_what_is_risky(hear):
    dialogue = Dialogue()
    (told,) = dialogue.planned(plan(pending=True, low_risk=False), 0.0)
    assert 'spoken yes' in told.text
    assert hear(dialogue, 'yes') == (Outcome.IGNORED, [])
    assert hear(dialogue, 'no')[1] == [Decide(plan(pending=True), False, '')]  # may always deny


def test_own_sentences_are_echoes(hear):
    dialogue = Dialogue()
    for text in ('Find the red cup on the table.', '找到桌子上的红色杯子。'):
        dialogue.said(text, language_of(text))
        assert hear(dialogue, text)[0] is Outcome.IGNORED
    assert hear(dialogue, 'the red cup on the table')[0] is Outcome.IGNORED
    assert hear(dialogue, 'Pick up the blue bowl.')[0] is Outcome.INSTRUCTION


@pytest.mark.parametrize(
    ('text', 'own'),
    [
        ('Pick up the red cup.', 'I will pick up the red cup.'),
        ('拿起红色的杯子。', '我来拿起红色的杯子。'),
    ],
)
def test_instruction_in_its_own_words_is_read_back_once_an_echo_is_over(hear, text, own):
    dialogue = Dialogue()
    dialogue.said(own, language_of(own))
    assert hear(dialogue, text, quiet=4.0) == (Outcome.IGNORED, [])
    assert hear(dialogue, text, quiet=6.0)[0] is Outcome.READ_BACK
    yes = '是的' if language_of(text) == 'zh' else 'yes'
    (instruction,) = hear(dialogue, yes, quiet=6.0)[1]
    assert isinstance(instruction, Instruct) and instruction.language == language_of(text)
    assert hear(dialogue, own, quiet=600.0) == (Outcome.IGNORED, [])  # the sentence itself


def test_answer_in_the_words_of_the_question_is_read_back(hear):
    dialogue = Dialogue()
    dialogue.planned(plan(asks=True), 10.0)
    dialogue.said('Which cup: the left one or the right one?', 'en')
    assert hear(dialogue, 'The left one.', now=12.0, quiet=1.0)[0] is Outcome.READ_BACK
    assert hear(dialogue, 'yes', now=14.0)[1] == [Instruct('the left one', 'en')]


def test_nearly_its_own_words_are_read_back_at_once(hear):
    dialogue = Dialogue()
    dialogue.said('I will pick up the white block.', 'en')
    outcome, (asked,) = hear(dialogue, 'Pick up the white box.', quiet=1.0)
    assert outcome is Outcome.READ_BACK and 'white box' in asked.text


def test_command_in_its_own_words_is_always_an_echo(hear):
    dialogue = Dialogue()
    dialogue.said('Please say that again.', 'en')
    assert hear(dialogue, 'say that again', quiet=600.0) == (Outcome.IGNORED, [])


def test_wake_word(hear):
    dialogue = Dialogue(Settings(wake_words=('hey kimi', '你好kimi')))
    assert hear(dialogue, 'Pick up the red cup.')[0] is Outcome.IGNORED
    assert hear(dialogue, 'Hey Kimi, pick up the red cup.')[1] == [
        Instruct('pick up the red cup', 'en')
    ]
    dialogue = Dialogue(Settings(wake_words=('hey kimi',)))
    assert hear(dialogue, 'Hey Kimi!') == (Outcome.COMMAND, [])
    assert hear(dialogue, 'The one on the left.', now=2.0)[0] is Outcome.INSTRUCTION
    assert hear(dialogue, 'Pick up the bowl.', now=60.0)[0] is Outcome.IGNORED
    assert after_wake_word('I said to him hey kimi', ('hey kimi',)) is None


def test_answer_to_a_question_of_the_robot_is_for_it(hear):
    dialogue = Dialogue()
    assert hear(dialogue, 'The left one.')[0] is Outcome.IGNORED
    dialogue.planned(plan(asks=True), 10.0)
    assert hear(dialogue, 'The left one.', now=12.0)[1] == [Instruct('the left one', 'en')]


def test_every_command_has_words_in_both_languages():
    for command, english, chinese in (
        (Command.STOP, 'stop', '停'),
        (Command.REPEAT, 'repeat', '再说一遍'),
        (Command.MORE, 'more', '详细'),
        (Command.YES, 'yes', '是的'),
        (Command.NO, 'no', '不'),
    ):
        assert find_command(english) is find_command(chinese) is command
