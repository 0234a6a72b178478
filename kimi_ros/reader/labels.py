"""The network's label sets, in the order of its outputs."""

from __future__ import annotations

# Decoder candidates besides skills: end, prohibition, question, unsupported request, nonsense.
EVENTS = ('stop', 'forbid', 'ask', 'no_skill', 'unclear')
# Slots of an event besides arguments: condition of a step, objects of a question or prohibition.
SLOTS = ('condition', 'thing', 'second', 'third')
NUMBERS = ('one', 'all', 'both', 'other', 'digits')
ROLES = ('none', 'head', 'head+', 'attribute', 'attribute+', 'order', 'order+')
COVERAGE = ('accounted', 'filler', 'left_out')
# Added to the logit of an enum value, for the similarity of a word to it and for an exact match.
SIMILARITY_WEIGHT, MATCH_WEIGHT = 5.0, 10.0
