"""The categories of objects and the colours the rendered table is set with."""

CATEGORIES = ('book', 'cup', 'bottle', 'ball', 'block', 'bowl', 'plate', 'box')
"""Names of the categories; `block` is a small solid cube, `box` is larger and open on top."""

COLORS = ('red', 'orange', 'yellow', 'green', 'blue', 'purple', 'black', 'white')
"""Names of the colours an object can have."""

NOMINAL_SIZES = {
    'book': (0.200, 0.145, 0.040),
    'cup': (0.142, 0.100, 0.105),
    'bottle': (0.080, 0.080, 0.230),
    'ball': (0.090, 0.090, 0.090),
    'block': (0.070, 0.070, 0.070),
    'bowl': (0.165, 0.165, 0.072),
    'plate': (0.200, 0.200, 0.022),
    'box': (0.175, 0.135, 0.095),
}
"""Extents along the object's own x, y, z in metres; a cup's x includes its handle."""

HUE_SATURATION_VALUE = {
    'red': (0.995, 0.93, 0.86),
    'orange': (0.070, 0.95, 0.97),
    'yellow': (0.143, 0.90, 0.96),
    'green': (0.370, 0.86, 0.62),
    'blue': (0.605, 0.86, 0.88),
    'purple': (0.785, 0.72, 0.70),
    'black': (0.600, 0.08, 0.115),
    'white': (0.130, 0.03, 0.95),
}
"""Centre of each colour, all in 0-1."""

TABLES = {
    'oak': (0.62, 0.54, 0.45),
    'walnut': (0.45, 0.39, 0.34),
    'beige': (0.64, 0.60, 0.54),
    'stone': (0.55, 0.55, 0.56),
    'slate': (0.41, 0.43, 0.45),
}
"""Muted table tops, RGB in 0-1, far from every object colour."""
