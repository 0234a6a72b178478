"""An instruction under construction, with its annotation: span markers instead of offsets."""

from __future__ import annotations

from kimi_ros.reader.reading import Condition, Question, Reading, Span, Step, Value
from kimi_train.reader.language.example import Example
from kimi_train.reader.language.span_markers import extract_spans

__all__ = ['SkillCall', 'AnnotatedInstruction']


class SkillCall:
    """A request for one skill.

    :ivar family: the `SkillFamily` whose templates were used.
    :ivar verb: number of the verb's span; 0 for none.
    :ivar phrases: noun phrases by argument of the family.
    :ivar values: by argument, the number of the value's span (0 for none) and the value.
    :ivar relation: of the place argument to its landmark; '' for none.
    :ivar condition: a phrase and whether it must be in view, or None.
    """

    __slots__ = ('family', 'verb', 'phrases', 'values', 'relation', 'condition')

    def __init__(self, family, verb=0):
        self.family = family
        self.verb = verb
        self.phrases = {}
        self.values = {}
        self.relation = ''
        self.condition = None

    def copy(self, verb: int = 0) -> SkillCall:
        """Return another call of the same family: "and the plate"."""
        call = SkillCall(self.family, verb or self.verb)
        call.phrases.update(self.phrases)
        call.values.update(self.values)
        call.relation = self.relation
        return call


class AnnotatedInstruction:
    """An instruction with its annotation so far.

    :ivar text: with span markers.
    :ivar history: the instructions before it with their markers, the newest first.
    :ivar calls: the `SkillCall`s in order of execution.
    :ivar outcome: as `Reading.outcome`; '' if the calls decide it.
    :ivar question: kind and phrases of a question, or None.
    :ivar forbidden: phrases that must not be touched.
    :ivar left_out: numbers of the spans that no skill takes.
    :ivar verb: number of the verb's span if the outcome is 'no_skill'.
    """

    __slots__ = ('text', 'history', 'calls', 'outcome', 'question', 'forbidden', 'left_out', 'verb')

    def __init__(self):
        self.text = ''
        self.history = ()
        self.calls = []
        self.outcome = ''
        self.question = None
        self.forbidden = []
        self.left_out = []
        self.verb = 0

    def to_example(self, lang, catalogue, text=None) -> Example:
        """Return the finished example, with character offsets."""
        text, spans = extract_spans(self.text if text is None else text)
        known = {number: Span(*span) for number, span in spans.items()}
        history = []
        for turn, wording in enumerate(self.history, 1):
            wording, spans = extract_spans(wording)
            history.append(wording)
            for number, span in spans.items():
                known.setdefault(number, Span(*span, turn))
        outcome, verb, steps = self.outcome, self.verb, ()
        if not outcome:
            outcome, verb, steps = self._steps(catalogue, known)
        question = None
        if self.question:
            kind, phrases = self.question
            question = Question(kind, tuple([p.to_thing(known) for p in phrases]))
        reading = Reading(
            outcome,
            steps,
            question,
            known[verb] if verb else None,
            tuple([p.to_thing(known) for p in self.forbidden]),
            tuple(sorted([known[n] for n in self.left_out if n in known], key=lambda s: s.start)),
        )
        return Example(lang, text, tuple(history), catalogue.cards, reading)

    def _steps(self, catalogue, known):
        steps = []
        for call in self.calls:
            name = catalogue.resolve(call.family.name)
            if not name:
                return 'no_skill', call.verb, ()
            skill = catalogue.skills[name]
            argument_map = catalogue.argument_map(call.family.name, name)
            things = {}
            for slot, phrases in call.phrases.items():
                if slot in argument_map:
                    things[skill.argument_names[argument_map[slot]]] = tuple(
                        [p.to_thing(known) for p in phrases]
                    )
            values = {}
            for slot, (number, value) in call.values.items():
                if slot in argument_map:
                    values[skill.argument_names[argument_map[slot]]] = Value(
                        known[number] if number else None, value
                    )
            condition = None
            if call.condition:
                condition = Condition(call.condition[0].to_thing(known), call.condition[1])
            relation = call.relation if skill.place_arguments & set(argument_map.values()) else ''
            steps.append(
                Step(skill.card.name, known.get(call.verb), things, values, relation, condition)
            )
        return ('steps', 0, tuple(steps)) if steps else ('nothing', 0, ())
