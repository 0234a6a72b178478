"""Things and measured ground become findings: what stands together is one, with its number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kimi_ros.assist.free_space import LANE, FreeSpace, Obstacle
from kimi_ros.assist.ranging import Extent
from kimi_ros.assist.things import Kind
from kimi_ros.speech.narration import Finding, Side

UNNAMED = {
    'unnamed': ('obstacle', '障碍物'),
    'step down': ('step down', '下台阶'),
    'step up': ('step up', '上台阶'),
}
"""What depth sees without a name, in English and Chinese."""

_SURE = 0.4  # score
_TOGETHER = 1.6  # metres from one thing to the next, for both to be one finding
_IN_THE_WAY = LANE / 2  # metres to the side
_BODY, _NEAR = 0.3, 1.5  # metres to the side of what is less far ahead
_BESIDE = 0.7  # metres to the side of those, within which what endangers is a hazard
_CLOSE = 0.2  # metres alike, of any thing
_BESIDE_BEARING = 35.0  # degrees: what is near and farther round is passed already
_AHEAD = 7.5  # metres
_GAP = 0.05  # metres between a thing and the lane beside it
_BEHIND = 0.5  # metres behind its nearest side that the lanes beside it must be free
_UNNAMED, _STEP = 4.5, 5.5  # metres, within which obstacles without a name and steps are told
_EXPLAINED = 0.8  # metres between an obstacle and a thing that has a name


@dataclass(frozen=True)
class Seen:
    """A thing in the newest image.

    :ivar key: of the tracker.
    :ivar score: 0 to 1.
    """

    key: str
    kind: Kind
    score: float
    extent: Extent


def findings_of(
    things: Sequence[Seen], compounds: Sequence[Kind], space: FreeSpace, language: str
) -> list[Finding]:
    """Return a finding for each group of things.

    :param compounds: the kinds that others are part of.
    """
    family = {part: kind for kind in compounds for part in kind.parts}
    groups: list[list[Seen]] = []
    for thing in sorted(things, key=lambda s: (_distance(s), s.key)):
        name = _family(thing, family)
        near = [g for g in groups if _family(g[0], family) == name and _joins(thing, g)]
        for group in near:
            groups.remove(group)
        groups.append([*(member for group in near for member in group), thing])
    return [_finding(group, family, space, language) for group in groups]


def unnamed(
    obstacle: Obstacle | None, things: Sequence[Finding], space: FreeSpace, language: str, key: str
) -> list[Finding]:
    """Return the obstacle that depth sees as a finding, unless a thing with a name explains it.

    :param key: its id.
    """
    if obstacle is None or obstacle.forward > (_UNNAMED if obstacle.kind == 'unnamed' else _STEP):
        return []
    metres = math.hypot(obstacle.right, obstacle.forward)
    step = obstacle.kind != 'unnamed'
    for finding in things:
        if finding.metres is not None and abs(finding.metres - metres) < _EXPLAINED:
            if finding.step or not step:
                return []
    far = obstacle.forward + _BEHIND
    sides = [Side.UNKNOWN if step else space.lane(obstacle.right + s, far) for s in (-LANE, LANE)]
    return [
        Finding(
            id=key,
            label=UNNAMED[obstacle.kind][language == 'zh'],
            bearing=math.degrees(math.atan2(obstacle.right, obstacle.forward)),
            metres=metres,
            hazard=True,
            left=sides[0],
            right=sides[1],
            step=step,
        )
    ]


def _family(thing: Seen, family: Mapping[str, Kind]) -> str:
    name = thing.kind.name['en']
    return family[name].name['en'] if name in family else name


def _distance(thing: Seen) -> float:
    return math.inf if thing.extent.metres is None else thing.extent.metres


def _joins(thing: Seen, group: Sequence[Seen]) -> bool:
    """Whether a thing stands beside one of a group."""
    one = thing.extent
    for other in (member.extent for member in group):
        if one.forward is None or other.forward is None:
            if abs(one.bearing - other.bearing) < 10.0:
                return True
            continue
        aside = max(one.left - other.right, other.left - one.right, 0.0)
        if math.hypot(aside, one.forward - other.forward) < _TOGETHER:
            return True
    return False


def _finding(
    group: Sequence[Seen], family: Mapping[str, Kind], space: FreeSpace, language: str
) -> Finding:
    group = sorted(group, key=lambda s: (_distance(s), s.key))
    first, kinds = group[0], {thing.kind.name['en'] for thing in group}
    compound = len(kinds) > 1
    if compound:
        kind = family[first.kind.name['en']]
        label = kind.label(1, language)
    else:
        kind = first.kind
        label = kind.label(len(group), language)
    extents = [thing.extent for thing in group]
    forward = first.extent.forward
    aside = min(map(_aside, extents))
    beside = kind.hazard and not all(e.below for e in extents)
    hazard = aside < (_BESIDE if beside else _CLOSE)
    left = right = straight = Side.UNKNOWN
    if hazard and forward is not None:
        middle = LANE / 2 + _GAP
        left = space.lane(min(e.left for e in extents) - middle, forward + _BEHIND)
        right = space.lane(max(e.right for e in extents) + middle, forward + _BEHIND)
        straight = space.lane(0.0, forward + _BEHIND)
    return Finding(
        id=first.key,
        label=label,
        bearing=first.extent.bearing,
        metres=first.extent.metres,
        hazard=hazard,
        left=left,
        right=right,
        sure=first.score >= _SURE,
        person=kind.person and len(group) == 1,
        members=tuple(thing.key for thing in group),
        aside=aside,
        step=kind.step,
        compound=compound,
        straight=straight,
    )


def _aside(extent: Extent) -> float:
    """Return how far to the side of where the person walks a thing is; 0 in the way.

    Infinite for what is too far away to tell, or beside; 0 without a distance.
    """
    if extent.forward is None:
        return 0.0
    near = extent.forward < _NEAR
    if not 0 < extent.forward < _AHEAD or (near and abs(extent.bearing) > _BESIDE_BEARING):
        return math.inf
    half = _BODY if near else _IN_THE_WAY
    return max(0.0, extent.left - half, -extent.right - half)
