"""A sentence while it is made: what it asks for, with marks instead of spans."""

from __future__ import annotations

from kimi_ros.reader.reading import Condition, Question, Reading, Span, Step, Value
from kimi_train.reader.language.example import Example
from kimi_train.reader.language.marks import strip

__all__ = ['Act', 'Draft']


class Act:
    """One skill that is asked for.

    :ivar family: whose words ask for it.
    :ivar verb: number of the mark around its verb; 0 for none.
    :ivar things: phrases by argument of the family.
    :ivar values: by argument, number of the mark around the words (0 for none) and the value.
    :ivar condition: a phrase and whether it must be in view, or None.
    """

    __slots__ = ('family', 'verb', 'things', 'values', 'relation', 'condition')

    def __init__(self, family, verb=0):
        self.family = family
        self.verb = verb
        self.things = {}
        self.values = {}
        self.relation = ''
        self.condition = None

    def same(self, verb: int = 0) -> Act:
        """Return another act of the same family: "and the plate"."""
        act = Act(self.family, verb or self.verb)
        act.things.update(self.things)
        act.values.update(self.values)
        act.relation = self.relation
        return act


class Draft:
    """What a sentence says so far.

    :ivar history: the instructions before it with their marks, the newest first.
    """

    __slots__ = ('text', 'history', 'acts', 'outcome', 'question', 'forbidden', 'left_out', 'verb')

    def __init__(self):
        self.text = ''
        self.history = ()
        self.acts = []
        self.outcome = ''
        self.question = None
        self.forbidden = []
        self.left_out = []
        self.verb = 0

    def example(self, lang, world, text=None) -> Example:
        """Return the example, once its words stand."""
        text, spans = strip(self.text if text is None else text)
        known = {number: Span(*span) for number, span in spans.items()}
        history = []
        for turn, said in enumerate(self.history, 1):
            said, spans = strip(said)
            history.append(said)
            for number, span in spans.items():
                known.setdefault(number, Span(*span, turn))
        outcome, verb, steps = self.outcome, self.verb, ()
        if not outcome:
            outcome, verb, steps = self._steps(world, known)
        question = None
        if self.question:
            kind, phrases = self.question
            question = Question(kind, tuple([p.thing(known) for p in phrases]))
        reading = Reading(
            outcome,
            steps,
            question,
            known[verb] if verb else None,
            tuple([p.thing(known) for p in self.forbidden]),
            tuple(sorted([known[n] for n in self.left_out if n in known], key=lambda s: s.start)),
        )
        return Example(lang, text, tuple(history), world.cards, reading)

    def _steps(self, world, known):
        steps = []
        for act in self.acts:
            name = world.resolve(act.family.name)
            if not name:
                return 'no_skill', act.verb, ()
            skill = world.skills[name]
            mapped = world.mapped(act.family.name, name)
            things = {}
            for slot, phrases in act.things.items():
                if slot in mapped:
                    things[skill.renamed[mapped[slot]]] = tuple([p.thing(known) for p in phrases])
            values = {}
            for slot, (number, value) in act.values.items():
                if slot in mapped:
                    values[skill.renamed[mapped[slot]]] = Value(
                        known[number] if number else None, value
                    )
            condition = None
            if act.condition:
                condition = Condition(act.condition[0].thing(known), act.condition[1])
            relation = act.relation if skill.placing & set(mapped.values()) else ''
            steps.append(
                Step(skill.card.name, known.get(act.verb), things, values, relation, condition)
            )
        return ('steps', 0, tuple(steps)) if steps else ('nothing', 0, ())
