"""One frame as the vision-language model sees it: every question about it in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

import numpy as np

from kimi_ros.agent.answers import Verdict
from kimi_ros.agent.checks import REJECTION_PENALTY, verify_object
from kimi_ros.agent.frame import Frame
from kimi_ros.agent.geometry import Position, estimate_position
from kimi_ros.agent.grounding import Candidate, detected, ground
from kimi_ros.agent.naming import Naming
from kimi_ros.agent.plan import GroundedObject
from kimi_ros.agent.references import Reference
from kimi_ros.agent.vlm_protocol import Vlm

MAX_ANSWER_TOKENS = 256


@dataclass(frozen=True)
class Detection:
    """A candidate for a reference, with what the verification said of it.

    :ivar label: what a plan calls it.
    """

    label: str
    candidate: Candidate
    verdict: Verdict = Verdict.UNCLEAR

    @property
    def verified(self) -> bool:
        """Tell whether the verification confirmed it."""
        return self.verdict is Verdict.YES

    @property
    def score(self) -> float:
        """Return the candidate's score, lowered if the verification rejected it."""
        penalty = REJECTION_PENALTY if self.verdict is Verdict.NO else 1.0
        return self.candidate.score * penalty


class Perception:
    """Grounds, verifies and describes what one frame shows; nothing is asked twice."""

    def __init__(
        self, vlm: Vlm, frame: Frame, naming: Naming | None = None, cancel: Event | None = None
    ):
        """Encode the frame's image."""
        self.frame = frame
        self.naming = naming or Naming()
        self.image = vlm.encode_image(frame.rgb, cancel=cancel)
        self._vlm = vlm
        self._cancel = cancel
        self._found: dict[str, list[Candidate]] = {}
        self._boxed: dict[str, list[Candidate]] = {}
        self._verdicts: dict[tuple[str, Candidate], Verdict] = {}

    def find(self, name: str) -> list[Candidate]:
        """Return the candidates for a name in the model's own words, from left to right.

        One that only a box or only a point supports counts unless the verification rejects it: two
        of three tests must agree.
        """
        if name not in self._found:
            candidates = ground(self._vlm, self.image, name, self.frame.size, cancel=self._cancel)
            self._found[name] = [
                c for c in candidates if c.agreed or self._verify(name, c) is not Verdict.NO
            ]
        return self._found[name]

    def boxes(self, name: str) -> list[Candidate]:
        """Return what the detector alone finds under a name, without verification."""
        if name not in self._boxed:
            self._boxed[name] = detected(
                self._vlm, self.image, name, self.frame.size, cancel=self._cancel
            )
        return self._boxed[name]

    def detect(self, reference: Reference, candidate: Candidate) -> Detection:
        """Return the candidate after its verification: is it what the reference says?"""
        name = self.naming.phrase(reference) if self.naming.taught else self.naming.name(reference)
        return Detection(reference.text, candidate, self._verify(name, candidate))

    def ask(self, question: str, max_tokens: int = MAX_ANSWER_TOKENS) -> str:
        """Return the model's answer to a question about the image."""
        answer = self._vlm.query(self.image, question, max_tokens=max_tokens, cancel=self._cancel)
        return str(answer.text).strip()

    def answer(
        self, question: str, prefix: str = '', on_text: Callable[[str], None] | None = None
    ) -> str:
        """Return the model's answer to a question, after `prefix`.

        :param on_text: called with the text so far, each time that there is more of it.
        """
        if on_text is None:
            return prefix + self.ask(question)
        text = ''
        for piece in self._vlm.query(
            self.image, question, max_tokens=MAX_ANSWER_TOKENS, stream=True, cancel=self._cancel
        ):
            text += piece
            on_text((prefix + text).rstrip())
        return (prefix + text).strip()

    def object_of(self, object_id: str, detection: Detection) -> GroundedObject:
        """Return a detection as an object, with its position in metres."""
        candidate = detection.candidate
        position = estimate_position(self.frame, candidate.point, candidate.box)
        return grounded_object(object_id, detection, position)

    def _verify(self, name: str, candidate: Candidate) -> Verdict:
        key = name, candidate
        if key not in self._verdicts:
            self._verdicts[key] = verify_object(
                self._vlm, self.image, name, candidate, self.frame.size, cancel=self._cancel
            )
        return self._verdicts[key]


def grounded_object(object_id: str, detection: Detection, position: Position) -> GroundedObject:
    """Return an object of a plan."""
    return GroundedObject(
        id=object_id,
        label=detection.label,
        # The message holds float32: a subscriber must compute the same hash.
        score=float(np.float32(detection.score)),
        verified=detection.verified,
        point=detection.candidate.point,
        box=detection.candidate.box,
        position=position.xyz,
        position_frame=position.frame,
        covariance=position.covariance,
        depth_status=position.status,
    )
