"""How asking a server fails, and what the person is told."""

from __future__ import annotations

from enum import Enum


class Failure(str, Enum):
    """What went wrong."""

    UNREACHABLE = 'unreachable'
    DROPPED = 'connection dropped'
    SLOW = 'timeout'
    BUSY = 'busy'
    ERROR = 'server error'
    REJECTED = 'request rejected'
    DENIED = 'access denied'
    INVALID = 'no valid plan'


_NOTICES = {
    Failure.UNREACHABLE: (
        'I cannot reach my planning server, so I plan on my own.',
        '我连不上规划服务器，所以自己来规划。',
    ),
    Failure.DROPPED: (
        'The connection to my planning server broke, so I plan on my own.',
        '和规划服务器的连接断了，所以自己来规划。',
    ),
    Failure.SLOW: (
        'My planning server did not answer in time, so I plan on my own.',
        '规划服务器没有及时回答，所以自己来规划。',
    ),
    Failure.BUSY: (
        'My planning server is busy, so I plan on my own.',
        '规划服务器正忙，所以自己来规划。',
    ),
    Failure.ERROR: (
        'My planning server reported an error, so I plan on my own.',
        '规划服务器出错了，所以自己来规划。',
    ),
    Failure.REJECTED: (
        'My planning server rejected the request, so I plan on my own.',
        '规划服务器拒绝了请求，所以自己来规划。',
    ),
    Failure.DENIED: (
        'My planning server does not accept my key, so I plan on my own.',
        '规划服务器不接受我的密钥，所以自己来规划。',
    ),
    Failure.INVALID: (
        'My planning server wrote no valid plan, so I plan on my own.',
        '规划服务器没有给出有效的计划，所以自己来规划。',
    ),
}


class RemoteError(Exception):
    """A server did not answer as it should.

    :ivar failure: its kind.
    :ivar retry: another attempt may succeed.
    :ivar retry_after: seconds that the server asks to wait before it, or None.
    """

    def __init__(
        self,
        failure: Failure,
        message: str,
        retry: bool = False,
        retry_after: float | None = None,
    ):
        super().__init__(f'{failure.value}: {message}')
        self.failure = failure
        self.retry = retry
        self.retry_after = retry_after


def notice(failure: Failure, language: str) -> str:
    """Return what the person is told when another planner takes over."""
    return _NOTICES[failure][language == 'zh']
