"""A guided search on the simulated table: a simulated person follows the words literally.

The person holds the camera; what is to reach the thing is a point before it, as a finger on a phone
or the tip of a cane. They listen to each sentence to its end, then move as it says.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kimi_ros.agent import Frame
from kimi_ros.assist.pointing import person_axes
from kimi_ros.assist.search import Search
from kimi_ros.assist.sight import Located
from kimi_ros.eval.held_out_scenes import HeldOutScene, frame_of
from kimi_ros.eval.outcome import Outcome, binary
from kimi_ros.eval.system import System
from kimi_ros.sim import Renderer, Scene
from kimi_ros.sim.expression_sampling import refers_to_one
from kimi_ros.sim.referring_expression import ReferringExpression
from kimi_ros.speech.directions import Wording
from kimi_ros.speech.guidance import State

HAND = (0.0, 0.0, 0.3)
"""Where the hand is, metres in the optical frame."""

REACHED = 0.02  # metres from the hand to the thing's surface
_RATE = 6.0  # images a second
_LIMIT = 90.0  # seconds
_ANSWER = 0.8  # seconds from an image to the model's answer about it
_LISTENING = 0.4, 0.055  # seconds to hear a sentence, and for each of its characters
_LISTENING_ZH = 0.25  # for each Chinese character
_SPEED = 0.3  # metres a second
_MOVES = {
    'en': re.compile(r'(?P<amount>\d+) centimetres? (?P<way>\w+)\.'),
    'zh': re.compile(r'向(?P<way>.)(?P<amount>\d+)厘米。'),
}
_WAYS = {
    'right': (0, 1), 'left': (0, -1), 'up': (1, 1), 'down': (1, -1), 'forward': (2, 1),
    'back': (2, -1), '右': (0, 1), '左': (0, -1), '上': (1, 1), '下': (1, -1), '前': (2, 1),
    '后': (2, -1),
}  # fmt: skip


def movement(sentence: str, language: str) -> np.ndarray:
    """Return what a sentence tells the hand: right, up, forward in metres; zeros if nothing."""
    move = np.zeros(3)
    if found := _MOVES[language].fullmatch(sentence):
        axis, sign = _WAYS[found['way']]
        move[axis] = sign * int(found['amount']) / 100
    return move


@dataclass(frozen=True)
class GuidedSearch:
    """How a search went.

    :ivar reached: the node said so.
    :ivar distance: metres from the hand to the thing's surface at the end; infinite if it is not
        in view.
    :ivar sentences: with their times, seconds.
    """

    reached: bool
    distance: float
    sentences: tuple[tuple[float, str], ...]


def guide(
    locate: Callable[[str, Frame], list[Located]],
    scene: Scene,
    index: int,
    name: str,
    language: str,
    renderer: Renderer,
) -> GuidedSearch:
    """Guide a simulated person to an object, and return how it went.

    :param locate: the model: where it sees a name in a frame.
    :param index: of the object, in the segmentation.
    """
    search = Search(name, Wording(language), HAND)
    person = _Person(np.array(scene.camera.position), language)
    said: list[tuple[float, str]] = []
    answer: tuple[float, float, list[Located]] | None = None  # due, stamp, what was found
    now = 0.0
    while now < _LIMIT and search.guide.state is not State.REACHED:
        frame, _ = _look(renderer, scene, person.camera, now)
        if answer is not None and now >= answer[0]:
            search.located(answer[2], answer[1], now)
            answer = None
        sight = search.see(frame, now)
        if answer is None and search.should_locate(now):
            answer = now + _ANSWER, frame.stamp, locate(name, frame)
        if sight.say:
            said.append((now, sight.say))
            person.hear(sight.say, person_axes(frame), frame, now)
        person.move(1 / _RATE)
        now += 1 / _RATE
    frame, labels = _look(renderer, scene, person.camera, now)
    distance = _distance(frame, labels == index)
    return GuidedSearch(search.guide.state is State.REACHED, distance, tuple(said))


class _Person:
    """Moves the camera as told; a later sentence is followed when the movement before is done.

    :ivar camera: where it is, metres in the base frame.
    """

    def __init__(self, camera: np.ndarray, language: str):
        self.camera = camera
        self._language = language
        self._waiting = 0.0  # seconds until a sentence is heard
        self._left = np.zeros(3)  # metres still to go

    def hear(self, sentence: str, axes: np.ndarray, frame: Frame, now: float) -> None:
        right_up_forward = movement(sentence, self._language)
        self._left = self._left + frame.camera_pose[:3, :3] @ (axes.T @ right_up_forward)
        each = _LISTENING_ZH if self._language == 'zh' else _LISTENING[1]
        self._waiting = _LISTENING[0] + each * len(sentence)

    def move(self, seconds: float) -> None:
        self._waiting -= seconds
        size = float(np.linalg.norm(self._left))
        if self._waiting > 0 or size == 0:
            return
        step = self._left * min(1.0, _SPEED * seconds / size)
        self.camera = self.camera + step
        self._left = self._left - step


def evaluate_guide(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Guide to one object of the scene; () where none has a name of its own."""
    rng = world.rng('guide')
    whats = [ReferringExpression(t.category, t.color) for t in world.objects if t.color]
    whats = [w for w in whats if refers_to_one(w, world.objects)]
    if not whats or world.scene is None:
        return []
    what = whats[rng.integers(len(whats))]
    thing = what.matches(world.objects)[0]
    name = what.name(language)
    agent = system.agent()

    def locate(asked: str, frame: Frame) -> list[Located]:
        return [Located(asked, o.extent, o.score, o.verified) for o in agent.locate([asked], frame)]

    index = world.objects[thing].index
    went = guide(locate, world.scene, index, name, language, _renderer())
    near = went.reached and went.distance <= REACHED
    spoken = ' | '.join(f'{time:.1f} {text}' for time, text in went.sentences)
    seconds = went.sentences[-1][0] if went.sentences else _LIMIT
    return [
        Outcome(
            question=f'guide: {name}',
            expected=f'the hand at most {100 * REACHED:.0f} cm from it',
            predicted=f'{100 * went.distance:.1f} cm after {seconds:.0f} s: {spoken}',
            correct=near,
            counts={
                'reached': binary(near),
                'said_reached': binary(went.reached),
                'wrongly_said_reached': binary(went.reached and not near),
                'sentences': (float(len(went.sentences)), 1.0),
                'seconds': (seconds, 1.0),
            },
            expected_at=world.normalized_boxes([thing]),
        )
    ]


def _look(
    renderer: Renderer, scene: Scene, camera: np.ndarray, now: float
) -> tuple[Frame, np.ndarray]:
    x, y, z = map(float, camera)
    view = renderer.render(replace(scene, camera=replace(scene.camera, position=(x, y, z))))
    return frame_of(view, now), view.segmentation


def _distance(frame: Frame, mask: np.ndarray) -> float:
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return float('inf')
    rays = frame.rays(np.column_stack([columns, rows]))
    surface = np.column_stack([rays, np.ones(len(rays))]) * frame.depth[rows, columns, None]
    return float(np.linalg.norm(surface - HAND, axis=1).min())


@functools.lru_cache(1)
def _renderer() -> Renderer:
    return Renderer()
