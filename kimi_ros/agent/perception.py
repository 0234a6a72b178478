"""One frame as the vision-language model sees it: every question about it in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

import numpy as np

from kimi_ros.agent.answers import Verdict
from kimi_ros.agent.checks import REJECTION_PENALTY, verify_object
from kimi_ros.agent.frame import Frame
from kimi_ros.agent.geometry import estimate_position
from kimi_ros.agent.grounding import Candidate, ground
from kimi_ros.agent.plan import GroundedObject
from kimi_ros.agent.vlm_protocol import Vlm

MAX_ANSWER_TOKENS = 256


@dataclass(frozen=True)
class Detection:
    """A candidate for a name, with what the verification said of it.

    :ivar score: of the candidate, lowered where the verification rejected it.
    """

    name: str
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
    """Grounds, verifies and describes what one frame shows; each candidate is verified once."""

    def __init__(self, vlm: Vlm, frame: Frame, cancel: Event | None = None):
        """Encode the frame's image."""
        self.frame = frame
        self.image = vlm.encode_image(frame.rgb, cancel=cancel)
        self._vlm = vlm
        self._cancel = cancel
        self._verdicts: dict[tuple[str, Candidate], Verdict] = {}

    def find(self, name: str) -> list[Candidate]:
        """Return the candidates for a name, from left to right.

        One that only a box or only a point supports counts unless the verification rejects it: two
        of three tests must agree.
        """
        candidates = ground(self._vlm, self.image, name, self.frame.size, cancel=self._cancel)
        return [c for c in candidates if c.agreed or self.verify(name, c) is not Verdict.NO]

    def verify(self, name: str, candidate: Candidate) -> Verdict:
        """Return whether the candidate is what the name says."""
        key = name, candidate
        if key not in self._verdicts:
            self._verdicts[key] = verify_object(
                self._vlm, self.image, name, candidate, self.frame.size, cancel=self._cancel
            )
        return self._verdicts[key]

    def answer(
        self, question: str, prefix: str = '', on_text: Callable[[str], None] | None = None
    ) -> str:
        """Return the model's answer to a question, after `prefix`.

        :param on_text: called with the text so far, each time that there is more of it.
        """
        arguments = {'max_tokens': MAX_ANSWER_TOKENS, 'cancel': self._cancel}
        if on_text is None:
            return prefix + self._vlm.query(self.image, question, **arguments).text.strip()
        text = ''
        for piece in self._vlm.query(self.image, question, stream=True, **arguments):
            text += piece
            on_text((prefix + text).rstrip())
        return (prefix + text).strip()

    def objects(self, detections: Sequence[Detection]) -> tuple[GroundedObject, ...]:
        """Return the detections as objects with ids ('o1', 'o2', ...) and positions in metres."""
        return tuple(self._object(f'o{n}', d) for n, d in enumerate(detections, 1))

    def _object(self, object_id: str, detection: Detection) -> GroundedObject:
        candidate = detection.candidate
        position = estimate_position(self.frame, candidate.point, candidate.box)
        return GroundedObject(
            id=object_id,
            label=detection.name,
            # The message holds float32: a subscriber must compute the same hash.
            score=float(np.float32(detection.score)),
            verified=detection.verified,
            point=candidate.point,
            box=candidate.box,
            position=position.xyz,
            position_frame=position.frame,
            covariance=position.covariance,
            depth_status=position.status,
        )
