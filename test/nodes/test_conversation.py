"""What a node remembers of a conversation."""

from kimi_ros.nodes.conversation import Conversation


def make(most=2, timeout=60.0):
    now = [0.0]
    return Conversation(lambda: most, lambda: timeout, lambda: now[0]), now


def test_keeps_the_last_turns_oldest_first():
    conversation, _ = make()
    for text in ('one', 'two', 'three'):
        conversation.add(text, text.upper())
    assert conversation.turns() == (('two', 'TWO'), ('three', 'THREE'))


def test_forgets_after_a_time_and_when_told():
    conversation, now = make()
    conversation.add('one', '')
    now[0] = 60.0
    assert conversation.turns()
    now[0] = 60.1
    assert not conversation.turns()
    conversation.add('two', '')
    assert conversation.turns() == (('two', ''),)
    conversation.clear()
    assert not conversation.turns()


def test_may_remember_nothing():
    conversation, _ = make(most=0)
    conversation.add('one', '')
    assert conversation.turns() == ()
