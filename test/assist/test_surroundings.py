"""Narration out of located boxes and depth: a floor, a chair on it, a wall; nothing invented."""

from dataclasses import replace

import numpy as np
import pytest

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.text_in_view import SeenText
from kimi_ros.assist.free_space import FreeSpace
from kimi_ros.assist.pointing import place_of
from kimi_ros.assist.sight import Located
from kimi_ros.assist.surroundings import Surroundings
from kimi_ros.assist.things import load_kinds
from kimi_ros.speech.directions import Wording
from kimi_ros.speech.narration import Narrator, Side

WIDTH, HEIGHT, FOCAL, EYE = 320, 240, 220.0, 1.4
PITCH = np.radians(25)


def room(box_at=None, wall=(), pose=True, depth=True, stamp=0.0):
    """Return a frame of a floor, and where a box of 50 cm stands on it, seen from 1.4 m.

    :param box_at: right and ahead in metres.
    :param wall: right edges (left, right) of a wall 2 m ahead.
    """
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    right, down = (u - WIDTH / 2) / FOCAL, (v - HEIGHT / 2) / FOCAL
    # Rays in the person's axes: right, up, forward.
    rays = np.stack(
        [right, -down * np.cos(PITCH) - np.sin(PITCH), np.cos(PITCH) - down * np.sin(PITCH)], -1
    )
    far = np.where(rays[..., 1] < -1e-3, -EYE / np.minimum(rays[..., 1], -1e-3), 0.0)
    far[far > 15] = 0.0
    rgb = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    blocks = [(box_at[0] - 0.25, box_at[0] + 0.25, box_at[1], 0.8)] if box_at else []
    blocks += [(*wall, 2.0, 1.8)] if wall else []
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    rgb[:] = texture // 4 + 60
    for number, (low, high, ahead, tall) in enumerate(blocks):
        at = rays * (ahead / rays[..., 2:])
        hit = (at[..., 0] > low) & (at[..., 0] < high) & (at[..., 1] > -EYE)
        hit &= at[..., 1] < tall - EYE
        far[hit] = (ahead / rays[..., 2])[hit]
        rgb[hit] = 255 - texture[hit] // 2
        if number == 0 and box_at:
            mask = hit
    matrix = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    turn = np.eye(4)
    # Optical x is right (-y of the base), y down and back, z ahead and down.
    turn[:3, 0] = 0, -1, 0
    turn[:3, 1] = -np.sin(PITCH), 0, -np.cos(PITCH)
    turn[:3, 2] = np.cos(PITCH), 0, -np.sin(PITCH)
    frame = Frame(
        rgb,
        stamp,
        depth=far.astype(np.float32) if depth else None,
        intrinsics=matrix,
        camera_pose=turn if pose else None,
    )
    rows, columns = np.nonzero(mask)
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if rows.size else None
    return frame, box and tuple(float(v) for v in box)


def narrate(frames, located=(), names=(), language='en', **options):
    """Return what is said over frames at 5 Hz; the model's answer comes after the first one."""
    surroundings = Surroundings(load_kinds(), Narrator(Wording(language)), **options)
    said = []
    for number, frame in enumerate(frames):
        sight = surroundings.see(frame, 0.2 * number)
        if sight.say:
            said.append((sight.say, sight.urgent))
        if number == 0:
            while names and tuple(surroundings.names) != names:
                surroundings.located((), frame.stamp, 0.0)
            surroundings.located(located, frame.stamp, 0.0)
    return surroundings, said


def still(count=30, **options):
    return [room(stamp=0.2 * i, **options)[0] for i in range(count)]


@pytest.mark.parametrize('ahead', [1.5, 3.0])
def test_place_is_metric_and_level(ahead):
    frame, box = room((0.6, ahead))
    offset = place_of(frame, box, (0, 0, 0)).offset
    assert offset.right == pytest.approx(0.6, abs=0.05)
    assert offset.forward == pytest.approx(ahead, abs=0.05)


def test_free_and_blocked_lanes():
    free = FreeSpace(room()[0])
    assert free.lane(0.0, 3.0) is Side.FREE and free.obstacle() is None
    blocked = FreeSpace(room(wall=(-0.5, 2.0))[0])
    assert blocked.lane(0.0, 3.0) is Side.BLOCKED and blocked.lane(0.8, 3.0) is Side.BLOCKED
    wall = blocked.obstacle()
    assert wall.forward == pytest.approx(2.0, abs=0.1) and wall.kind == 'unnamed'


@pytest.mark.parametrize('missing', ['pose', 'depth'])
def test_nothing_is_known_without_what_measures_it(missing):
    space = FreeSpace(room(**{missing: False})[0])
    assert space.lane(0.0, 3.0) is Side.UNKNOWN and space.obstacle() is None


def test_holes_in_the_depth_are_not_free():
    frame, _ = room()
    frame.depth[:, : WIDTH // 2 - 40] = 0
    assert FreeSpace(frame).lane(-0.8, 3.0) is Side.UNKNOWN


@pytest.mark.parametrize('strip', [0.4, 0.6])
def test_lane_is_free_only_where_all_of_its_width_was_measured(strip):
    frame, _ = room()
    lane = FreeSpace(frame).lane(-0.4, 3.0)
    right = (np.arange(WIDTH) - WIDTH / 2) / FOCAL * frame.depth
    frame.depth[right < -strip] = 0  # metres
    assert (lane, FreeSpace(frame).lane(-0.4, 3.0)) == (Side.FREE, Side.UNKNOWN)


def test_hole_in_the_floor_blocks():
    frame, _ = room()
    assert FreeSpace(frame).lane(0.0, 3.0) is Side.FREE
    middle = slice(WIDTH // 2 - 20, WIDTH // 2 + 20)
    frame.depth[140:170, middle] *= 1.4  # it goes down there
    assert FreeSpace(frame).lane(0.0, 3.0) is Side.BLOCKED


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_thing_in_the_way_is_a_hazard_with_its_distance_and_a_free_side(language):
    frame, box = room((0.0, 2.6))
    names = ('door', 'chair', 'table', 'sign')
    _, said = narrate(
        [frame, *still(box_at=(0.0, 2.6))[1:]],
        [Located('chair', box, 0.9)],
        names,
        language,
    )
    first, hazard, *rest = said
    assert 'cane' in first[0] or '盲杖' in first[0]
    expected = 'Chair, ahead, 2.5 metres; the left is free.'
    assert hazard == (
        expected if language == 'en' else '椅子，正前方，2.5米；左边可走。',
        True,
    )
    assert not rest  # nothing has changed


def test_what_no_name_explains_is_announced_without_one():
    _, said = narrate(still(wall=(-1.5, 1.5)))
    assert said[1] == ('Obstacle, ahead, 2 metres; both sides blocked.', True)


def test_what_ends_the_lane_after_it_was_free_is_announced_anew():
    frames = still(15, wall=(-1.5, 1.5)) + still(8) + still(15, wall=(-1.5, 1.5))
    times = [replace(frame, stamp=0.2 * i) for i, frame in enumerate(frames)]
    _, said = narrate(times)
    assert sum(text.startswith('Obstacle') for text, _ in said) == 2, said


def test_nothing_is_said_of_an_empty_way():
    _, said = narrate(still())
    assert len(said) == 1


def test_several_of_a_kind_are_counted_and_the_unsure_are_called_so():
    frame, box = room((1.0, 3.0))
    other = (box[0] + 45, box[1], box[2] + 45, box[3])
    names = ('door', 'chair', 'table', 'sign')
    surroundings, _ = narrate(
        [frame, *still(3, box_at=(1.0, 3.0))[1:]],
        [Located('chair', box, 0.2), Located('chair', other, 0.9)],
        names,
    )
    (finding,) = [f for f in surroundings.findings if 'chair' in f.label]
    assert finding.label == 'two chairs'
    assert surroundings.answer('right').startswith('Maybe two chairs')


def test_thing_that_the_model_does_not_see_any_more_is_gone():
    frame, box = room((0.0, 2.6))
    surroundings, _ = narrate([frame], [Located('person', box, 0.9)], ())
    assert [f.label for f in surroundings.findings] == ['obstacle']
    surroundings.see(room((0.0, 2.6), stamp=0.2)[0], 0.2)
    assert any(f.person for f in surroundings.findings)
    for turn in range(2 * surroundings.turns):
        surroundings.located((), 0.2, 0.3 + turn)
    surroundings.see(room((0.0, 2.6), stamp=0.4)[0], 9.0)
    assert not any(f.person for f in surroundings.findings)


def test_text_is_quoted_word_for_word():
    frames = still(40)
    seen = [SeenText('Way out', (150.0, 60.0, 200.0, 80.0))]
    surroundings, said = [], []
    surroundings = Surroundings(load_kinds(), Narrator(), read_text=lambda rgb: seen)
    for number, frame in enumerate(frames):
        sight = surroundings.see(frame, 0.2 * number)
        said += [sight.say] if sight.say else []
        if number == 0:
            surroundings._reading.result(10.0)
    assert any('it reads "Way out"' in text for text in said)


def test_text_is_read_again_after_a_failure():
    results = [RuntimeError('no memory'), [SeenText('Way out', (150.0, 60.0, 200.0, 80.0))]]

    def read(rgb):
        if isinstance(result := results.pop(0), Exception):
            raise result
        return result

    surroundings = Surroundings(load_kinds(), Narrator(), read_text=read)
    surroundings.see(room()[0], 0.0)
    surroundings._reading.exception(10.0)
    with pytest.raises(RuntimeError, match='no memory'):
        surroundings.see(room(stamp=0.2)[0], 0.2)
    surroundings.see(room(stamp=5.0)[0], 5.0)
    surroundings._reading.result(10.0)
    surroundings.see(room(stamp=5.2)[0], 5.2)
    assert [f.text for f in surroundings.findings] == ['Way out']


def test_failed_look_deletes_nothing_and_is_no_look():
    frame, box = room((0.0, 2.6))
    surroundings, _ = narrate([frame], [Located('person', box, 0.9)])
    for turn in range(2 * surroundings.turns):
        surroundings.failed(0.3 + turn)
    surroundings.see(room((0.0, 2.6), stamp=0.4)[0], 9.0)
    assert any(f.person for f in surroundings.findings) and not surroundings.looked
    for turn in range(surroundings.turns - 1):
        surroundings.located((), 0.4, 10.0 + turn)
    assert surroundings.looked


def test_list_of_things_is_checked(tmp_path):
    path = tmp_path / 'things.yaml'
    path.write_text('- {en: chair}')
    with pytest.raises(ValueError, match='both languages'):
        load_kinds(str(path))
    path.write_text('- {en: box, zh: 盒子, many: boxes, colour: red}')
    with pytest.raises(ValueError, match='unknown keys: colour'):
        load_kinds(str(path))
    path.write_text('- {en: box, zh: 盒子, many: boxes, hazard: true}')
    (kind,) = load_kinds(str(path))
    assert (
        kind.hazard and kind.label(3, 'en') == 'three boxes' and kind.label(2, 'zh') == '两个盒子'
    )
