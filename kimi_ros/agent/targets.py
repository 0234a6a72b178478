"""The targets of a draft: the objects and free places that its references stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kimi_ros.agent import phrases
from kimi_ros.agent.checks import find_duplicate
from kimi_ros.agent.draft import DraftPlan, DraftStep
from kimi_ros.agent.frame import Frame
from kimi_ros.agent.grounding import Candidate
from kimi_ros.agent.perception import Detection, Perception, grounded_object
from kimi_ros.agent.places import Place, find_place
from kimi_ros.agent.plan import GroundedObject, Reason, Status
from kimi_ros.agent.references import Reference
from kimi_ros.agent.resolution import Resolution, Resolver, same_object
from kimi_ros.agent.skills import SkillCatalogue


@dataclass(frozen=True)
class Problem:
    """Why the references of a draft do not stand for one thing each.

    :ivar seen: the candidates to show.
    """

    status: Status
    reason: str
    say: str
    seen: tuple[Detection, ...] = ()
    options: tuple[str, ...] = ()


@dataclass
class Targets:
    """What references stand for, by their texts.

    :ivar found: (reference, candidates) of objects.
    :ivar places: (reference, place) of free places; their landmarks are among the objects.
    :ivar named: the texts that steps name; the others are landmarks of places.
    """

    found: dict[str, tuple[Reference, tuple[Candidate, ...]]] = field(default_factory=dict)
    places: dict[str, tuple[Reference, Place]] = field(default_factory=dict)

    def objects(
        self, perception: Perception, detections: Sequence[Detection]
    ) -> tuple[tuple[GroundedObject, ...], dict[str, tuple[str, ...]]]:
        """Return the plan's objects, and their ids by the references' texts."""
        objects: list[GroundedObject] = []
        ids: dict[str, tuple[str, ...]] = {}
        for detection in detections:
            objects.append(perception.object_of(f'o{len(objects) + 1}', detection))
            ids[detection.label] = (*ids.get(detection.label, ()), objects[-1].id)
        by_label = {d.label: d for d in detections}
        for text, (reference, place) in self.places.items():
            marks = [by_label[mark.text] for mark in reference.landmarks]
            weakest = min(marks, key=lambda d: d.score)
            spot = Candidate(place.point, None, weakest.candidate.score)
            detection = replace(weakest, label=text, candidate=spot)
            object_id = f'o{len(objects) + 1}'
            objects.append(grounded_object(object_id, detection, place.position))
            ids[text] = (object_id,)
        return tuple(objects), ids


class TargetFinder:
    """Finds the targets of a draft in one frame."""

    def __init__(
        self,
        resolver: Resolver,
        frame: Frame,
        skills: SkillCatalogue,
        language: str,
        taken: Sequence[tuple[float, float]] = (),
    ):
        """Take what is needed; `taken` is where things of the turn before are, in pixels."""
        self._taken = [Candidate(point, None, 1.0) for point in taken]
        self._resolver = resolver
        self._frame = frame
        self._skills = skills
        self._language = language

    def applicable(self, steps: Sequence[DraftStep]) -> tuple[tuple[DraftStep, ...], str]:
        """Return the steps whose conditions hold, and what is said where none is left."""
        kept, say = [], ''
        for step in steps:
            if step.condition is None:
                kept.append(step)
                continue
            reference = step.condition.reference
            present = self._resolver.is_present(reference)
            if present == step.condition.present:
                kept.append(step)
            else:
                key = 'condition_unmet_present' if present else 'condition_unmet_absent'
                say = self._say(key, phrases.the(reference.text, self._language))
        return tuple(kept), say

    def stands_there(self, draft: DraftPlan) -> bool:
        """Tell whether every reference is found where it says."""
        resolutions = [self._resolver.resolve(r) for r in draft.references(self._skills)]
        return all(r.candidates and r.supported for r in resolutions)

    def find(self, draft: DraftPlan) -> Targets | Problem:
        """Return the targets of all references, or the first problem with them."""
        targets, missing, unclear = Targets(), [], []
        references = list(dict.fromkeys(draft.references(self._skills)))
        for reference in references:
            for part in reference.landmarks if reference.is_place else (reference,):
                if part.text in targets.found:
                    continue
                resolution = self._resolver.resolve(part)
                candidates = _chosen(part, resolution, targets, self._taken)
                if not resolution.candidates:
                    missing.append(resolution.subject)
                elif candidates is None:
                    unclear.append((part, resolution))
                targets.found[part.text] = part, candidates or ()
        if missing:
            return self._not_visible(missing, targets)
        if unclear:
            return self.which(*unclear[0])
        pairs = [
            (text, candidates[0])
            for text, (_, candidates) in targets.found.items()
            if len(candidates) == 1
        ]
        if duplicate := find_duplicate(pairs):
            say = self._say('same_object', *duplicate)
            seen = tuple(Detection(*pair) for pair in pairs)
            return Problem(Status.NEEDS_CLARIFICATION, Reason.SAME_OBJECT, say, seen)
        return self._with_places(draft, targets)

    def which(self, reference: Reference, resolution: Resolution) -> Problem:
        """Return the question which of several candidates is meant."""
        name, candidates = resolution.subject.text, resolution.candidates
        points = [c.point for c in candidates]
        label = reference.without_place.text if resolution.disputed else name
        options = phrases.options(label, points, self._frame.size, self._language)
        separator = '，' if self._language == 'zh' else ', '
        key = 'disagree' if resolution.disputed else 'which'
        if reference.number.isdigit() and len(candidates) < int(reference.number):
            key = 'fewer'
        reason = Reason.DISAGREEMENT if resolution.disputed else Reason.AMBIGUOUS
        say = self._say(key, name, separator.join(options))
        seen = tuple(Detection(name, c) for c in candidates)
        return Problem(Status.NEEDS_CLARIFICATION, reason, say, seen, options)

    def _not_visible(self, missing: Sequence[Reference], targets: Targets) -> Problem:
        texts = dict.fromkeys(reference.text for reference in missing)
        named = [phrases.with_article(text, self._language) for text in texts]
        say = self._say('not_visible', phrases.join_alternatives(named, self._language))
        seen = [Detection(t, c) for t, (_, found) in targets.found.items() for c in found]
        return Problem(Status.INFEASIBLE, Reason.NOT_VISIBLE, say, tuple(seen))

    def _with_places(self, draft: DraftPlan, targets: Targets) -> Targets | Problem:
        """Add the free places that steps put something at."""
        known = [c for _, found in targets.found.values() for c in found]
        for step in draft.steps:
            references = step.references(self._skills[step.skill]).values()
            things = [r for r in references if not r.is_place]
            for reference in (r for r in references if r.is_place):
                if reference.text in targets.places:
                    continue
                marks = [targets.found[mark.text][1][0] for mark in reference.landmarks]
                thing = targets.found[things[0].text][1][0] if things else None
                obstacles = [c for c in known if c not in marks and c is not thing]
                place = find_place(self._frame, reference.relation, marks, thing, obstacles)
                if place is None:
                    say = self._say('no_free_place', reference.text)
                    seen = tuple(
                        Detection(m.text, targets.found[m.text][1][0]) for m in reference.landmarks
                    )
                    return Problem(Status.INFEASIBLE, Reason.NO_FREE_PLACE, say, seen)
                targets.places[reference.text] = reference, place
        return targets

    def _say(self, key: str, *values: object) -> str:
        return phrases.say(key, self._language, *values)


def _chosen(
    reference: Reference, resolution: Resolution, targets: Targets, before: Sequence[Candidate]
) -> tuple[Candidate, ...] | None:
    """Return the candidates that a reference's number means, None if that is not clear."""
    candidates = resolution.candidates
    if resolution.disputed or resolution.subject != reference:
        return None
    number = reference.number
    if number == 'all':
        return candidates
    if number == 'both' or number.isdigit():
        return candidates if len(candidates) == (2 if number == 'both' else int(number)) else None
    if number == 'other':
        taken = [c for _, found in targets.found.values() for c in found] or before
        rest = tuple(c for c in candidates if not any(same_object(c, t) for t in taken))
        # What was taken in the turn before may have left the view.
        is_clear = len(rest) < len(candidates) or taken is before and before
        return rest if len(rest) == 1 and is_clear else None
    return candidates if len(candidates) == 1 else None
