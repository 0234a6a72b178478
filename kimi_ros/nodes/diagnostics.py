"""What /diagnostics says about the node (REP 107); plain values, no ROS needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from kimi_ros.nodes.rates import Rate
from kimi_ros.resources import ResourceNotFound, share

# Keys of the instructions' values that programs read.
LAST_PLAN, LAST_SECONDS = 'last_plan', 'last_seconds'


class Level(IntEnum):
    """The levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Report:
    """One DiagnosticStatus: `part` of the node, what it says, and its values."""

    part: str
    level: Level
    message: str
    values: tuple[tuple[str, str], ...] = ()


def camera_report(
    name: str,
    topic: str,
    age: float | None,
    max_age: float,
    rate: Rate,
    trouble: str,
    beside: Mapping[str, tuple[str, bool]],
) -> Report:
    """Report on a camera.

    :param name: '' for the only camera.
    :param age: of its newest picture in seconds, None if none ever came.
    :param trouble: what was wrong with the last picture that was to be read, or ''.
    :param beside: 'camera_info' and 'depth/image', which positions need: their topics, and whether
        anything arrives on them.
    """
    part = f'camera {name}'.strip()
    values = (
        ('topic', topic),
        ('age_s', '' if age is None else f'{age:.3f}'),
        ('received_hz', f'{rate.received:.1f}'),
        ('published_hz', f'{rate.published:.1f}' if rate.published else ''),
        *(
            (what, f'arrives on {full}' if arrives else f'nothing arrives on {full}')
            for what, (full, arrives) in beside.items()
        ),
    )
    if age is None:
        return Report(part, Level.ERROR, f'no picture has come on {topic}', values)
    if trouble:
        return Report(part, Level.ERROR, trouble, values)
    if abs(age) > max_age:
        return Report(part, Level.STALE, f'the newest picture is {age:.1f} s old', values)
    if rate.lossy:
        return Report(part, Level.WARN, loss_warning(name, rate), values)
    missing = [full for full, arrives in beside.values() if not arrives]
    without = f'; no positions, as nothing arrives on {" and ".join(missing)}' if missing else ''
    return Report(part, Level.OK, f'pictures arrive{without}', values)


def loss_warning(name: str, rate: Rate) -> str:
    """Return the warning about lost frames, with the remedy."""
    camera = f'camera {name}'.strip()
    try:
        profile = share('config/fastdds.xml')
    except ResourceNotFound:
        profile = 'the config/fastdds.xml of kimi_ros'
    return (
        f'of the {rate.published:.1f} pictures a second that {camera} publishes only '
        f"{rate.received:.1f} arrive. Fast DDS's defaults lose raw images: start the camera driver "
        f'AND this node with FASTDDS_DEFAULT_PROFILES_FILE={profile} (Humble, Jazzy: '
        'FASTRTPS_DEFAULT_PROFILES_FILE) or use image_transport:=compressed; where neither can be, '
        'FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA, which loses images on a busy machine. If that is '
        'done, the machine is too busy: lower the rate or the size'
    )


def model_report(name: str, failure: str | None, ready: bool) -> Report:
    """Report on the model: still loading, ready, or why it could not be loaded."""
    values = (('model', name),)
    if failure is not None:
        return Report('model', Level.ERROR, failure, values)
    if not ready:
        return Report('model', Level.WARN, 'loading', values)
    return Report('model', Level.OK, 'ready', values)


def instructions_report(
    waiting: int, seats: int, served: int, turned_away: int, last: tuple[str, float]
) -> Report:
    """Report on the line of instructions.

    :param waiting: how many are worked on or wait.
    :param last: the newest plan's id and the seconds from its goal's acceptance to its publication.
    """
    values = (
        ('in_line', str(waiting)),
        ('served', str(served)),
        ('turned_away', str(turned_away)),
        (LAST_PLAN, last[0]),
        (LAST_SECONDS, f'{last[1]:.4f}'),
    )
    if waiting > seats:
        return Report('instructions', Level.WARN, 'busy: further ones are turned away', values)
    return Report('instructions', Level.OK, 'working' if waiting else 'waiting', values)
