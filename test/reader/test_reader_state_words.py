import pytest

from kimi_ros.reader.state_words import match_state


@pytest.mark.parametrize(
    ('text', 'values', 'value'),
    [
        ('kill', ('on', 'off'), 'off'),
        ('关掉', ('on', 'off'), 'off'),
        ('关上', ('open', 'closed'), 'closed'),
        ('拉上', ('open', 'closed', 'half'), 'closed'),
        ('放低些', ('up', 'down'), 'down'),
        ('左边', ('left', 'right'), 'left'),
        ('小火', ('low', 'medium', 'high'), 'low'),
        ('half way', ('open', 'half', 'closed'), 'half'),
        ('flat', ('open', 'half', 'closed'), None),
        ('left and then right', ('left', 'right'), None),
        ('offer', ('on', 'off'), None),
    ],
)
def test_match_state(text, values, value):
    assert match_state(text, values) == value
