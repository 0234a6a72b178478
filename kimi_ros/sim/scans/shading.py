"""Colours of what a camera sees: textures, lamps, the sky. Compiled by Numba."""

from __future__ import annotations

import math

import numpy as np

from kimi_ros.sim.scans.raster import compiled, edge
from kimi_ros.sim.scans.shadows import openness, turn_of, visibility

SPECULAR_POWER = 28.0
_CREASE = 0.75  # cosine between a face and its corners beyond which it has an edge
_FARTHEST = 30.0


@compiled
def sample(texels, sizes, starts, u, v, level, out):
    """Write the bilinear sample of a packed pyramid at (u, v), mirrored beyond 0-1, into `out`."""
    level = min(max(level, 0), sizes.shape[0] - 1)
    size, start = sizes[level], starts[level]
    x, y = abs(u), abs(v)
    if x > 1.0:
        x -= 2.0 * math.floor(0.5 * x)
    if y > 1.0:
        y -= 2.0 * math.floor(0.5 * y)
    x = (2.0 - x if x > 1 else x) * size - 0.5
    y = (2.0 - y if y > 1 else y) * size - 0.5
    x = min(max(x, 0.0), size - 1.0)
    y = min(max(y, 0.0), size - 1.0)
    x0, y0 = int(x), int(y)
    x1, y1 = min(x0 + 1, size - 1), min(y0 + 1, size - 1)
    fx, fy = x - x0, y - y0
    for k in range(3):
        top = texels[start + y0 * size + x0, k] * (1 - fx) + texels[start + y0 * size + x1, k] * fx
        low = texels[start + y1 * size + x0, k] * (1 - fx) + texels[start + y1 * size + x1, k] * fx
        out[k] = top * (1 - fy) + low * fy


@compiled
def light_point(
    p, n, eye, lights, softness, sky, ground, shadows, ceilings, frames, gloss, turn, color
):
    """Turn the surface's linear `color`, float (3,), into what the camera sees, in place.

    :param p: point in the base frame; `n`: its normal towards the viewer; `eye`: the camera.
    :param lights: float32 (L, 6): direction to the light and its colour.
    :param softness: float32 (L,); sky, ground: float32 (3,), light from above and from below.
    :param shadows: float32 (L + 1, M, M): a height map for each light and, last, from above.
    :param ceilings: float32, alike: the greatest of `shadows` around each pixel.
    :param frames: float32 (L + 1, 3, 4): see `visibility`.
    """
    count = lights.shape[0]
    open_share = openness(shadows[count], ceilings[count], frames[count], p, turn)
    up = 0.5 + 0.5 * n[2]
    red = (ground[0] + (sky[0] - ground[0]) * up) * open_share
    green = (ground[1] + (sky[1] - ground[1]) * up) * open_share
    blue = (ground[2] + (sky[2] - ground[2]) * up) * open_share
    shine_r, shine_g, shine_b = 0.0, 0.0, 0.0
    vx, vy, vz = eye[0] - p[0], eye[1] - p[1], eye[2] - p[2]
    length = math.sqrt(vx * vx + vy * vy + vz * vz)
    vx, vy, vz = vx / length, vy / length, vz / length
    for i in range(count):
        facing = n[0] * lights[i, 0] + n[1] * lights[i, 1] + n[2] * lights[i, 2]
        if facing <= 0:
            continue
        share = visibility(shadows[i], ceilings[i], frames[i], p, softness[i], turn)
        if share <= 0:
            continue
        red += lights[i, 3] * facing * share
        green += lights[i, 4] * facing * share
        blue += lights[i, 5] * facing * share
        if gloss > 0:
            hx, hy, hz = lights[i, 0] + vx, lights[i, 1] + vy, lights[i, 2] + vz
            length = math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
            cosine = max((n[0] * hx + n[1] * hy + n[2] * hz) / length, 0.0)
            shine = gloss * share * cosine**SPECULAR_POWER
            shine_r += lights[i, 3] * shine
            shine_g += lights[i, 4] * shine
            shine_b += lights[i, 5] * shine
    color[0] = color[0] * red + shine_r
    color[1] = color[1] * green + shine_g
    color[2] = color[2] * blue + shine_b


@compiled
def shade_mesh(
    ids, first, window, margin, points, faces, vertices, normals, uv, texels, sizes, starts, linear,
    eye, lights, softness, sky, ground, shadows, ceilings, frames, gloss, out,
):  # fmt: skip
    """Write the colours of the visible pixels of one mesh into `out`, float32 (H, W, 3).

    Of two by two pixels that are all the mesh's one is shaded for all, its texture the blurrier.

    :param ids: int32 (H + 2 margin_y, W + 2 margin_x) of `rasterize`.
    :param window: x0, y0, x1, y1 in `out`, within which the mesh lies; x0, y0 even.
    :param margin: x, y of the first pixel of `out` in `ids`.
    :param points: of `rasterize`; `vertices`, `normals`: in the base frame; `uv` in 0-1, v down.
    :param linear: float32 (256,), from a texel to linear light.
    """
    last = first + faces.shape[0]
    color, n, p = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    for by in range(window[1], window[3], 2):
        for bx in range(window[0], window[2], 2):
            whole = True
            for y in range(by, by + 2):
                for x in range(bx, bx + 2):
                    f = ids[y + margin[1], x + margin[0]]
                    whole = whole and first <= f < last
            for y in range(by, by + 2):
                for x in range(bx, bx + 2):
                    f = ids[y + margin[1], x + margin[0]] - first
                    if f < 0 or f >= faces.shape[0]:
                        continue
                    if not whole or (x == bx and y == by):
                        _surface_point(
                            f, x + margin[0], y + margin[1], points, faces, vertices, normals, uv,
                            eye, sizes[0], texels, sizes, starts, whole, p, n, color,
                        )  # fmt: skip
                        for k in range(3):
                            color[k] = linear[int(color[k])]
                        light_point(
                            p, n, eye, lights, softness, sky, ground, shadows, ceilings, frames,
                            gloss, turn_of(x, y), color,
                        )  # fmt: skip
                    for k in range(3):
                        out[y, x, k] = color[k]


@compiled
def _surface_point(
    f, px, py, points, faces, vertices, normals, uv, eye, texture_size, texels, sizes, starts,
    coarse, p, n, color,
):  # fmt: skip
    """Fill in the point, its normal and its texel where face `f` covers pixel (px, py)."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    xa, ya, xb, yb = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
    xc, yc = points[c, 0], points[c, 1]
    area = edge(xa, ya, xb, yb, xc, yc)
    ua = edge(xb, yb, xc, yc, px, py) / area * points[a, 2]
    ub = edge(xc, yc, xa, ya, px, py) / area * points[b, 2]
    uc = edge(xa, ya, xb, yb, px, py) / area * points[c, 2]
    total = ua + ub + uc
    ua, ub, uc = ua / total, ub / total, uc / total
    for k in range(3):
        p[k] = ua * vertices[a, k] + ub * vertices[b, k] + uc * vertices[c, k]
        n[k] = ua * normals[a, k] + ub * normals[b, k] + uc * normals[c, k]
    ex, ey = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1]
    ez = vertices[b, 2] - vertices[a, 2]
    gx, gy = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1]
    gz = vertices[c, 2] - vertices[a, 2]
    fx, fy, fz = ey * gz - ez * gy, ez * gx - ex * gz, ex * gy - ey * gx
    face_length = math.sqrt(fx * fx + fy * fy + fz * fz) + 1e-20
    length = math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + 1e-9
    if n[0] * fx + n[1] * fy + n[2] * fz < _CREASE * face_length * length:
        # Its corners' normals are shared across an edge.
        n[0], n[1], n[2], length = fx, fy, fz, face_length
    sign = 1.0 / length
    if n[0] * (eye[0] - p[0]) + n[1] * (eye[1] - p[1]) + n[2] * (eye[2] - p[2]) < 0:
        sign = -sign
    for k in range(3):
        n[k] *= sign
        p[k] += 0.0015 * n[k]  # off its own shadow
    du, dv = uv[b, 0] - uv[a, 0], uv[b, 1] - uv[a, 1]
    eu, ev = uv[c, 0] - uv[a, 0], uv[c, 1] - uv[a, 1]
    detail = abs(du * ev - eu * dv) * texture_size * texture_size / (abs(area) + 1e-9)
    level = 0.5 * math.log2(detail + 1e-9) + (1.0 if coarse else 0.4)
    sample(
        texels, sizes, starts, ua * uv[a, 0] + ub * uv[b, 0] + uc * uv[c, 0],
        ua * uv[a, 1] + ub * uv[b, 1] + uc * uv[c, 1], int(max(level, 0.0)), color,
    )  # fmt: skip


@compiled
def shade_room(
    ids, margin, lens, rotation, eye, table, floor, wall, surfaces, texels, sizes, starts, linear,
    gains, lights, softness, sky, ground, shadows, ceilings, frames, gloss, out, depth,
):  # fmt: skip
    """Draw table, floor and wall wherever no mesh is, and their depth, by following rays.

    Two by two pixels share a colour, but at the edges of what a room consists of.

    :param lens: focal length, cx, cy in pixels of `out`, k1, k2: radial distortion.
    :param rotation: float32 (3, 3), optical frame -> base frame.
    :param table: x0, x1, y0, y1, thickness: a block below z = 0.
    :param floor: its z; `wall`: its x.
    :param surfaces: float32 (3, 4): for table, floor and wall: pattern's size in metres, turn, and
        where it starts (u, v).
    :param texels: uint8 (3, T, 3), their patterns as packed pyramids.
    :param gains: float32 (3, 3), by which their linear colours are multiplied.
    """
    height, width = out.shape[0], out.shape[1]
    color, n, p = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    seen = np.empty((height // 2, width // 2), np.int8)
    points = np.empty((height // 2, width // 2, 4), np.float32)
    for by in range(height // 2):
        for bx in range(width // 2):
            seen[by, bx], points[by, bx, 3] = _room_ray(
                2 * bx + 0.5, 2 * by + 0.5, lens, rotation, eye, table, floor, wall, p, n
            )
            for k in range(3):
                points[by, bx, k] = p[k]
    for by in range(height // 2):
        for bx in range(width // 2):
            which = seen[by, bx]
            whole = which < 3 and (
                (bx == 0 or seen[by, bx - 1] == which)
                and (by == 0 or seen[by - 1, bx] == which)
                and (bx == width // 2 - 1 or seen[by, bx + 1] == which)
                and (by == height // 2 - 1 or seen[by + 1, bx] == which)
            )
            shaded, t = False, points[by, bx, 3]
            for y in range(2 * by, 2 * by + 2):
                for x in range(2 * bx, 2 * bx + 2):
                    if ids[y + margin[1], x + margin[0]] >= 0:
                        continue
                    if not (whole and shaded):
                        if whole:
                            for k in range(3):
                                p[k] = points[by, bx, k]
                            n[0], n[1], n[2] = (-1.0, 0.0, 0.0) if which == 2 else (0.0, 0.0, 1.0)
                        else:
                            which, t = _room_ray(
                                x, y, lens, rotation, eye, table, floor, wall, p, n
                            )
                        surface = 0 if which == 3 else which
                        spread = t / lens[0] * (2.0 if whole else 1.0)
                        _room_texel(
                            which, surface, spread, surfaces, eye, texels, sizes, starts, p, n,
                            color,
                        )  # fmt: skip
                        for k in range(3):
                            color[k] = linear[int(color[k])] * gains[surface, k]
                        if surface == 0:
                            light_point(
                                p, n, eye, lights, softness, sky, ground, shadows, ceilings, frames,
                                gloss if which == 0 else 0.0, turn_of(x, y), color,
                            )  # fmt: skip
                        else:
                            for k in range(3):
                                color[k] *= 0.6 * (sky[k] + lights[0, 3 + k] * 0.5)
                        shaded = True
                    for k in range(3):
                        out[y, x, k] = color[k]
                    depth[y, x] = t


@compiled
def _room_ray(px, py, lens, rotation, eye, table, floor, wall, p, n):
    """Return what a pixel sees, 0 table, 1 floor, 2 wall, 3 the table's side, and its depth.

    Fills in the point and its normal.
    """
    rx, ry = (px - lens[1]) / lens[0], (py - lens[2]) / lens[0]
    distorted = rx * rx + ry * ry
    stretch = 1.0
    for _ in range(3):
        r2 = distorted / (stretch * stretch)
        stretch = 1.0 + lens[3] * r2 + lens[4] * r2 * r2
    rx, ry = rx / stretch, ry / stretch
    dx = rotation[0, 0] * rx + rotation[0, 1] * ry + rotation[0, 2]
    dy = rotation[1, 0] * rx + rotation[1, 1] * ry + rotation[1, 2]
    dz = rotation[2, 0] * rx + rotation[2, 1] * ry + rotation[2, 2]
    best, which = _FARTHEST, 2
    n[0], n[1], n[2] = -1.0, 0.0, 0.0
    if dz < 0:
        t = -eye[2] / dz
        hx, hy = eye[0] + t * dx, eye[1] + t * dy
        if table[0] <= hx <= table[1] and table[2] <= hy <= table[3]:
            best, which = t, 0
            n[0], n[2] = 0.0, 1.0
    if which != 0:
        if dx > 0 and (wall - eye[0]) / dx < best:
            best = (wall - eye[0]) / dx
        if dz < 0 and (floor - eye[2]) / dz < best:
            best, which = (floor - eye[2]) / dz, 1
            n[0], n[2] = 0.0, 1.0
        # The sides of the table top, of which the viewer sees the nearest.
        for side in range(4):
            d, e = (dx, eye[0]) if side < 2 else (dy, eye[1])
            if d == 0:
                continue
            t = (table[side] - e) / d
            other = eye[1] + t * dy if side < 2 else eye[0] + t * dx
            low, high = (table[2], table[3]) if side < 2 else (table[0], table[1])
            z = eye[2] + t * dz
            if 0 < t < best and low <= other <= high and -table[4] <= z <= 0:
                best, which = t, 3
                n[0], n[1], n[2] = 0.0, 0.0, 0.0
                n[0 if side < 2 else 1] = -1.0 if d > 0 else 1.0
    p[0], p[1], p[2] = eye[0] + best * dx, eye[1] + best * dy, eye[2] + best * dz
    return which, best


@compiled
def _room_texel(which, surface, spread, surfaces, eye, texels, sizes, starts, p, n, color):
    """Fill in what the pattern shows at a point; `spread` is a pixel's width there, metres."""
    a = p[1] if which == 2 else p[0]
    b = p[1] if which < 2 else p[2]
    if which == 3 and n[0] != 0:
        a = p[1]
    cos, sin = math.cos(surfaces[surface, 1]), math.sin(surfaces[surface, 1])
    scale = 1.0 / surfaces[surface, 0]
    u = (cos * a + sin * b) * scale + surfaces[surface, 2]
    v = (cos * b - sin * a) * scale + surfaces[surface, 3]
    vx, vy, vz = eye[0] - p[0], eye[1] - p[1], eye[2] - p[2]
    cosine = abs(vx * n[0] + vy * n[1] + vz * n[2]) / math.sqrt(vx * vx + vy * vy + vz * vz)
    level = math.log2(spread * scale * sizes[0] / math.sqrt(max(cosine, 0.05)) + 1e-9)
    sample(texels[surface], sizes, starts, u, v, int(max(level + 0.3, 0.0)), color)
