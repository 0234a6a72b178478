"""Software rasterisation of triangles, compiled by Numba.

One rule serves cameras, shadows and height maps: a vertex is (x, y, w) in pixels with pixel centres
at whole numbers, w runs linearly over the triangle, and the largest w wins. For a perspective view
w is the inverse depth, for an orthographic one the height towards the viewer.
"""

from __future__ import annotations

import math

import numba

compiled = numba.njit(cache=True, fastmath=True, nogil=True)


@compiled
def edge(xa, ya, xb, yb, x, y):
    """Return twice the area of the triangle a, b, (x, y), above 0 where it turns from x to y."""
    return (xb - xa) * (y - ya) - (yb - ya) * (x - xa)


@compiled
def _covered(a, b, c, size):
    """Return the first and the last of the pixels 0 to `size` - 1 that lie within three corners."""
    return max(0, int(math.ceil(min(a, b, c)))), min(size - 1, int(math.floor(max(a, b, c))))


@compiled
def rasterize(points, faces, first, cull, margin, w_buffer, id_buffer, stamp, mark):
    """Draw one mesh; return how many pixels its outline covers, hidden or not: all, and inside.

    :param points: float32 (n, 3) x, y, w; triangles with a w of 0 or less are left out.
    :param faces: int32 (m, 3), counter-clockwise seen from outside.
    :param first: number of the first face in `id_buffer`.
    :param margin: x, y: columns and rows on every side of the buffers that are not inside.
    :param cull: whether to leave out the faces that look away (y grows downwards).
    :param w_buffer: float32 (H, W), 0 where nothing is.
    :param id_buffer: int32 (H, W), the face that is seen.
    :param stamp: uint8 (H, W), set to `mark` wherever the mesh is.
    """
    height, width = w_buffer.shape
    covered, inside = 0, 0
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        wa, wb, wc = points[a, 2], points[b, 2], points[c, 2]
        if wa <= 0 or wb <= 0 or wc <= 0:
            continue
        xa, ya, xb, yb = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        xc, yc = points[c, 0], points[c, 1]
        area = edge(xa, ya, xb, yb, xc, yc)
        if area == 0 or (cull and area > 0):
            continue
        x0, x1 = _covered(xa, xb, xc, width)
        y0, y1 = _covered(ya, yb, yc, height)
        inverse = 1.0 / area
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                u = edge(xb, yb, xc, yc, x, y) * inverse
                v = edge(xc, yc, xa, ya, x, y) * inverse
                t = 1.0 - u - v
                if u < 0 or v < 0 or t < 0:
                    continue
                if stamp[y, x] != mark:
                    stamp[y, x] = mark
                    covered += 1
                    if margin[0] <= x < width - margin[0] and margin[1] <= y < height - margin[1]:
                        inside += 1
                w = u * wa + v * wb + t * wc
                if w > w_buffer[y, x]:
                    w_buffer[y, x] = w
                    id_buffer[y, x] = first + f
    return covered, inside


@compiled
def rasterize_height(points, faces, buffer):
    """Raise `buffer`, float32 (H, W), to the mesh's height; both sides of its faces count."""
    height, width = buffer.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        xa, ya, xb, yb = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        xc, yc = points[c, 0], points[c, 1]
        area = edge(xa, ya, xb, yb, xc, yc)
        if area == 0:
            continue
        x0, x1 = _covered(xa, xb, xc, width)
        y0, y1 = _covered(ya, yb, yc, height)
        inverse = 1.0 / area
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                u = edge(xb, yb, xc, yc, x, y) * inverse
                v = edge(xc, yc, xa, ya, x, y) * inverse
                t = 1.0 - u - v
                if u < 0 or v < 0 or t < 0:
                    continue
                w = u * points[a, 2] + v * points[b, 2] + t * points[c, 2]
                if w > buffer[y, x]:
                    buffer[y, x] = w
