"""What the model and the tracker give, and what comes of it: shared by guidance and narration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.assist.tracker import Box


@dataclass(frozen=True)
class Located:
    """One place where the model sees something.

    :ivar name: that it was asked for.
    :ivar box: pixels.
    :ivar score: 0 to 1.
    :ivar verified: the model confirmed the name.
    """

    name: str
    box: Box
    score: float
    verified: bool = True


@dataclass(frozen=True)
class Thing:
    """Something that is followed in the newest image.

    :ivar id: the same for as long as it is followed.
    :ivar label: in the language that is spoken.
    :ivar xyz: (3,) metres in the optical frame, None without valid depth.
    """

    id: str
    label: str
    box: Box
    xyz: np.ndarray | None = None


@dataclass(frozen=True)
class Sight:
    """What one image gave.

    :ivar say: a sentence, '' to stay silent.
    :ivar urgent: a hazard: it interrupts what is being said.
    :ivar state: for people and programs: 'guiding', 'lost', ...
    :ivar done: nothing more will come.
    """

    say: str = ''
    urgent: bool = False
    state: str = ''
    things: tuple[Thing, ...] = ()
    done: bool = False


class Session(Protocol):
    """Guidance to one thing, or narration: gets every image and every answer of the model."""

    @property
    def names(self) -> Sequence[str]:
        """What the model is to be asked for next."""

    def see(self, frame: Frame, now: float) -> Sight:
        """Take the next image.

        :param now: monotonic seconds.
        """

    def should_locate(self, now: float) -> bool:
        """Whether the model is to be asked now; not while it is."""

    def located(self, found: Sequence[Located], stamp: float, now: float) -> None:
        """Take the model's answer.

        :param found: () where it sees nothing of the kind.
        :param stamp: of the image that it saw, seconds.
        """

    def failed(self, now: float) -> None:
        """Take note that the model gave no answer, which does not mean that it sees nothing.

        :param now: monotonic seconds.
        """
