"""Whether a walk's narration is true, and whether each hazard was announced in time."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kimi_ros.assist.findings import UNNAMED
from kimi_ros.assist.things import load_kinds
from kimi_ros.eval.walking.claims import Claim, read_claims
from kimi_ros.eval.walking.walk import Pose, Sentence, Walk
from kimi_ros.sim.way import Way, WayObject

BEFORE = 2.0
"""Metres before which a hazard must have been announced: heard, with its distance, to the end."""

DISTANCE = 0.2
"""Share that a distance may be off by, beside the rounding of the words."""

_EARLY = 9.0  # metres: an announcement from farther away is of no use
_PASSES = 1.0  # metres from the path within which a hazard is on the way
_LANE = 0.6  # metres: what stands in this is in the way
_WATCHED = (2.4, 3.6)  # metres ahead where it must stand to be so
_LONG = 4  # images
_SIDE = 6.0  # degrees that a direction may be off by
_IN_VIEW = 10.0, 100.0  # metres and degrees to both sides in which things are seen
_BODY = 0.6  # metres of a lane that a person can walk in; the narration wants 0.8
_WIDE = 1.0  # metres of one that nobody would call blocked
_TOGETHER = 2.0  # metres between things that are one hazard
_COMPOUND = 3.5  # metres that the parts of a compound reach over
_HALF_WIDTH = 44.0  # degrees of the image: a distance is that of what it shows
_FEET = 1.0  # metres ahead, before which the sides are not judged: the camera does not see them


@dataclass(frozen=True)
class Verdict:
    """What is true of a sentence; None where it says nothing of the kind.

    :ivar there: all that it names is there, as many as it says.
    :ivar side: all directions are right; `distance` and `free` alike, of the sides to go round.
    :ivar fault: why not, in words; '' where all is right.
    """

    there: bool
    side: bool | None
    distance: bool | None
    free: bool | None
    fault: str


@dataclass(frozen=True)
class Announced:
    """A hazard, and the first sentence that announced it in time, None if none did.

    :ivar parts: of a row of bicycles, or of roadworks: what stands together is one hazard.
    """

    parts: tuple[WayObject, ...]
    sentence: Sentence | None


def judge_sentence(walk: Walk, sentence: Sentence) -> Verdict:
    """Compare a sentence with the truth at the pose of its image."""
    claims = read_claims(sentence.text, walk.language)
    there = not claims.strange
    faults = [f'not understood: {part}' for part in claims.strange]
    sides, distances = [], []
    free = None
    for claim in claims.things:
        things = _matching(walk.way, claim, sentence.pose)
        if len(things) < claim.count:
            there = False
            faults.append(f'{len(things)} {claim.kind} there')
            continue
        thing = things[0]
        sides.append(thing.spans(claim.bearings))
        if not sides[-1]:
            faults.append(f'{claim.kind} is at {thing.low:.0f} to {thing.high:.0f} degrees')
        if claim.metres is not None:
            distances.append(abs(claim.metres - thing.metres) <= _margin(thing.metres))
            if not distances[-1]:
                faults.append(f'{claim.kind} is {thing.metres:.1f} m away')
    if claims.things and claims.advice in ('go_left', 'go_right', 'go_on', 'blocked'):
        things = _matching(walk.way, claims.things[0], sentence.pose)
        if things:
            meant = _meant(claims.things[0], things)
            wrong = _wrong_side(walk.way, meant, claims.advice, sentence.pose)
            free = not wrong
            faults += [wrong] if wrong else []
    return Verdict(
        there,
        all(sides) if sides else None,
        all(distances) if distances else None,
        free,
        '; '.join(faults),
    )


def judge_hazards(walk: Walk) -> list[Announced]:
    """Return every hazard of the way, and whether it was announced."""
    hazards = _joined([item for item in walk.way.objects if is_hazard(walk, item)])
    return [
        Announced(parts, next((s for s in walk.sentences[1:] if _announces(walk, s, parts)), None))
        for parts in hazards
    ]


def _joined(items: Sequence[WayObject]) -> list[tuple[WayObject, ...]]:
    """Return the things, those of a kind, or of roadworks, that stand together as one."""
    family = {part: name for name, parts in _compounds().items() for part in parts}
    groups: list[list[WayObject]] = []
    for item in sorted(items, key=lambda o: o.position[0]):
        near = [
            group
            for group in groups
            if family.get(group[0].kind, group[0].kind) == family.get(item.kind, item.kind)
            and any(_gap(item, other) < _TOGETHER for other in group)
        ]
        groups = [group for group in groups if group not in near]
        groups.append([*(other for group in near for other in group), item])
    return [tuple(group) for group in groups]


def _gap(one: WayObject, other: WayObject) -> float:
    """Return about how far apart two things are, metres."""
    x, y = one.nearest(*other.position[:2])
    return other.distance(x, y)


def is_hazard(walk: Walk, item: WayObject) -> bool:
    """Whether something must be announced: what endangers near the path, or stands in the way."""
    if item.hazard:
        return min(item.distance(p.x, p.y) for p in walk.poses) < _PASSES
    return item.solid and sum(_in_the_way(item, pose) for pose in walk.poses) >= _LONG


@dataclass(frozen=True)
class _Seen:
    """A thing from a pose: its nearest side's distance, and the bearings that it extends over."""

    metres: float
    low: float
    high: float
    item: WayObject | None = None

    def spans(self, bearings: tuple[float, float]) -> bool:
        return self.low - _SIDE <= bearings[1] and self.high + _SIDE >= bearings[0]


def _in_the_way(item: WayObject, pose: Pose) -> bool:
    ahead = np.arange(*_WATCHED, 0.1)
    across = np.linspace(-_LANE / 2, _LANE / 2, 5)
    forward, left = (v.ravel() for v in np.meshgrid(ahead, across))
    cos, sin = math.cos(pose.heading), math.sin(pose.heading)
    points = np.column_stack(
        [pose.x + cos * forward - sin * left, pose.y + sin * forward + cos * left]
    )
    return bool((item.distances(points) == 0).any())


def _announces(walk: Walk, sentence: Sentence, parts: Sequence[WayObject]) -> bool:
    for claim in read_claims(sentence.text, walk.language).things:
        heard = sentence.heard_at(claim.letters)
        if heard is None:
            continue
        things = _matching(walk.way, claim, sentence.pose)
        if not any(thing.item in parts for thing in _meant(claim, things)):
            continue
        pose = walk.pose_at(heard)
        if _distance(parts, sentence.pose) <= _EARLY and _distance(parts, pose) >= BEFORE:
            return True
    return False


def _distance(parts: Sequence[WayObject], pose: Pose) -> float:
    return min(part.distance(pose.x, pose.y) for part in parts)


def _matching(way: Way, claim: Claim, pose: Pose) -> list[_Seen]:
    """Return what may be meant: the thing that fits best, then those behind it, nearest first."""
    seen = [_seen(item, pose) for item in way.objects if _is_called(item, claim.kind)]
    if claim.kind in UNNAMED:
        seen += [w for w in _wall(way, pose) if all(abs(w.metres - s.metres) > 1 for s in seen)]
    seen = [s for s in seen if s.metres <= _IN_VIEW[0] and s.spans((-_IN_VIEW[1], _IN_VIEW[1]))]
    seen.sort(key=lambda s: s.metres)

    def misfit(number: int) -> tuple[bool, float]:
        thing = seen[number]
        away = 0.0 if claim.metres is None else abs(claim.metres - thing.metres)
        return not thing.spans(claim.bearings), max(0.0, away - _margin(thing.metres))

    if not seen:
        return []
    first = min(range(len(seen)), key=misfit)
    if claim.kind in _compounds():
        near = [s for s in seen if s.metres >= seen[first].metres - _COMPOUND / 2]
        return sorted(near, key=lambda s: s is not seen[first])
    return seen[first:]


def _meant(claim: Claim, things: Sequence[_Seen]) -> Sequence[_Seen]:
    """Return those that a claim is about: as many as it says, of a compound all that are near."""
    if claim.kind not in _compounds():
        return things[: claim.count]
    return [t for t in things if t.metres < things[0].metres + _COMPOUND]


@functools.cache
def _compounds() -> dict[str, tuple[str, ...]]:
    """Return the parts of the kinds that have some."""
    return {kind.name['en']: kind.parts for kind in load_kinds() if kind.parts}


def _is_called(item: WayObject, kind: str) -> bool:
    if kind in _compounds():
        return item.kind in _compounds()[kind]
    if item.kind in ('kerb', 'stairs'):
        steps = 'step down' if item.down else 'step up'
        return kind in (steps, 'unnamed') or kind == item.kind
    return kind == item.kind or (kind == 'unnamed' and item.solid)


def _seen(item: WayObject, pose: Pose) -> _Seen:
    points = _outline(item)
    bearings = np.array([_bearing(pose, *point) for point in points])
    away = np.hypot(points[:, 0] - pose.x, points[:, 1] - pose.y)
    shown = np.abs(bearings) <= _HALF_WIDTH
    metres = away[shown].min() if shown.any() else item.distance(pose.x, pose.y)
    return _Seen(float(metres), float(bearings.min()), float(bearings.max()), item)


def _outline(item: WayObject) -> np.ndarray:
    """Return points (n, 2) all along the outline."""
    corners = np.array(_corners(item))[[0, 1, 3, 2, 0]]
    return np.concatenate(
        [np.linspace(a, b, 25) for a, b in zip(corners, corners[1:], strict=False)]
    )


def _corners(item: WayObject) -> list[tuple[float, float]]:
    cos, sin = math.cos(item.yaw), math.sin(item.yaw)
    x, y = item.position[:2]
    return [
        (x + cos * i * item.size[0] - sin * j * item.size[1],
         y + sin * i * item.size[0] + cos * j * item.size[1])
        for i in (-0.5, 0.5)
        for j in (-0.5, 0.5)
    ]  # fmt: skip


def _bearing(pose: Pose, x: float, y: float) -> float:
    """Return degrees to the right."""
    angle = pose.heading - math.atan2(y - pose.y, x - pose.x)
    return math.degrees((angle + math.pi) % (2 * math.pi) - math.pi)


def _wall(way: Way, pose: Pose) -> list[_Seen]:
    """Return the wall, or the edge of the ground, that lies ahead."""
    bare = dataclasses.replace(way, objects=())
    far = bare.first_obstacle(pose.x, pose.y, pose.heading, 0.0, 6.0, _LANE)
    return [] if far is None else [_Seen(far, -15.0, 15.0)]


def _margin(metres: float) -> float:
    """Return how far a distance may be off: DISTANCE, and half of what words are rounded to."""
    rounding = 0.05 if metres < 0.95 else 0.25 if metres < 5 else 0.5
    return DISTANCE * metres + rounding


def _wrong_side(way: Way, things: Sequence[_Seen], advice: str, pose: Pose) -> str:
    """Return what is wrong with the advice how to go round things; ''."""
    thing = things[0]
    if thing.item is None:
        return ''
    rights, far = [], 0.0
    for x, y in (corner for t in things if t.item for corner in _corners(t.item)):
        away = math.hypot(x - pose.x, y - pose.y)
        angle = math.radians(_bearing(pose, x, y))
        rights.append(away * math.sin(angle))
        far = max(far, min(away * math.cos(angle), thing.metres + 1.0))
    edges = {'left': (min(rights), -1), 'right': (max(rights), 1)}

    def passable(side: str, width: float) -> bool:
        edge, sign = edges[side]
        offsets = [edge + sign * (width / 2 + gap) for gap in np.arange(0.0, 0.65, 0.1)]
        return any(_free(way, pose, offset, far, width) for offset in offsets)

    if advice == 'go_on':
        return '' if _free(way, pose, 0.0, thing.metres, _BODY) else 'straight on is not free'
    if advice == 'blocked':
        open_sides = [side for side in edges if passable(side, _WIDE)]
        return f'the {open_sides[0]} is free' if open_sides else ''
    side = advice.removeprefix('go_')
    return '' if passable(side, _BODY) else f'the {side} is not free'


def _free(way: Way, pose: Pose, right: float, far: float, width: float) -> bool:
    """Whether a lane is free from the first ground that a camera sees."""
    x = pose.x + _FEET * math.cos(pose.heading)
    y = pose.y + _FEET * math.sin(pose.heading)
    length = max(far - _FEET, 0.1)
    return way.first_obstacle(x, y, pose.heading, right, length, width) is None
