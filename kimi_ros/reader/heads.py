"""What the network decides between: the order of its outputs."""

from __future__ import annotations

# What may come next beside a skill: nothing more, a thing not to touch, a question, what no skill
# does, and words without sense.
EVENTS = ('stop', 'forbid', 'ask', 'no_skill', 'unclear')
# What a step may hold beside its arguments.
SLOTS = ('condition', 'thing', 'second', 'third')
NUMBERS = ('one', 'all', 'both', 'other', 'digits')
ROLES = ('none', 'head', 'head+', 'attribute', 'attribute+', 'order', 'order+')
TOLD = ('accounted', 'filler', 'left_out')
# What likeness of meaning, and sameness, of a word that was said and a word of an enum's value adds
# to that value.
SIM, SAME = 5.0, 10.0
