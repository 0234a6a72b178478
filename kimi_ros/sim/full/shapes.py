"""Meshes of the full world's objects, in addition to the small world's; made in numpy."""

from __future__ import annotations

import math

import numpy as np

from kimi_ros.sim import shapes as small
from kimi_ros.sim.full.meshes import FullPart, ellipsoid, facing, limb, moved, panel, prism
from kimi_ros.sim.shapes import Mesh, Part, arc, cuboid, grid, join, revolve, tube

STEEL = (0.72, 0.74, 0.77)
DARK = (0.07, 0.07, 0.08)


def _round_panel(radius: float, low: float, high: float, spread: float):
    """Return a sticker on a cylinder's front (+x), and its (u, v)."""
    angles = np.linspace(-spread, spread, 11)
    flat = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(11)])
    points = np.stack([flat * radius + (0, 0, low), flat * radius + (0, 0, high)])
    mesh = facing(grid(points, np.stack([flat, flat])))
    share = np.linspace(0.0, 1.0, 11)
    return mesh, np.concatenate(
        [np.column_stack([share, np.full(11, 1.0)]), np.column_stack([share, np.full(11, 0.0)])]
    )


def _sticker(mesh_and_uv) -> FullPart:
    mesh, uv = mesh_and_uv
    return FullPart(mesh, rgb=(1.0, 1.0, 1.0), image='text', uv=uv, when='text')


def _apple() -> list[Part]:
    body = np.concatenate(
        [[(0.0, 0.008)], arc((0.014, 0.036), (0.026, 0.036), -100, 100, 17), [(0.0, 0.062)]]
    )
    stem = tube(
        np.array([(0, 0, 0.060), (0.002, 0, 0.072), (0.006, 0, 0.084)], float),
        np.array([0.0, 1.0, 0.0]),
        0.0028,
    )
    leaf = ellipsoid((0.016, 0.004, 0.076), (0.014, 0.007, 0.002))
    return [
        Part(revolve(body)),
        Part(stem, rgb=(0.30, 0.19, 0.10)),
        Part(leaf, rgb=(0.22, 0.48, 0.16)),
    ]


def _banana() -> list[Part]:
    angles = np.radians(np.linspace(212, 328, 15))
    path = np.column_stack(
        [0.105 * np.cos(angles), 0.105 * np.sin(angles) + 0.082, np.full(15, 0.018)]
    )
    radii = np.interp(
        np.linspace(0, 1, 15),
        [0, 0.07, 0.25, 0.5, 0.8, 0.95, 1],
        [0.005, 0.007, 0.0155, 0.018, 0.0155, 0.008, 0.004],
    )
    tangents = np.gradient(path, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    across = np.cross([0.0, 0.0, 1.0], tangents)
    turn = np.linspace(0, 2 * math.pi, 9)
    normals = np.cos(turn)[None, :, None] * across[:, None] + np.sin(turn)[
        None, :, None
    ] * np.array([0.0, 0.0, 1.0])
    skin = facing(grid(path[:, None] + radii[:, None, None] * normals, normals))
    tips = join(
        limb(path[0], path[0] + tangents[0] * -0.010, 0.006, 0.005),
        limb(path[-1], path[-1] + tangents[-1] * 0.004, 0.005, 0.004),
    )
    return [Part(skin), Part(tips, rgb=(0.24, 0.17, 0.09))]


def _can() -> list[Part]:
    body = revolve(
        [(0.0305, 0.008), (0.034, 0.014)],
        [(0.034, 0.014), (0.034, 0.104)],
        [(0.034, 0.104), (0.028, 0.116)],
    )
    ends = revolve(
        [(0.0, 0.0), (0.027, 0.0)],
        [(0.027, 0.0), (0.0305, 0.008)],
        [(0.028, 0.116), (0.028, 0.120), (0.025, 0.120)],
        [(0.025, 0.120), (0.025, 0.116)],
        [(0.025, 0.116), (0.0, 0.116)],
    )
    ring = ellipsoid((0.008, 0.0, 0.117), (0.011, 0.007, 0.0015))
    return [
        Part(body),
        Part(ends, rgb=STEEL),
        Part(ring, rgb=(0.45, 0.46, 0.48)),
        _sticker(_round_panel(0.0345, 0.034, 0.084, 0.95)),
    ]


def _knife() -> list[Part]:
    blade = prism(
        [(-0.020, -0.021), (0.070, -0.019), (0.125, -0.004), (0.150, 0.019), (-0.020, 0.019)],
        0.008,
        0.0105,
    )
    bolster = cuboid((-0.028, -0.013, 0.002), (-0.016, 0.016, 0.018))
    grip = moved(
        limb((0, 0, -0.135), (0, 0, -0.032), 0.0085, 0.0085),
        (0, 0.002, 0.011),
        np.array([[0, 0, 1.0], [0, 1.45, 0], [-1.29, 0, 0]]),
    )
    return [Part(grip), Part(join(blade, bolster), rgb=(0.80, 0.82, 0.85))]


def _scissors() -> list[Part]:
    def blade(sign):
        turn = sign * 0.17
        axes = np.array(
            [[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1.0]]
        )
        outline = [(-0.030, -0.006), (0.030, -0.007), (0.105, 0.0), (0.030, 0.006), (-0.030, 0.006)]
        return moved(prism(outline, 0.006 + 0.001 * sign, 0.009 + 0.001 * sign), (0, 0, 0), axes)

    rings = []
    for sign in (-1, 1):
        ring = arc((-0.068, sign * 0.027), (0.026, 0.018), 0, 360, 19)
        path = np.column_stack([ring, np.full(19, 0.0075)])
        rings.append(tube(path, np.array([0.0, 0.0, 1.0]), 0.0062))
        rings.append(
            limb((-0.046, sign * 0.018, 0.0075), (-0.018, sign * 0.004, 0.0075), 0.006, 0.005)
        )
    pin = revolve([(0.005, 0.006), (0.005, 0.012)], [(0.005, 0.012), (0.0, 0.012)])
    return [
        Part(join(*rings)),
        Part(join(blade(1), blade(-1)), rgb=(0.78, 0.80, 0.83)),
        Part(pin, rgb=(0.35, 0.36, 0.38)),
    ]


def _spoon() -> list[Part]:
    dish = ellipsoid((0.068, 0, 0.012), (0.029, 0.022, 0.011))
    top = ellipsoid((0.068, 0, 0.0185), (0.024, 0.0175, 0.005))
    shaft = moved(
        limb((0, 0, -0.088), (0, 0, 0.044), 0.0052, 0.0040),
        (0, 0, 0.013),
        np.array([[0, 0, 1.0], [0, 1.3, 0], [-0.7, 0, 0]]),
    )
    return [Part(join(dish, shaft)), Part(top, shade=0.68)]


def _lying(mesh: Mesh, height: float) -> Mesh:
    """Lay a mesh that stands on its axis along x."""
    return moved(mesh, (0, 0, height), np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]))


def _pen() -> list[Part]:
    body = _lying(
        revolve([(0.0, -0.08), (0.0075, -0.08)], [(0.0075, -0.08), (0.0075, 0.055)]), 0.009
    )
    tip = _lying(
        revolve([(0.0075, 0.055), (0.0018, 0.074)], [(0.0018, 0.074), (0.0, 0.080)]), 0.009
    )
    clip = cuboid((-0.076, -0.0022, 0.0165), (-0.036, 0.0022, 0.0180))
    return [Part(body), Part(tip, rgb=(0.80, 0.80, 0.80)), Part(clip, rgb=(0.75, 0.76, 0.78))]


def _rounded(x: float, y: float, radius: float) -> np.ndarray:
    corners = [
        ((x - radius, -y + radius), -90),
        ((x - radius, y - radius), 0),
        ((-x + radius, y - radius), 90),
        ((-x + radius, -y + radius), 180),
    ]
    return np.concatenate([arc(c, (radius, radius), a, a + 90, 5) for c, a in corners])


def _phone() -> list[Part]:
    case = prism(_rounded(0.039, 0.075, 0.012), 0.0, 0.013)
    screen = prism(_rounded(0.0315, 0.0675, 0.007), 0.0130, 0.0136)
    tiles = []
    for row in range(5):
        for column in range(3):
            x, y = -0.019 + 0.019 * column, -0.020 + 0.0185 * row
            tiles.append(cuboid((x - 0.006, y - 0.006, 0.0136), (x + 0.006, y + 0.006, 0.0139)))
    dock = cuboid((-0.022, -0.056, 0.0136), (0.022, -0.044, 0.0139))
    return [
        Part(case),
        Part(screen, rgb=(0.10, 0.14, 0.22)),
        FullPart(join(*tiles[0::2]), rgb=(0.45, 0.75, 0.95), glow=0.3),
        FullPart(join(*tiles[1::2], dock), rgb=(0.92, 0.92, 0.95), glow=0.3),
    ]


def _pan() -> list[Part]:
    at = (-0.080, 0.0, 0.0)
    shell = revolve(
        [(0.0, 0.0), (0.078, 0.0)], [(0.078, 0.0), (0.100, 0.048)], [(0.100, 0.048), (0.096, 0.048)]
    )
    well = revolve([(0.096, 0.048), (0.076, 0.006)], [(0.076, 0.006), (0.0, 0.006)])
    glow = revolve([(0.074, 0.0068), (0.0, 0.0068)])
    grip = moved(limb((0.104, 0, 0.044), (0.262, 0, 0.050), 0.009, 0.011), at)
    steam = []
    for x, y, lean in ((-0.03, -0.02, 1), (0.03, 0.0, -1), (0.0, 0.03, 1)):
        z = np.linspace(0.02, 0.13, 13)
        wave = lean * 0.012 * np.sin((z - 0.02) * 75)
        steam.append(
            tube(np.column_stack([np.full(13, x), y + wave, z]), np.array([1.0, 0.0, 0.0]), 0.0055)
        )
    return [
        Part(moved(shell, at)),
        Part(moved(well, at), rgb=(0.16, 0.16, 0.17)),
        Part(grip, rgb=DARK),
        FullPart(moved(glow, at), rgb=(1.0, 0.28, 0.05), glow=0.9, when='hot'),
        FullPart(moved(join(*steam), at), rgb=(0.97, 0.97, 0.97), glow=0.4, alpha=0.45, when='hot'),
    ]


def _glass() -> list[Part]:
    outer = revolve(
        [(0.0, 0.0), (0.029, 0.0)],
        [(0.029, 0.0), (0.038, 0.130)],
        [(0.038, 0.130), (0.0355, 0.130)],
    )
    well = revolve([(0.0355, 0.130), (0.027, 0.010)], [(0.027, 0.010), (0.0, 0.010)])
    rim = revolve(
        [(0.0382, 0.1285), (0.0382, 0.1305)],
        [(0.0382, 0.1305), (0.0350, 0.1305)],
        [(0.0350, 0.1305), (0.0350, 0.1285)],
    )
    base = revolve(
        [(0.0, 0.0), (0.029, 0.0)],
        [(0.0293, 0.0), (0.0297, 0.010)],
        [(0.0297, 0.010), (0.0, 0.010)],
    )
    streak, _ = _round_panel(0.0345, 0.02, 0.115, 0.12)
    return [
        FullPart(well, alpha=0.22),
        FullPart(outer, alpha=0.30),
        FullPart(rim, alpha=0.85),
        FullPart(base, alpha=0.6),
        FullPart(
            moved(streak, axes=np.diag([1.05, 1.0, 1.0])), rgb=(1, 1, 1), alpha=0.55, glow=0.5
        ),
    ]


def _car() -> list[Part]:
    body = cuboid((-0.075, -0.034, 0.014), (0.075, 0.034, 0.040))
    side = [(-0.052, 0.040), (0.034, 0.040), (0.016, 0.066), (-0.038, 0.066)]
    lay = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    cabin = moved(prism(side, -0.030, 0.030), axes=lay)
    glassy = [(-0.046, 0.042), (0.029, 0.042), (0.014, 0.062), (-0.036, 0.062)]
    windows = moved(prism(glassy, -0.0304, 0.0304), axes=lay)
    wheels = []
    for x in (-0.045, 0.045):
        for y in (-0.036, 0.036):
            wheel = revolve(
                [(0.0, -0.007), (0.016, -0.007)],
                [(0.016, -0.007), (0.016, 0.007)],
                [(0.016, 0.007), (0.0, 0.007)],
            )
            wheels.append(moved(wheel, (x, y, 0.016), lay))
    lights = join(
        *(cuboid((0.0745, y - 0.007, 0.024), (0.0755, y + 0.007, 0.034)) for y in (-0.022, 0.022))
    )
    return [
        Part(join(body, cabin)),
        Part(windows, rgb=(0.13, 0.16, 0.20)),
        Part(join(*wheels), rgb=DARK),
        Part(lights, rgb=(1.0, 0.95, 0.70)),
    ]


def _stand(width: float, height: float, border: float, image: str) -> list[Part]:
    """A board that leans back on a foot, with an image on its front (+x)."""
    lean = math.radians(28)
    up = np.array([-math.sin(lean), 0.0, math.cos(lean)])
    out = np.array([math.cos(lean), 0.0, math.sin(lean)])
    axes = np.column_stack([out, [0.0, 1.0, 0.0], up])
    foot = np.array([0.030, 0.0, 0.004])
    board = moved(cuboid((-0.008, -width / 2, 0.0), (0.0, width / 2, height)), foot, axes)
    leg = limb(foot + up * height * 0.7 - out * 0.008, (-0.035, 0.0, 0.004), 0.004, 0.004)
    corner = foot + out * 0.0008 + up * border + np.array([0.0, -width / 2 + border, 0.0])
    mesh, uv = panel(corner, (0.0, width - 2 * border, 0.0), up * (height - 2 * border))
    return [Part(join(board, leg)), FullPart(mesh, rgb=(1.0, 1.0, 1.0), image=image, uv=uv)]


def _hand() -> list[Part]:
    """A right arm that comes from -x, palm down, fingers towards +x."""
    palm = ellipsoid((0.060, 0.0, 0.030), (0.050, 0.042, 0.019))
    fingers = []
    for y, length, spread in (
        (-0.031, 0.056, -0.012),
        (-0.011, 0.070, -0.004),
        (0.010, 0.074, 0.004),
        (0.030, 0.064, 0.013),
    ):
        knuckle = np.array([0.090, y, 0.034])
        middle = knuckle + (length * 0.52, spread * 0.6, 0.004)
        tip = middle + (length * 0.48, spread * 0.5, -0.014)
        fingers += [limb(knuckle, middle, 0.0105, 0.0095), limb(middle, tip, 0.0095, 0.0080)]
    fingers += [
        limb((0.045, 0.032, 0.028), (0.080, 0.066, 0.024), 0.0125, 0.0105),
        limb((0.080, 0.066, 0.024), (0.108, 0.072, 0.019), 0.0105, 0.0085),
    ]
    nails = [
        ellipsoid((0.090 + n, y, 0.0305), (0.006, 0.005, 0.0035))
        for n, y in ((0.053, -0.042), (0.067, -0.0155), (0.071, 0.0143), (0.061, 0.0435))
    ]
    wrist = limb((-0.060, 0.0, 0.036), (0.030, 0.0, 0.032), 0.029, 0.026)
    sleeve = moved(
        revolve([(0.040, -0.30), (0.037, 0.0)], [(0.037, 0.0), (0.030, 0.0)]),
        (-0.030, 0, 0.042),
        np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]),
    )
    return [
        FullPart(join(palm, wrist, *fingers), when='skin'),
        Part(join(*nails), rgb=(0.95, 0.80, 0.76)),
        FullPart(sleeve, when='sleeve'),
    ]


def _person() -> list[Part]:
    """Somebody from the waist up who looks towards +x."""
    torso = moved(
        revolve(
            np.concatenate(
                [[(0.145, -0.20), (0.165, 0.10)], arc((0.045, 0.16), (0.125, 0.16), 0, 90, 9)]
            )
        ),
        axes=np.diag([0.62, 1.0, 1.0]),
    )
    arms = join(
        *(
            limb(a, b, r, s)
            for sign in (-1, 1)
            for a, b, r, s in (
                ((0.0, sign * 0.185, 0.26), (0.06, sign * 0.215, 0.06), 0.048, 0.042),
                ((0.06, sign * 0.215, 0.06), (0.20, sign * 0.10, 0.055), 0.040, 0.034),
            )
        )
    )
    head = join(
        ellipsoid((0.015, 0, 0.455), (0.083, 0.073, 0.105)),
        limb((0.0, 0, 0.30), (0.0, 0, 0.40), 0.042, 0.040),
        ellipsoid((0.100, 0, 0.445), (0.014, 0.011, 0.018)),
        ellipsoid((0.0, -0.074, 0.45), (0.016, 0.010, 0.024)),
        ellipsoid((0.0, 0.074, 0.45), (0.016, 0.010, 0.024)),
        *(ellipsoid((0.235, sign * 0.085, 0.050), (0.042, 0.030, 0.020)) for sign in (-1, 1)),
    )
    hair = join(ellipsoid((-0.018, 0, 0.490), (0.086, 0.080, 0.092)))
    eyes = join(
        *(ellipsoid((0.0885, sign * 0.031, 0.470), (0.008, 0.013, 0.009)) for sign in (-1, 1))
    )
    pupils = join(
        *(ellipsoid((0.0955, sign * 0.031, 0.470), (0.004, 0.006, 0.007)) for sign in (-1, 1))
    )
    mouth = ellipsoid((0.085, 0, 0.402), (0.008, 0.026, 0.006))
    return [
        FullPart(join(torso, arms), when='sleeve'),
        FullPart(head, when='skin'),
        FullPart(hair, when='hair'),
        Part(eyes, rgb=(0.96, 0.96, 0.96)),
        Part(pupils, rgb=DARK),
        Part(mouth, rgb=(0.66, 0.27, 0.25)),
    ]


def make_shapes() -> dict[str, list[Part]]:
    """The parts of every category of the full table, at nominal size."""
    shapes = {category: list(parts) for category, parts in small.make_shapes().items()}
    shapes['bottle'].append(_sticker(_round_panel(0.0405, 0.035, 0.095, 0.85)))
    x, y, z = small.NOMINAL_SIZES['box']
    shapes['box'].append(
        _sticker(panel((-0.062, -y / 2 - 0.0008, 0.022), (0.124, 0, 0), (0, 0, 0.056)))
    )
    x, y, z = small.NOMINAL_SIZES['book']
    shapes['book'].append(
        _sticker(panel((-0.075, -0.032, z + 0.0006), (0.150, 0, 0), (0, 0.068, 0)))
    )
    return shapes | {
        'apple': _apple(),
        'banana': _banana(),
        'can': _can(),
        'knife': _knife(),
        'scissors': _scissors(),
        'spoon': _spoon(),
        'pen': _pen(),
        'phone': _phone(),
        'pan': _pan(),
        'glass': _glass(),
        'car': _car(),
        'sign': _stand(0.190, 0.150, 0.012, 'text'),
        'picture': _stand(0.170, 0.150, 0.014, 'picture'),
        'hand': _hand(),
        'person': _person(),
    }
