"""What to do with what was heard: an instruction, a command, a question back, or nothing.

Pure logic with an explicit clock: sounds, voices and ROS are elsewhere.
"""

from __future__ import annotations

import difflib
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum

from kimi_ros.speech.commands import Command, after_wake_word, contains_stop, find_command
from kimi_ros.speech.matching import match
from kimi_ros.speech.recognizer import Transcript
from kimi_ros.speech.requests import parse_request
from kimi_ros.speech.vocabulary import Vocabulary, language_of, normalize

_ECHO = 0.8  # similarity to a sentence of one's own
_SENTENCES = {
    'en': {
        'read_back': 'Did you say: {}?',
        'again': 'Sorry, I did not understand. Please say it again.',
        'too_long': 'That was too long for me. Please say it in shorter sentences.',
        'nothing': 'There is nothing to repeat.',
        'no_more': 'There are no more details.',
        'stopped': 'Stopped.',
        'dropped': 'All right, not that. What shall I do?',
        'yes_or_no': 'Shall I do that? Say yes or no.',
        'by_hand': 'I may not take a spoken yes for this plan.',
    },
    'zh': {
        'read_back': '你是说：{}吗？',
        'again': '对不起，我没听懂，请再说一遍。',
        'too_long': '这句话太长了，请分成短句说。',
        'nothing': '没有可以重复的话。',
        'no_more': '没有更多细节了。',
        'stopped': '已停止。',
        'dropped': '好的，不做这个。请告诉我做什么。',
        'yes_or_no': '要我这样做吗？请说是或者不。',
        'by_hand': '这个计划不能用口头同意。',
    },
}


def sentence(name: str, language: str, *fields: str) -> str:
    """Return one of the fixed sentences."""
    return _SENTENCES[language if language in _SENTENCES else 'en'][name].format(*fields)


class Outcome(Enum):
    """What became of an utterance."""

    IGNORED = 'ignored'
    COMMAND = 'command'
    READ_BACK = 'read back'
    ASKED_AGAIN = 'asked again'
    INSTRUCTION = 'instruction'


@dataclass(frozen=True)
class Settings:
    """How careful to be.

    :ivar accept: confidence from which an instruction is taken as heard.
    :ivar reject: confidence below which it is asked for again.
    :ivar wake_words: if any, only what follows one is an instruction.
    :ivar confirm_seconds: time for a yes or no.
    :ivar follow_seconds: time after a wake word, or after a question of the robot, in which
        whatever is said is meant for it.
    :ivar echo_seconds: time after the robot's own voice in which a piece of its sentences is an
        echo, unless it expects an answer; later, a person may have said the same.
    """

    accept: float = 0.55
    reject: float = 0.2
    wake_words: tuple[str, ...] = ()
    confirm_seconds: float = 15.0
    follow_seconds: float = 10.0
    echo_seconds: float = 5.0


@dataclass(frozen=True)
class PlanNotice:
    """What the dialogue needs to know of a plan.

    :ivar say: its sentence.
    :ivar details: what 'more' says.
    :ivar pending: it waits for approval.
    :ivar low_risk: no step's risk is above low: a spoken yes may count.
    :ivar asks: it is a question to the person.
    """

    id: str
    hash: str
    language: str
    say: str
    details: str = ''
    pending: bool = False
    low_risk: bool = False
    asks: bool = False


@dataclass(frozen=True)
class Say:
    """Speak a sentence."""

    text: str
    language: str
    urgent: bool = False


@dataclass(frozen=True)
class Instruct:
    """Send an instruction to kimi."""

    text: str
    language: str


@dataclass(frozen=True)
class Stop:
    """Cancel speech and every plan."""


@dataclass(frozen=True)
class Decide:
    """Approve or deny a plan; `read_back` is what was read aloud before."""

    plan: PlanNotice
    approve: bool
    read_back: str


Action = Say | Instruct | Stop | Decide


class Dialogue:
    """Remembers what it asked, and what was said last. Not thread-safe."""

    def __init__(self, settings: Settings | None = None):
        self.settings = settings or Settings()
        self._unsure: Instruct | None = None
        self._unsure_until = self._open_until = float('-inf')
        self._plan: PlanNotice | None = None
        self._read_back = ''
        self._last_said: Say | None = None
        self._spoken: deque[str] = deque(maxlen=12)

    def said(self, text: str, language: str) -> None:
        """Note what the robot says, so that it is repeated on request, and known as an echo."""
        self._last_said = Say(text, language)
        self._spoken.append(normalize(text))

    def planned(self, plan: PlanNotice, now: float) -> list[Action]:
        """Note a plan; if it waits for approval, ask for a yes or no.

        :param now: monotonic seconds.
        """
        before = self._plan
        changed = before is None or (plan.id, plan.pending) != (before.id, before.pending)
        self._plan = plan
        if changed:
            self._read_back = ''
        if plan.asks:
            self._open_until = now + self.settings.follow_seconds
        if not plan.pending or not changed:
            return []
        if not plan.low_risk:
            return [Say(sentence('by_hand', plan.language), plan.language)]
        # kimi's own sentence is read back here, too: the yes is bound to these words.
        self._read_back = f'{plan.say} {sentence("yes_or_no", plan.language)}'
        return [Say(self._read_back, plan.language)]

    def heard_over_own_voice(self, text: str, saying: str) -> list[Action]:
        """Return a Stop if 'stop' was said into a sentence of the robot that has no such word."""
        return [Stop()] if contains_stop(text) and not contains_stop(saying) else []

    def hear(
        self,
        heard: Transcript,
        vocabulary: Vocabulary,
        now: float,
        addressed: bool = False,
        quiet: float = 0.0,
        truncated: bool = False,
    ) -> tuple[Outcome, list[Action]]:
        """Return what becomes of an utterance, and what to do, in order.

        :param addressed: a button was held: it is meant for the robot.
        :param quiet: seconds from the robot's own voice to the utterance.
        :param truncated: it was cut off: half a request is not acted on.
        """
        text, language = heard.text, heard.language
        plain = normalize(text)
        if not plain:
            if addressed:
                return Outcome.ASKED_AGAIN, [Say(sentence('again', language), language)]
            return Outcome.IGNORED, []
        command = find_command(text)
        if command is Command.STOP:
            self._unsure = None
            return Outcome.COMMAND, [Stop(), Say(sentence('stopped', language), language)]
        addressed = addressed or now < self._open_until
        repeated = [own for own in self._spoken if _is_piece(plain, own)]
        unexpected = quiet < self.settings.echo_seconds and not addressed
        exact = any(plain in own for own in repeated)
        whole = any(_is_piece(own, plain) for own in repeated)
        # Nearly its own words, 'the white box' after 'the white block', are read back instead.
        if repeated and ((unexpected and exact) or whole or command is not None):
            return Outcome.IGNORED, []
        if command is not None and heard.confidence >= self.settings.reject:
            actions = self._obey(command, language, now)
            return (Outcome.COMMAND if actions else Outcome.IGNORED), actions
        outcome, actions = self._instruction(heard, vocabulary, now, addressed, bool(repeated))
        if truncated and outcome in (Outcome.INSTRUCTION, Outcome.READ_BACK):
            self._unsure = None
            return Outcome.ASKED_AGAIN, [Say(sentence('too_long', language), language, True)]
        return outcome, actions

    def _obey(self, command: Command, language: str, now: float) -> list[Action]:
        if command is Command.REPEAT:
            return [self._last_said or Say(sentence('nothing', language), language)]
        if command is Command.MORE:
            plan = self._plan
            if plan is None or not plan.details:
                return [Say(sentence('no_more', language), language)]
            return [Say(plan.details, plan.language)]
        yes = command is Command.YES
        if self._unsure is not None and now < self._unsure_until:
            instruction, self._unsure = self._unsure, None
            if yes:
                return [instruction]
            self._open_until = now + self.settings.follow_seconds
            return [Say(sentence('dropped', language), language)]
        plan = self._plan
        if plan is None or not plan.pending or (yes and not self._read_back):
            return []  # nobody asked
        self._plan = None
        return [Decide(plan, yes, self._read_back)]

    def _instruction(
        self,
        heard: Transcript,
        vocabulary: Vocabulary,
        now: float,
        addressed: bool,
        repeated: bool,
    ) -> tuple[Outcome, list[Action]]:
        text, language, settings = heard.text, heard.language, self.settings
        if settings.wake_words and not addressed:
            rest = after_wake_word(text, settings.wake_words)
            if rest is None:
                return Outcome.IGNORED, []
            self._open_until = now + settings.follow_seconds
            if not rest:
                return Outcome.COMMAND, []
            text, addressed = rest, True
        found = match(text, vocabulary)
        if vocabulary.assists and parse_request(text):
            # Its names are any words: not corrected to those of the robot's own things.
            found = replace(
                found, text=normalize(text), addressed=True, known=True, corrected=False
            )
        if not addressed and not found.addressed:
            return Outcome.IGNORED, []
        if heard.confidence < settings.reject:
            if not addressed:  # a voice somewhere else is not asked to repeat itself
                return Outcome.IGNORED, []
            return Outcome.ASKED_AGAIN, [Say(sentence('again', language), language)]
        instruction = Instruct(found.text, language)
        # Sentences of kimi hold the words of instructions and of answers: it may be an echo.
        sure = heard.confidence >= settings.accept and not found.corrected and not repeated
        if sure and (found.known or addressed):
            self._unsure = None
            return Outcome.INSTRUCTION, [instruction]
        self._unsure, self._unsure_until = instruction, now + settings.confirm_seconds
        return Outcome.READ_BACK, [Say(sentence('read_back', language, found.text), language, True)]


def _is_piece(heard: str, own: str) -> bool:
    """Whether a text is a sentence of one's own, or a long piece of it."""
    if len(heard) < (4 if language_of(heard) == 'zh' else 10):
        return heard == own
    if heard in own:
        return True
    matcher: difflib.SequenceMatcher[str] = difflib.SequenceMatcher(
        None, heard, own, autojunk=False
    )
    covered = sum(block.size for block in matcher.get_matching_blocks() if block.size > 2)
    return covered / len(heard) >= _ECHO
