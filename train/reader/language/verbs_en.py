"""Inflection of English verbs, and separable phrasal verbs."""

from __future__ import annotations

import re

__all__ = ['PARTICLES', 'gerund', 'participle', 'phrasal']

_PARTICIPLES = {
    'be': 'been',
    'bend': 'bent',
    'bind': 'bound',
    'blow': 'blown',
    'break': 'broken',
    'bring': 'brought',
    'build': 'built',
    'buy': 'bought',
    'catch': 'caught',
    'come': 'come',
    'cut': 'cut',
    'dig': 'dug',
    'do': 'done',
    'draw': 'drawn',
    'drive': 'driven',
    'feed': 'fed',
    'find': 'found',
    'fling': 'flung',
    'fly': 'flown',
    'get': 'got',
    'give': 'given',
    'go': 'gone',
    'grind': 'ground',
    'hang': 'hung',
    'have': 'had',
    'hide': 'hidden',
    'hit': 'hit',
    'hold': 'held',
    'keep': 'kept',
    'lay': 'laid',
    'lead': 'led',
    'leave': 'left',
    'lend': 'lent',
    'let': 'let',
    'lose': 'lost',
    'make': 'made',
    'pay': 'paid',
    'put': 'put',
    'read': 'read',
    'ride': 'ridden',
    'ring': 'rung',
    'run': 'run',
    'say': 'said',
    'see': 'seen',
    'seek': 'sought',
    'send': 'sent',
    'set': 'set',
    'sew': 'sewn',
    'shake': 'shaken',
    'show': 'shown',
    'shut': 'shut',
    'slide': 'slid',
    'sow': 'sown',
    'speak': 'spoken',
    'spin': 'spun',
    'spread': 'spread',
    'stand': 'stood',
    'steal': 'stolen',
    'stick': 'stuck',
    'strike': 'struck',
    'string': 'strung',
    'sweep': 'swept',
    'swing': 'swung',
    'take': 'taken',
    'tear': 'torn',
    'tell': 'told',
    'throw': 'thrown',
    'tie': 'tied',
    'wind': 'wound',
    'wring': 'wrung',
    'write': 'written',
    'lie': 'lain',
    'beat': 'beaten',
    'bite': 'bitten',
    'wake': 'woken',
    'freeze': 'frozen',
    'sing': 'sung',
    'play': 'played',
    'split': 'split',
    'spit': 'spat',
    'wipe': 'wiped',
    'unwind': 'unwound',
    'undo': 'undone',
    'rewind': 'rewound',
    'melt': 'melted',
    'fit': 'fitted',
}
PARTICLES = frozenset('up off on out down away over back in aside apart together open shut'.split())
# Separable phrasal verbs; with other verbs the particle is a preposition.
_PHRASAL = frozenset(
    """
pick up|lift up|put down|set down|put on|put away|put back|turn on|turn off|switch on
switch off|turn up|turn down|power up|power down|power on|power off|shut off|shut down
start up|fire up|flick on|flick off|flip on|flip off|open up|close up|clean up|clean off
wipe down|wipe off|mop up|hand over|pass over|bring over|bring back|take away|take out
take off|take back|throw away|throw out|toss out|chuck out|point out|pull out|pull open
push away|push aside|push over|knock over|tip over|turn over|turn around|flip over|roll up
roll out|fold up|hang up|plug in|cut up|cut off|chop up|heat up|warm up|cool down|fill up
top up|pour out|empty out|tidy up|sort out|pack up|wrap up|screw in|screw on|screw down
tear off|tear up|rip open|tear open|break off|hold up|hold down|bring in|bring out
carry over|carry in|carry out|move over|move aside|dust off|rinse off|rinse out|wash up
wash off|wash out|dry off|scrape off|shake out|shake off|stir in|mix in|scoop up|scoop out
snatch up|gather up|collect up|pile up|stack up|line up|lay out|lay down|set out|set aside
set up|put together|take apart|write down|read out|print out|pick out|hand out|pass around
give back|give away|drop off|let go|lock up|seal up|seal off|tie up|strap down
straighten out|smooth out|pump up|blow up|blow out|squeeze out|wring out|soak up|suck up
hoover up|vacuum up|sweep up|sweep away|scrub down|rub out|rub down|crank up|speed up
slow down|count up|check out|chuck away|bin up|prop up|stand up|sit up|tuck in|zip up
button up|do up|crack open|prise open|pry open|swing open|push in|pull down|pull up|pull off
pull back|push down|push up|push back|push open|press down|jack up|ring up|log in|scan in
book in|book out|sign out|weigh out|measure out|track down|slide open|slide in|slide out
spread out|stretch out|screw up|ease off|ease out|peel off|lift off|lift down|fetch back
""".strip()
    .replace('\n', '|')
    .split('|')
)


def phrasal(verb: str, particle: str) -> bool:
    """Tell whether verb and particle are separable: "pick it up"."""
    return f'{verb} {particle}' in _PHRASAL


def participle(verb: str) -> str:
    """Return the past participle."""
    if verb in _PARTICIPLES:
        return _PARTICIPLES[verb]
    if verb.endswith('e'):
        return verb + 'd'
    if re.search('[^aeiou]y$', verb):
        return verb[:-1] + 'ied'
    return (verb + verb[-1] if _doubles(verb) else verb) + 'ed'


def gerund(verb: str) -> str:
    """Return the gerund (-ing form)."""
    if verb.endswith('ie'):
        return verb[:-2] + 'ying'
    if verb.endswith('e') and not verb.endswith(('ee', 'ye', 'oe')) and verb != 'be':
        return verb[:-1] + 'ing'
    return (verb + verb[-1] if _doubles(verb) else verb) + 'ing'


_DOUBLING = frozenset(
    'unplug unzip unwrap rewrap unpin transfer refer admit commit permit regret forget'.split()
)


def _doubles(verb):
    return verb in _DOUBLING or bool(re.fullmatch('[^aeiou]*(qu)?[aeiou][bdfgklmnprtvz]', verb))
