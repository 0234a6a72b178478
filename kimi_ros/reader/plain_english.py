"""English requests in plain words: wishes, passives and rarer verbs as imperatives.

"I'd rather you took the cup" is "take the cup", "hoist the crate" is "pick up the crate". The
reader tries these words where it does not understand a request as it was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kimi_ros.reader.rewriting import Form, Rewriting, rewritten

# Verbs by what they ask for, after Levin's classes (get, hold, carry, put, send, point).
TAKE = (
    'acquire clamp clasp clench clutch elevate fetch fish gather grab grasp grip heave hike hoist '
    'hold lift nab obtain pinch pluck procure purchase raise remove retrieve scoop secure seize '
    'snag snatch take tweeze uplift withdraw latch'
).split()
_PUT = (
    'arrange bung chuck deposit dispose drop dump ease ferry install lay leave lob lodge lower '
    'move nestle park perch place plant plonk plop pop position release relocate rest send set '
    'settle shift shove situate slide slip slot squeeze stash stick stow stuff toss transfer '
    'transport tuck unload wedge'
).split()
_GIVE = (
    'bring carry convey deliver donate fetch fling give hand lend loan move offer pass pull push '
    'send shift slide slip supply surrender throw toss transfer'
).split()
_PLAIN = (
    'pick put give find show locate point tell place look see get keep stack open close'.split()
)
_KNOWN = frozenset((*TAKE, *_PUT, *_GIVE, *_PLAIN))
_IRREGULAR = {
    'took': 'take', 'taken': 'take', 'gave': 'give', 'given': 'give', 'got': 'get',
    'gotten': 'get', 'held': 'hold', 'found': 'find', 'brought': 'bring', 'sent': 'send',
    'left': 'leave', 'laid': 'lay', 'stuck': 'stick', 'slid': 'slide', 'kept': 'keep',
    'showed': 'show', 'shown': 'show', 'told': 'tell', 'saw': 'see', 'seen': 'see',
    'lent': 'lend', 'threw': 'throw', 'thrown': 'throw', 'flung': 'fling',
}  # fmt: skip
_PAST = r'(?P<verb>[a-z]+(?:ed|t|k|d|e|w|n|g))'
_IN = (
    r'(?:in|into|inside(?: of)?|on|onto|on top of|next to|beside|by|behind|under|underneath|below|'
    r'above|near|in front of|(?:to the )?(?:left|right) of|between|against|over|within|upon)'
)
_START = (
    r'(?:^|(?<=[,.;:!?] )|(?<=\band )|(?<=\bthen )|(?<=\bplease )|(?<=\bto )|(?<=\bjust )|'
    r'(?<=\bkindly )|(?<=\byou )|(?<=\bgo )|(?<=\bfirst )|(?<=\bnow )|(?<=\b(?:will|must) ))'
).replace('(?<=\\b(?:will|must) )', r'(?<=\bmust )|(?<=\bwill )')
_NOUN = r'(?:the|an?|that|this|my|your|our|those|these|some|one|both|all|any|[a-z]+)\b'
# A noun phrase: up to the next clause.
_X = r'(?P<x>(?:(?!,? (?:and|then|so|but|because|please) |[,.;:!?]).)+?)'
_END = r'(?=$|[,.;:!?]| (?:and|then|please|now|so|but|if|when|before|for)\b)'
_TO_ME = (
    r'(?:(?:over |across |out |back )?(?:to|towards|toward|near|nearer to|closer to|by) (?:me|us)|'
    r'(?:over |right |back )?here(?: (?:by|to|for|with|near) (?:me|us))?|my way|our way|'
    r'in my direction|into my hands?|on my side)'
)
_NOT_AFTER = ''.join(
    rf'(?<!\b{word} )'
    for word in 'if when unless once that what as than because who said says think thinks'.split()
)
_I = rf"{_NOT_AFTER}\b(?:i|we)(?:'d| would| should|'m| am|'re| are)?"
_ADVERB = r'(?:really |dearly |rather |very much |urgently |now |also |just |only |badly )*'
_TO_HAVE = r'(?: to (?:have|get|hold|be given|receive|borrow))?'
_THE = r'(?P<n>(?:the|an?|that|this|my|those|these|some|another) )'
_WOULD = (
    rf"{_NOT_AFTER}\b(?:i|we)(?:'d| would| should) {_ADVERB}"
    r'(?:like|love|prefer|appreciate|fancy|be (?:glad|grateful|happy|pleased|thankful|delighted)'
    rf'(?: of| for| with)?){_TO_HAVE}'
)
_NEED = (
    rf'{_NOT_AFTER}\b(?:i|we) {_ADVERB}(?:need|want|require|fancy|wish for|long for|can use|'
    rf'could (?:really )?(?:use|do with)){_TO_HAVE}|'
    rf"{_NOT_AFTER}\b(?:i'm|i am|we're|we are) {_ADVERB}(?:after|in (?:\w+ )?need of|asking for)"
)
# What is said around a request, and asks for nothing.
_TAIL = re.compile(
    r',? (?:(?:can|could|would|will) you(?: (?:please|kindly))?(?: (?:oblige|help|manage|do that|'
    r"do it|help me|manage that|help me out))|won't you|would you|will you|if (?:you can|that's "
    r"(?:okay|ok|possible)|possible|you (?:don't|do not) mind|i may)|(?:right away|right now)|"
    r"(?:a|for a) (?:minute|moment|second|bit|while)|i'd (?:appreciate it|be (?:much )?(?:obliged|"
    r'grateful))|that would be (?:lovely|great|nice|kind|good|wonderful))(?P<end>[.?!]*)$',
    re.IGNORECASE,
)


def _choice(words: list[str]) -> str:
    return '|'.join(words)


# Forms that say plainly what is meant: a pattern, and the template of `Rewriting.with_match`.
_SURE: tuple[Form, ...] = (
    # somebody would have it done
    (rf"{_I} (?:rather|prefer it if|be obliged if|like it if|appreciate it if|be grateful if|"
     rf"be glad if|be happy if|love it if) you(?:'d| would| could)? {_PAST}\b", '{verb=}'),
    (r'(?:(?:would|do) you mind|how about|what about|would you consider|can i (?:bother|trouble) '
     r'you with|any chance of(?: you)?|your (?:\w+ )?(?:task|job) is|see (?:about|to)|'
     r'(?:could|can) you see your way to) (?P<verb>[a-z]+ing)\b', '{verb=}'),
    # passives
    (rf'(?:could|can|would|will|may|might|should|must) {_X} be {_PAST}(?: over)? to (?:me|us)\b',
     'give me {x}'),
    (rf"(?:could|can|may|might|i want|i need|i'd like|i would like|let) {_X} (?:to )?be {_PAST} "
     rf'(?P<in>{_IN}) ', '{verb=} {x} {in} '),
    (rf"(?:have|get|i want|i need|i'd like|i would like) {_X} (?!left|kept|found|held|seen)"
     rf'{_PAST} (?P<in>{_IN}) ', '{verb=} {x} {in} '),
    (rf'(?P<x>(?:the|that|this|my|an?) [^,.;:!?]+?) (?:should|must|has to|needs? to|ought to|is to|'
     rf'wants to) be {_PAST} (?P<in>{_IN}) ', '{verb=} {x} {in} '),
    (rf"(?:i|we)(?:'d like| would like| want| need| wish) {_X} to (?:be|go|sit|stand|lie|end up|"
     rf'stay|rest) (?P<in>{_IN}) ', 'put {x} {in} '),
    (rf"(?P<in>{_IN}) (?P<y>[^,.;:!?]+?) is where (?:i|we)(?:'d like| would like| want| need) "
     rf'{_X}(?: to (?:be|go|sit|stand|lie|end up))?{_END}', 'put {x} {in} {y}'),
    (rf'(?:see (?:to it )?that|make sure(?: that)?) {_X} (?:ends up|gets|goes) (?P<in>{_IN}) ',
     'put {x} {in} '),
    (r'(?:let (?:me|us) know|tell (?:me|us)|say|shout|call out|give me a (?:shout|sign)) '
     r"(?:when|if|once|as soon as|whenever) (?:you(?:'ve| have)? )(?P<verb>see|spot|find|notice|"
     rf'detect|discover)(?:ed|n)? (?P<n>{_NOUN})', '{verb=find} {n}'),
    (r'(?:do|did|can|could) you (?:happen to )?(?:notice|spot|see|detect|make out|'
     rf'recogni[sz]e|have) {_X} (?:anywhere|somewhere|in (?:your )?(?:sights?|view)|'
     r'around here)\b', 'find {x}'),
    (rf'what {_I} (?:really )?(?:need|want|like)(?: to have)? (?P<in>{_IN}) (?P<y>[^,.;:!?]+?) is '
     rf'{_X}{_END}', 'put {x} {in} {y}'),
    (r'(?:does|do|has|have) (?:any(?:body|one)|you) (?:happen to )?(?:know|seen|noticed|notice) '
     rf'(?:what (?:became|has become|happened|has happened) (?:of|to)|where) {_X}'
     rf'(?: (?:is|are|went|has gone|could be|might be))?{_END}', 'where is {x}'),
    # wishes to have a thing
    (rf'what {_I} (?:really )?(?:need|want|like|after|require)(?: to have)? is '
     rf'(?P<n>{_NOUN})', 'give me {n}'),
    (rf'{_WOULD} (?!that you\b){_THE}', 'give me {n}'),
    (rf'(?:{_NEED}) (?!that you\b){_THE}', 'give me {n}'),
    (rf'{_WOULD} (?P<n>[a-z]+\b)(?<!that)(?<!to)(?<!you)(?<!it)(?<!if)(?<!help)(?= [a-z]+s\b)',
     'give me {n}'),
    (r'(?:can|could|may|might) (?:i|we) (?:please |perhaps |maybe |just )?(?:have|get|borrow|hold|'
     rf'take|grab|be given|be handed)(?: hold of)? (?P<n>{_NOUN})', 'give me {n}'),
    (rf'(?:let|have) (?:me|us) (?:have|hold|borrow|get|take)(?: hold of)? (?P<n>{_NOUN})',
     'give me {n}'),
    # hither
    (rf'(?:come back|return|be back|come here|come over) with (?P<n>{_NOUN})', 'give me {n}'),
    (rf'{_START}(?P<verb>{_choice(_GIVE)}) {_X} {_TO_ME}{_END}', 'give me {x}'),
    (rf'{_START}(?P<verb>lend|loan|supply|offer|pass|slip|toss|throw|grab|procure) (?:me|us) ',
     'give me '),
    (rf'{_START}(?P<verb>provide|supply|present|furnish|serve) (?:me|us) with ',
     'give me '),
)  # fmt: skip
# Forms that may mean something else to some robot.
_FORMS: tuple[Form, ...] = (
    # away from where it is
    (rf'{_START}(?P<verb>relieve|rid|clear|free) (?P<y>[^,.;:!?]+?) of (?P<x>{_NOUN})',
     '{verb=take} {x}'),
    (rf'{_START}(?P<verb>take|get|lift|pull|remove|clear|pick|heave|raise|hoist|bring)(?: up)? '
     rf'{_X} (?:(?:up |away )?(?:off|from)(?: of)?|out of) (?:the |my |your |this |that )?'
     r'(?:table|desk|counter|floor|ground|surface|worktop|bench|tabletop)(?:top)?\b',
     '{verb=pick up} {x}'),
    (rf'{_START}(?:give|hand|pass|bring|fetch|get) (?:me|us) (?=[a-z])', 'give me '),
    (rf'{_START}(?P<verb>bring|carry|take|move|deliver) {_X} (?:over )?(?:on)?to '
     r'(?=(?:the|that|this|my|your) )', '{verb=put} {x} on '),
    # the camera, a finger or attention on a thing
    (r'(?P<v>(?:direct|draw|call|turn|guide|steer|bring) (?:my|our) (?:attention|eyes?|gaze) '
     r'(?:to|towards?|onto)) ', '{v=show} me '),
    (r'(?P<v>(?:put|point|aim|turn|train|direct|set|get|swing|focus|keep|lay|fix|rest|cast) '
     r'(?:your|the|an?) (?:fingers?|arm|hand|gripper|camera|eyes?|gaze|sights|lens|light|laser) '
     r'(?:at|to|on|onto|upon|towards?|in the direction of)) ', '{v=show} me '),
    (r'(?P<v>(?:turn|look|gesture|nod|point|gaze)(?: (?:and|to) face|'
     r'(?: over)? (?:at|towards?|to)|(?: over)? in the direction of)) ', '{v=show} me '),
    (rf'(?P<verb>i(?: have|\'ve)? (?:just )?(?:lost|misplaced|mislaid)) (?P<n>{_NOUN})',
     '{verb=find} {n}'),
    (r'(?P<x>(?:the|that|this|my) [^,.;:!?]+?) (?:has to|must|should|ought to) be (?:around|'
     r'somewhere|about|lying)(?: (?:here|around|somewhere|about))*', 'find {x}'),
)  # fmt: skip
_NO_BARE_NOUN = (
    'the an? that this my your our his her their its those these some it them one both all any '
    'every each another me us up down out on off over back where what which two three four '
    r"everything something [a-z]+'s \d+"
).replace(' ', '|')
_ARTICLES: tuple[Form, ...] = (
    (r'\b(?P<verb>pick up|bring me|put|find|show me|give me) '
     rf'(?P<n>(?!(?:{_NO_BARE_NOUN})\b)[a-z])',
     '{verb} the {n}'),
)  # fmt: skip
_VERBS: tuple[Form, ...] = (
    (rf'{_START}(?P<verb>{_choice(_PUT)})(?: (?:down|over|away|firmly|gently|carefully))? {_X} '
     rf'(?:down |over |across |away |firmly |gently |carefully )?(?P<in>{_IN}) ',
     '{verb=put} {x} {in} '),
    (rf'{_START}(?P<verb>(?:{_choice(TAKE)})(?: on to| onto| hold of| up| out| on)?) '
     rf'(?P<n>{_NOUN})', '{verb=pick up} {n}'),
)  # fmt: skip


def plain_english(
    text: Rewriting, is_named: Callable[[str], bool], give: str
) -> tuple[Rewriting, Rewriting]:
    """Return a request in words that surely mean the same, and in the plainest ones.

    :param is_named: tells whether a skill is named or described by a verb, which then stays.
    :param give: what asks for a thing: 'bring me'.
    """
    sure = rewritten(text, _SURE, {'give me': give}, is_named, base_form)
    plain = sure
    if tail := _TAIL.search(sure.text):
        plain = sure.with_match(tail, '{end}', {})
        sure = sure if sure is text else plain
    if sure is not text and sure.text.endswith('?'):  # a request now
        sure = sure.without_end(1)
        plain = sure if plain.text.startswith(sure.text) else plain
    plain = rewritten(plain, _FORMS, {'give me': give}, is_named, base_form)
    plain = rewritten(plain, _VERBS, {}, is_named, base_form)
    return sure, rewritten(plain, _ARTICLES, {})


def base_form(verb: str) -> str | None:
    """Return the base form of a past, a participle or a gerund; None of an unknown verb."""
    verb = verb.lower()
    if verb in _KNOWN:
        return verb
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    for ending in ('ied', 'ed', 'ing', 'd'):
        if verb.endswith(ending):
            stem = verb.removesuffix(ending)
            forms = (stem, stem + 'e', stem + 'y', stem[:-1] if stem[-2:-1] == stem[-1:] else stem)
            if found := next((form for form in forms if form in _KNOWN), None):
                return found
    return None
