"""Repeated log messages."""

from kimi_ros.nodes.log_throttle import LogThrottle


def test_each_message_has_its_own_throttle():
    now = 0.0
    throttle = LogThrottle(1.0, lambda: now)
    assert [throttle.text(str(n), f'message {n}') for n in range(16)] == [
        f'message {n}' for n in range(16)
    ]
    assert throttle.text('3', 'message 3') == ''
    now = 0.9
    assert throttle.text('3', 'message 3') == ''
    now = 1.1
    assert throttle.text('3', 'message 3') == 'message 3 (2 more like this)'
    assert throttle.text('4', 'message 4') == 'message 4'


def test_memory_is_bounded():
    throttle = LogThrottle(1.0)
    for number in range(10_000):
        assert throttle.text(str(number), 'message')
    assert len(throttle._logged) <= 200
