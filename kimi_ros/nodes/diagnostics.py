"""Content of /diagnostics (REP 107); plain values, no ROS needed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from kimi_ros.agent import Plan
from kimi_ros.agent.approval import ID_LENGTH
from kimi_ros.nodes.camera_geometry import GeometryWarning
from kimi_ros.nodes.frame_rate import FrameRate
from kimi_ros.resources import ResourceNotFoundError, share

# Keys of the values of 'instructions' that the client reads.
LAST_PLAN, LAST_SECONDS = 'last_plan', 'last_seconds'


class Level(IntEnum):
    """The levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class StatusReport:
    """One DiagnosticStatus: a component of the node, its message and its values."""

    component: str
    level: Level
    message: str
    values: tuple[tuple[str, str], ...] = ()


def camera_report(
    name: str,
    topic: str,
    age: float | None,
    max_age: float,
    rate: FrameRate,
    image_error: str,
    warnings: Sequence[GeometryWarning],
    related: Mapping[str, tuple[str, bool]],
) -> StatusReport:
    """Report on a camera.

    :param name: '' for the unnamed camera.
    :param age: of its latest image in seconds, None if none was received.
    :param image_error: why the latest image cannot be decoded, or ''.
    :param warnings: what keeps objects in it from having positions.
    :param related: 'camera_info' and 'depth/image', which positions need: the resolved topic, and
        whether messages are received on it.
    """
    component = f'camera {name}'.strip()
    values = (
        ('topic', topic),
        ('age_s', '' if age is None else f'{age:.3f}'),
        ('received_hz', f'{rate.received:.1f}'),
        ('taken_hz', f'{rate.taken:.1f}'),
        ('published_hz', f'{rate.published:.1f}' if rate.published else ''),
        ('warnings', ' '.join(w.code for w in warnings)),
        *(
            (name, f'received on {full}' if active else f'nothing received on {full}')
            for name, (full, active) in related.items()
        ),
    )
    if age is None:
        return StatusReport(component, Level.ERROR, f'no image received on {topic}', values)
    if image_error:
        return StatusReport(component, Level.ERROR, f'{topic}: {image_error}', values)
    if abs(age) > max_age:
        return StatusReport(component, Level.STALE, f'the latest image is {age:.1f} s old', values)
    problems = [frame_loss_warning(name, rate)] if rate.lossy else []
    problems += [f'no positions: {w.message}' for w in warnings]
    if problems:
        return StatusReport(component, Level.WARN, '. '.join(problems), values)
    missing = [full for full, active in related.values() if not active]
    without = f'; no positions: nothing received on {" and ".join(missing)}' if missing else ''
    return StatusReport(component, Level.OK, f'receiving images{without}', values)


def frame_loss_warning(name: str, rate: FrameRate) -> str:
    """Return the warning about lost frames, with the remedy."""
    camera = f'camera {name}'.strip()
    try:
        profile = str(share('config/fastdds.xml'))
    except ResourceNotFoundError:
        profile = 'config/fastdds.xml of kimi_ros'
    return (
        f'{camera} publishes {rate.published:.1f} images a second, but only {rate.received:.1f} '
        'are received. Fast DDS loses raw images with its default settings: start the camera '
        f'driver AND this node with FASTDDS_DEFAULT_PROFILES_FILE={profile} (Humble, Jazzy: '
        'FASTRTPS_DEFAULT_PROFILES_FILE), or use image_transport:=compressed. If neither is '
        'possible, FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA helps, but loses images on a busy '
        'machine. If one of these is set, the machine is overloaded: lower the rate or the size'
    )


def model_report(name: str, error: str | None, ready: bool | None) -> StatusReport:
    """Report on the model: loading, ready, or why it could not be loaded.

    :param ready: None if the node is not configured.
    """
    values = (('model', name),)
    if error is not None:
        return StatusReport('model', Level.ERROR, error, values)
    if not ready:
        message = 'loading' if ready is not None else 'not configured'
        return StatusReport('model', Level.WARN, message, values)
    return StatusReport('model', Level.OK, 'ready', values)


def approval_report(waiting: Sequence[tuple[Plan, str]]) -> StatusReport:
    """Report on the plans that wait for a person.

    :param waiting: each with the command that approves it, the latest last.
    """
    if not waiting:
        return StatusReport('approval', Level.OK, 'no plan waits')
    latest = waiting[-1][0]
    values = tuple(
        (plan.id, json.dumps({**_shown(plan), 'command': command}, ensure_ascii=False))
        for plan, command in waiting
    )
    message = f'{len(waiting)} waiting: type kimi approve {latest.id[:ID_LENGTH]}'
    return StatusReport('approval', Level.WARN, message, values)


def _shown(plan: Plan) -> dict[str, object]:
    """Return what a person must know of a plan to decide about it."""
    steps = [
        ' '.join([step.skill, *(plan.object(i).label for i in step.object_ids)])
        for step in plan.steps
    ]
    return {
        'hash': plan.hash,
        'instruction': plan.instruction,
        'say': plan.say,
        'steps': steps,
        'reasons': list(plan.reason_codes),
        'expires': plan.expires,
    }


def instructions_report(
    length: int,
    capacity: int,
    completed: int,
    rejected: int,
    last: tuple[str, float],
    active: bool = True,
) -> StatusReport:
    """Report on the request queue.

    :param length: requests that are active or wait.
    :param last: the latest plan's id and the seconds from goal accepted to plan published.
    :param active: whether the node accepts requests.
    """
    values = (
        ('queue_length', str(length)),
        ('completed', str(completed)),
        ('rejected', str(rejected)),
        (LAST_PLAN, last[0]),
        (LAST_SECONDS, f'{last[1]:.4f}'),
    )
    if not active:
        return StatusReport('instructions', Level.WARN, 'the node is not active', values)
    if length > capacity:
        return StatusReport(
            'instructions', Level.WARN, 'queue full: new requests are rejected', values
        )
    return StatusReport('instructions', Level.OK, 'active' if length else 'idle', values)
