"""Names of scanned things in a view: what people say to mean some of them, or nothing there."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from kimi_ros.sim import COLORS
from kimi_ros.sim.referring_expression import SUPERLATIVES, ReferringExpression, related
from kimi_train.things.views import View, is_clear

KIND_SHARE = 0.2  # of names: what it is one of ("can"), where that has a name
COLOR_SHARE = 0.25
SUPERLATIVE_SHARE = 0.12
RELATION_SHARE = 0.15
_TRIES = 20
_NAMES = 4  # of a thing, tried until one means it alone


@dataclass(frozen=True)
class ThingExpression(ReferringExpression):
    """A name in one language that means some scanned things.

    :ivar word: the noun: 'can of soup'.
    :ivar ids: the things that it means; none for what was never taught.
    :ivar contains: whether other things are put into it.
    """

    word: str = ''
    ids: frozenset[str] = frozenset()
    contains: bool = False

    @property
    def is_container(self) -> bool:
        """Return whether things are put into it, and not onto it."""
        return self.contains

    def noun(self, language: str) -> str:
        """Return the word, which is in one language."""
        return self.word

    def plain(self, objects: Sequence) -> list[int]:
        """Return the places in `objects` of what word and colour mean, in their order."""
        return [
            i
            for i, o in enumerate(objects)
            if o.thing in self.ids
            and not o.distractor
            and is_clear(o)
            and self.color in ('', o.color)
        ]


class ExpressionSampler:
    """Draws names from a things file.

    :param things: `kimi_ros.sim.scans.Things`.
    """

    def __init__(self, things):
        self.things = things
        self._words = {
            language: sorted({n for t in things.all for n in things.names(t.id, language)})
            for language in ('en', 'zh')
        }

    def present(self, view: View, language: str, rng) -> ThingExpression | None:
        """Return a name of something that shows; None where nothing has an undoubted one."""
        for _ in range(_TRIES):
            known = [o for o in view.objects if is_clear(o) and not o.distractor]
            if not known:
                return None
            what = self._composed(_choose(known, rng), view, language, rng)
            if self.is_sure(what, view, language) and what.matches(view.objects):
                return what
        return None

    def absent(self, view: View, language: str, rng) -> ThingExpression:
        """Return a name of nothing that shows: known things, wrong colours, things never taught."""
        for _ in range(_TRIES):
            what = self._absent(view, language, rng)
            if self.is_sure(what, view, language) and not what.matches(view.objects):
                return what
        return ThingExpression(word=_choose(unknown_names()[language], rng))

    def any(self, view: View, language: str, rng, absent: float) -> ThingExpression:
        """Return a name of something that shows or, in a share of the cases, does not."""
        what = None if rng.random() < absent else self.present(view, language, rng)
        return what or self.absent(view, language, rng)

    def name_of(self, thing, language: str, rng) -> ThingExpression:
        """Return one of a thing's own names, or its kind's, the commonest most often."""
        known = self.things[thing.thing]
        own = known.names[language]
        kinds = self.things.kinds.get(known.kind, {}).get(language, ())
        if kinds and rng.random() < KIND_SHARE:
            word = _choose(kinds, rng)
        else:
            word = own[0] if rng.random() < 0.4 else _choose(own, rng)
        return self._meaning(word, language, contains=known.supports == 'in')

    def unique(self, view: View, language: str, rng) -> list[tuple[int, ThingExpression]]:
        """Return the objects that a name of their own means alone, with that name."""
        found = []
        for i, thing in enumerate(view.objects):
            if not is_clear(thing) or thing.distractor:
                continue
            for _ in range(_NAMES):
                what = self.name_of(thing, language, rng)
                if what.matches(view.objects) == [i] and self.is_sure(what, view, language):
                    found.append((i, what))
                    break
        return found

    def is_sure(self, what: ThingExpression, view: View, language: str) -> bool:
        """Return whether nobody would argue about what a name means here.

        What shows too little, a look-alike of that kind, a thing whose colour is disputed, make it
        doubtful.
        """
        parts = [what, what.other] if what.other else [what]
        for part in parts:
            for o in view.objects:
                meant = o.thing in part.ids and not o.distractor
                if meant and not is_clear(o) and part.color in ('', o.color):
                    return False
                if meant and part.color and not o.color:
                    return False
                kinds = self.things.kinds.get(o.kind, {}).get(language, ())
                if (o.distractor or not is_clear(o)) and part.word in kinds:
                    return False
        return what.is_clear_cut(view.objects)

    def _meaning(self, word: str, language: str, **more) -> ThingExpression:
        return ThingExpression(word=word, ids=self.things.meant_by(word, language), **more)

    def _composed(self, thing, view: View, language: str, rng) -> ThingExpression:
        what, draw = self.name_of(thing, language, rng), rng.random()
        if thing.color and rng.random() < COLOR_SHARE and thing.color not in what.word:
            what = replace(what, color=thing.color)
        if draw < SUPERLATIVE_SHARE and len(what.matches(view.objects)) > 1:
            # How large scanned things are is known, but two of a kind are seldom of two sizes.
            usable = list(SUPERLATIVES)[2:] if view.on_table else ['leftmost', 'rightmost']
            return replace(what, superlative=_choose(usable, rng))
        if draw > 1 - RELATION_SHARE:
            others = [(i, o) for i, o in self.unique(view, language, rng) if o.ids != what.ids]
            if others:
                place, other = _choose(others, rng)
                touching = [r for r in ('on', 'in') if related(thing, r, view.objects[place])]
                side = 'left' if related(thing, 'left', view.objects[place]) else 'right'
                return replace(what, relation=(touching or [side])[0], other=other)
        return what

    def _absent(self, view: View, language: str, rng) -> ThingExpression:
        draw = rng.random()
        if draw < 0.3:
            return ThingExpression(word=_choose(unknown_names()[language], rng))
        known = [o for o in view.objects if o.thing and is_clear(o)]
        if draw < 0.5 and known:  # the right thing in the wrong colour
            thing = _choose(known, rng)
            if thing.color:
                what = self.name_of(thing, language, rng)
                return replace(what, color=_choose([c for c in COLORS if c != thing.color], rng))
        if draw < 0.75 and known:  # another thing of the same kind
            kind = _choose(known, rng).kind
            alike = [t for t in self.things.all if t.kind == kind]
            return self._meaning(_choose(_choose(alike, rng).names[language], rng), language)
        return self._meaning(_choose(self._words[language], rng), language)


@functools.cache
def unknown_names() -> dict[str, tuple[str, ...]]:
    """Return names of what nobody taught, by language."""
    text = Path(__file__).with_name('unknown_names.yaml').read_text(encoding='utf-8')
    return {language: tuple(names) for language, names in yaml.safe_load(text).items()}


def _choose(options: Sequence, rng):
    return options[int(rng.integers(len(options)))]
