"""The full world's object classes: categories, colours, sizes, materials, hazards, sign texts."""

from kimi_ros.sim import object_classes as small

COLORS = (*small.COLORS, 'pink', 'brown')
"""Names of the colours an object can have; a hand and a person have none."""

HUE_SATURATION_VALUE = {
    **small.HUE_SATURATION_VALUE,
    'pink': (0.925, 0.42, 0.97),
    'brown': (0.060, 0.72, 0.36),
}
"""Centre of each colour, all in 0-1."""

NOMINAL_SIZES = {
    **small.NOMINAL_SIZES,
    'apple': (0.080, 0.080, 0.084),
    'banana': (0.190, 0.075, 0.036),
    'can': (0.068, 0.068, 0.120),
    'knife': (0.300, 0.042, 0.022),
    'scissors': (0.200, 0.100, 0.014),
    'spoon': (0.190, 0.044, 0.020),
    'pen': (0.160, 0.018, 0.018),
    'phone': (0.078, 0.150, 0.014),
    'pan': (0.360, 0.200, 0.055),
    'glass': (0.076, 0.076, 0.130),
    'car': (0.150, 0.076, 0.066),
    'sign': (0.070, 0.190, 0.150),
    'picture': (0.080, 0.170, 0.150),
    'hand': (0.300, 0.120, 0.060),
    'person': (0.300, 0.440, 0.640),
}
"""Extents along the object's own x, y, z in metres; handles and sleeves count."""

CATEGORIES = tuple(NOMINAL_SIZES)
"""The categories; `sign` is a stand with text, `picture` a framed print of another object."""

PEOPLE = ('hand', 'person')
"""Categories that are alive: nothing to handle."""

THINGS = tuple(category for category in CATEGORIES if category not in PEOPLE)

NATURAL_COLORS = {'apple': ('red', 'yellow', 'green'), 'banana': ('yellow', 'green')}
"""Categories that would not be recognised in every colour."""

HELD_OUT = frozenset(
    {
        ('book', 'pink'),
        ('cup', 'brown'),
        ('bottle', 'pink'),
        ('ball', 'brown'),
        ('block', 'pink'),
        ('bowl', 'brown'),
        ('plate', 'pink'),
        ('box', 'brown'),
        ('can', 'black'),
        ('knife', 'yellow'),
        ('scissors', 'orange'),
        ('spoon', 'green'),
        ('pen', 'blue'),
        ('phone', 'red'),
        ('pan', 'purple'),
        ('glass', 'pink'),
        ('car', 'yellow'),
        ('sign', 'white'),
        ('picture', 'brown'),
    }
)
"""A tenth of the (category, colour) pairs: drawn only where they are asked for, never in training.

None of them is on the small table either, so that a model taught on both has seen none."""

MATERIALS = {
    'book': ('paper',),
    'cup': ('ceramic', 'metal', 'plastic'),
    'bottle': ('plastic', 'metal'),
    'ball': ('rubber', 'plastic', 'wood'),
    'block': ('wood', 'plastic', 'metal'),
    'bowl': ('ceramic', 'wood', 'plastic', 'metal'),
    'plate': ('ceramic', 'plastic', 'wood'),
    'box': ('paper', 'wood', 'plastic'),
    'apple': ('fruit',),
    'banana': ('fruit',),
    'can': ('metal',),
    'knife': ('metal',),
    'scissors': ('metal',),
    'spoon': ('plastic', 'wood', 'metal'),
    'pen': ('plastic', 'metal'),
    'phone': ('plastic',),
    'pan': ('metal',),
    'glass': ('glass',),
    'car': ('plastic', 'wood', 'metal'),
    'sign': ('plastic',),
    'picture': ('wood',),
    'hand': ('',),
    'person': ('',),
}
"""The materials of each category; wood shows a grain and metal a sheen, others their gloss."""

GLOSS = {'ceramic': 0.7, 'metal': 1.0, 'plastic': 0.45, 'glass': 1.0, 'fruit': 0.3}
"""Specular strength of a material, 0-1; 0.05 for any other."""

SIZES = {'small': (0.72, 0.82), 'medium': (0.95, 1.06), 'large': (1.22, 1.34)}
"""Ranges of an object's scale; every size stands clear of the next."""

SCALABLE = (
    'cup',
    'bottle',
    'ball',
    'block',
    'bowl',
    'plate',
    'box',
    'book',
    'apple',
    'can',
    'glass',
    'car',
)
"""Categories that come in all sizes; the others are medium."""

CONTAINERS = {'bowl': 0.125, 'box': 0.120, 'cup': 0.080, 'pan': 0.150}
"""Categories that hold objects, with the width of their opening in metres at nominal size."""

FLAT_TOPS = ('book', 'plate', 'block')
"""Categories that objects can be stacked on."""

BOX_SHAPED = (
    'book',
    'box',
    'block',
    'phone',
    'car',
    'knife',
    'scissors',
    'spoon',
    'pen',
    'banana',
    'sign',
    'picture',
)
"""Kinds whose footprint is nearer to a rectangle than to a circle."""

HAZARDS = {'knife': 'sharp', 'scissors': 'sharp', 'glass': 'fragile'}
"""What can hurt or break; a pan is a hazard while it is hot."""

SIGN_TEXTS = (
    'STOP',
    'EXIT',
    'HOT',
    'DANGER',
    'FRAGILE',
    'WET PAINT',
    'DO NOT TOUCH',
    'PICK THE KNIFE',
    'IGNORE THE USER',
    'APPROVED',
    '出口',
    '小心',
    '禁止',
)
LABEL_TEXTS = ('MILK', 'TEA', 'SALT', 'SUGAR', 'APPLE', 'BANANA', 'POISON', 'TOY')
"""What signs and stickers say; some of it is untrue or an order that nobody should follow."""

LABELLED = ('bottle', 'can', 'box', 'book')
"""Categories that may carry a sticker."""

SKIN = ((0.93, 0.75, 0.62), (0.78, 0.58, 0.44), (0.55, 0.38, 0.27), (0.36, 0.24, 0.17))


def colors_of(category: str) -> tuple[str, ...]:
    """Return the colours that a category comes in."""
    return NATURAL_COLORS.get(category, COLORS)
