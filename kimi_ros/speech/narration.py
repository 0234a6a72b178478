"""What to say of the way ahead: hazard, direction, distance, action; short, and on change only.

Pure logic with an explicit clock. It supplements a cane or a dog: the first sentence says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from kimi_ros.speech.directions import Wording, direction, distance
from kimi_ros.speech.vocabulary import language_of

MAX_WORDS = 15  # of an unasked sentence; Chinese: twice as many characters
_DETAILS = {'brief': 1, 'normal': 2, 'rich': 4}  # findings in a sentence
LEVELS = tuple(_DETAILS)
"""How much is told, from little to much."""

_INTERVALS = {'brief': 5.0, 'normal': 4.0, 'rich': 3.0}  # seconds between two sentences
_HAZARD_INTERVAL = 1.5  # seconds between two of hazards at least, and until the first was heard
_NEAR = 7.0  # metres, within which a hazard is announced
_LOOK = 4.0  # metres, within which it is said that the sides were not measured
_STOP = 1.0  # metres, within which the advice is to stop
_HEED = 2.0  # seconds after 'stop' in which nothing else that is at hand says it again
_SOON = 0.3  # metres before that, in which nothing else is said of it
_PASSED = 2.0, 5.0, 3.0  # metres farther away that it counts if aside, and for each metre, to 3
_COMES = 0.75  # share of a distance beyond _NEAR at which a hazard is announced again
_CLOSER = 0.5  # share of the announced distance at which a hazard is announced again
_SAME_BEARING = 30.0  # degrees
_PAUSE, _PER_LETTER, _PER_CHARACTER = 0.3, 0.055, 0.22  # seconds; characters: Chinese
_CUT = 0.3  # seconds that its end may be cut off
_FORGET = 8.0  # seconds, after which something that was out of sight is new


class Side(Enum):
    """What is known of a side that one could go round on."""

    UNKNOWN = 'unknown'
    FREE = 'free'
    BLOCKED = 'blocked'


@dataclass(frozen=True)
class Finding:
    """Something seen.

    :ivar id: of the tracker: the same thing keeps it.
    :ivar label: its name, in the language of narration, with its number: 'three shared bikes'.
    :ivar bearing: degrees, positive to the right.
    :ivar metres: from valid depth; None where there is none.
    :ivar hazard: it is in the way.
    :ivar left: whether the left side was measured as free; `right` alike.
    :ivar sure: the detector is; otherwise 'maybe' is said.
    :ivar person: a person is never named: the label is replaced.
    :ivar text: read on it: quoted word for word.
    :ivar members: ids of all that it stands for, of several things of a kind.
    :ivar aside: metres between it and where the person walks; 0: it is in the way.
    :ivar straight: whether what lies straight ahead was measured as free, until it is passed.
    :ivar step: one walks over it.
    :ivar compound: its label is that of several kinds that stand together.
    """

    id: str
    label: str
    bearing: float
    metres: float | None = None
    hazard: bool = False
    left: Side = Side.UNKNOWN
    right: Side = Side.UNKNOWN
    sure: bool = True
    person: bool = False
    text: str = ''
    members: tuple[str, ...] = ()
    aside: float = 0.0
    straight: Side = Side.UNKNOWN
    step: bool = False
    compound: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """All that it stands for."""
        return self.members or (self.id,)


@dataclass(frozen=True)
class Narration:
    """A sentence to speak; `interrupts` whatever is being said."""

    text: str
    interrupts: bool = False


@dataclass(frozen=True)
class _Told:
    """What was said of a finding.

    :ivar seen: when it was seen last, seconds.
    :ivar until: when it is said to its end, seconds.
    """

    bearing: float
    metres: float | None
    seen: float
    until: float
    compound: bool


@dataclass
class Narrator:
    """Call `update` with what is seen now; settings may change in between.

    :ivar level: one of `LEVELS`.
    :ivar interval: seconds between two sentences that are no warnings; 0: that of the level.
    :ivar introduction: seconds in which only what is at hand interrupts the first sentence.
    """

    wording: Wording = field(default_factory=Wording)
    level: str = 'normal'
    interval: float = 0.0
    introduction: float = 0.0
    _told: dict[str, _Told] = field(default_factory=dict)
    _spoke: float = float('-inf')
    _warned: float = float('-inf')
    _stopped: float = float('-inf')
    _quiet: float = 0.0  # until when nothing but what is at hand is said
    _started: bool = False

    def update(self, findings: Sequence[Finding], now: float) -> Narration | None:
        """Return what to say, None to stay silent.

        :param now: seconds.
        """
        if not self._started:
            self._started, self._spoke, self._quiet = True, now, now + self.introduction
            return Narration(self._phrase('first'))
        for finding in findings:
            self._remember(finding, now)
        news = [f for f in findings if self._is_news(f)]
        if now < self._stopped + _HEED:
            news = [f for f in news if not self._is_at_hand(f)]
        hazards = sorted((f for f in news if _threatens(f)), key=_danger)
        others = sorted((f for f in news if not f.hazard), key=_danger)
        if hazards and self._interrupts(hazards[0]):
            return self._narrate(hazards[:1], now, interrupts=True)
        if now < self._quiet:
            return None
        if hazards and now >= self._warned + _HAZARD_INTERVAL:
            return self._narrate([*hazards, *others], now, interrupts=True)
        if others and now >= self._spoke + (self.interval or _INTERVALS[self.level]):
            return self._narrate(others, now)
        return None

    def answer(self, findings: Sequence[Finding], side: str) -> str:
        """Return all that is on a side, nearest first: 'left', 'right' or 'ahead'."""
        low, high = {'left': (-180, -15), 'right': (15, 180)}.get(side, (-15, 15))
        there = sorted((f for f in findings if low <= f.bearing <= high), key=_nearness)
        if not there:
            return self._phrase('nothing')
        return self._join([self._describe(f) for f in there])

    def _remember(self, finding: Finding, now: float) -> None:
        """Note that what was told is still seen; what joined it was told with it."""
        for key in finding.ids:
            if (told := self._told.get(key)) is not None and now - told.seen > _FORGET:
                del self._told[key]
        if (known := self._known(finding)) is not None:
            self._told |= dict.fromkeys(finding.ids, replace(known, seen=now))

    def _forget_unheard(self, now: float) -> None:
        """Make news of what is being said: the next sentence interrupts it."""
        self._told = {k: told for k, told in self._told.items() if told.until - _CUT <= now}

    def _known(self, finding: Finding) -> _Told | None:
        """Return what was told last of any of its members."""
        told = [self._told[key] for key in finding.ids if key in self._told]
        return max(told, key=lambda t: t.until, default=None)

    def _is_news(self, finding: Finding) -> bool:
        told = self._known(finding)
        if told is None or (finding.compound and not told.compound):
            return True
        if _threatens(finding) and told.metres is not None and told.metres > _NEAR:
            return _nearness(finding) < _COMES * told.metres
        if finding.hazard and not finding.aside and finding.metres is not None:
            return _is_closer(finding, told) or self._is_at_hand(finding)
        return not finding.hazard and abs(finding.bearing - told.bearing) > _SAME_BEARING

    def _is_at_hand(self, finding: Finding) -> bool:
        """Whether it has come so near that 'stop' is due, which was not yet said."""
        told = self._known(finding)
        before = None if told is None else told.metres
        near = not finding.aside and finding.metres is not None and finding.metres < _STOP
        return near and (before is None or before >= _STOP)

    def _interrupts(self, finding: Finding) -> bool:
        """Whether it is said at once: what is at hand, but for a step that one knows of."""
        return self._is_at_hand(finding) and not (finding.step and self._known(finding))

    def _narrate(
        self, findings: Sequence[Finding], now: float, interrupts: bool = False
    ) -> Narration:
        """Return a sentence: the first finding, what to do about it, and more as there is room."""
        if interrupts:
            self._forget_unheard(now)
            self._warned = now
        first, *rest = findings[: _DETAILS[self.level]]
        if interrupts and self._is_at_hand(first):
            # 'stop' matters more than how far, and than anything else.
            self._stopped = now
            said = [(first, self._short(replace(first, metres=None))), (None, self._phrase('stop'))]
        else:
            said = [(first, self._short(first))]
            action = self._action(first) if interrupts else ''
            if action and not (action in self._minor() and any(map(_threatens, rest))):
                said.append((None, action))
            said += [(finding, self._short(finding)) for finding in rest]
        parts: list[str] = []
        for finding, part in said:
            if parts and _length(self._join([*parts, part])) > MAX_WORDS:
                break
            parts.append(part)
            if finding is not None:
                until = now + speaking_time(self._join(parts))
                self._quiet = until if finding.hazard else self._quiet
                told = _Told(finding.bearing, finding.metres, now, until, finding.compound)
                self._told |= dict.fromkeys(finding.ids, told)
        self._spoke = now
        return Narration(self._join(parts), interrupts)

    def _minor(self) -> tuple[str, ...]:
        """Return the advice that another hazard is more important than."""
        return self._phrase('go_on'), self._phrase('unchecked')

    def _short(self, finding: Finding) -> str:
        """Return the description; of a long quotation, as many words as there is room for."""
        text = self._describe(finding)
        while finding.text and _length(text) > MAX_WORDS:
            chinese = language_of(finding.text) == 'zh'
            kept = finding.text.removesuffix('…').rstrip()
            kept = kept[:-2] if chinese or ' ' not in kept else kept.rsplit(' ', 1)[0]
            finding = replace(finding, text=f'{kept}…' if kept else '')
            text = self._describe(finding)
        return text

    def _describe(self, finding: Finding) -> str:
        chinese = self.wording.language == 'zh'
        label = self._phrase('person') if finding.person else finding.label
        if not finding.sure:
            label = f'可能是{label}' if chinese else f'maybe {label}'
        where = direction(finding.bearing, self.wording)
        far = distance(finding.metres, self.wording)
        parts = [label, where, *([far] if far else [])]
        if finding.text:
            parts.append(f'写着：“{finding.text}”' if chinese else f'it reads "{finding.text}"')
        return ('，' if chinese else ', ').join(parts)

    def _action(self, finding: Finding) -> str:
        """Return advice: where it was measured that one can walk."""
        if finding.aside:
            return self._phrase('go_on') if finding.straight is Side.FREE else ''
        if finding.step:
            return ''
        for side, name in ((finding.left, 'left'), (finding.right, 'right')):
            if side is Side.FREE:
                return self._phrase(f'go_{name}')
        if Side.UNKNOWN not in (finding.left, finding.right):
            return self._phrase('blocked')
        near = finding.metres is None or finding.metres < _LOOK
        return self._phrase('unchecked') if near else ''

    def _join(self, parts: Sequence[str]) -> str:
        if self.wording.language == 'zh':
            return '；'.join(parts) + '。'
        text = '; '.join(parts)
        return text[:1].upper() + text[1:] + '.'

    def _phrase(self, name: str) -> str:
        return PHRASES[name][self.wording.language == 'zh']


PHRASES = {
    'first': (
        'I describe what the camera sees. I miss things, and replace neither cane nor dog.',
        '我只描述摄像头看到的。我会看漏，不能代替盲杖和导盲犬。',
    ),
    'person': ('a person', '一个人'),
    'nothing': (
        'I see nothing there. That does not mean that it is free.',
        '那里我没看到东西，但不等于没有。',
    ),
    'stop': ('stop', '停下'),
    'go_left': ('the left is free', '左边可走'),
    'go_right': ('the right is free', '右边可走'),
    'go_on': ('straight on is free', '可以直走'),
    'unchecked': ('sides not checked', '两边没看清'),
    'blocked': ('both sides blocked', '两边不通'),
}


def speaking_time(text: str) -> float:
    """Return how long a voice takes to say a text, seconds: espeak-ng at 1.5 times its speed."""
    chinese = sum('\u4e00' <= c <= '\u9fff' for c in text)
    return _PAUSE + chinese * _PER_CHARACTER + (len(text) - chinese) * _PER_LETTER


def _is_closer(finding: Finding, told: _Told) -> bool:
    """Whether it is worth saying again: much nearer, but not so near that 'stop' comes at once."""
    if finding.metres is None or finding.step:
        return False
    if told.metres is None:
        return True
    return _STOP + _SOON < finding.metres < _CLOSER * told.metres


def _threatens(finding: Finding) -> bool:
    return finding.hazard and (finding.metres is None or finding.metres <= _NEAR)


def _danger(finding: Finding) -> float:
    """Order hazards: the nearest first, but what is passed after what is in the way."""
    passed = _PASSED[0] + _PASSED[1] * min(finding.aside, _PASSED[2]) if finding.aside else 0.0
    return _nearness(finding) + passed


def _nearness(finding: Finding) -> float:
    return float('inf') if finding.metres is None else finding.metres


def _length(text: str) -> float:
    """Return the number of words; two Chinese characters count as one."""
    chinese = sum('\u4e00' <= c <= '\u9fff' for c in text)
    return chinese / 2 if chinese else len(text.split())
