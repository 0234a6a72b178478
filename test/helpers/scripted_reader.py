"""Readings of instructions, scripted by marking words instead of counting characters."""

from kimi_ros.reader import reading


class Script:
    """Makes what `kimi_ros.reader` returns for one instruction.

    Words are found in the instruction, or in the earlier one `turn` turns before it.
    """

    def __init__(self, text, *history):
        self.turns = [text, *reversed(history)]

    def span(self, words, turn=0, nth=0):
        start = -1
        for _ in range(nth + 1):
            start = self.turns[turn].index(words, start + 1)
        return reading.Span(start, start + len(words), turn)

    def thing(self, words, head=None, attributes=(), turn=0, order='', number='one',
              relation='', landmarks=()):  # fmt: skip
        return reading.Thing(
            words=self.span(words, turn),
            head=self.span(head or words.split()[-1], turn),
            attributes=tuple(self.span(a, turn) for a in attributes),
            order=self.span(order, turn) if order else None,
            number=number,
            relation=relation,
            landmarks=tuple(landmarks),
        )

    def step(self, skill, verb, things=None, values=None, relation='', condition=None, nth=0):
        return reading.Step(
            skill=skill,
            verb=self.span(verb, nth=nth) if verb else None,
            things={k: v if isinstance(v, tuple) else (v,) for k, v in (things or {}).items()},
            values={k: reading.Value(words=None, value=v) for k, v in (values or {}).items()},
            relation=relation,
            condition=condition,
        )

    def condition(self, thing, present=True):
        return reading.Condition(thing, present)

    def steps(self, *steps, forbidden=(), left_out=()):
        return self.reading('steps', steps=steps, forbidden=forbidden, left_out=left_out)

    def question(self, kind, *things):
        return self.reading('answer', question=reading.Question(kind, things))

    def reading(self, outcome, steps=(), question=None, verb='', forbidden=(), left_out=()):
        return reading.Reading(
            outcome=outcome,
            steps=tuple(steps),
            question=question,
            verb=self.span(verb) if verb else None,
            forbidden=tuple(forbidden),
            left_out=tuple(self.span(words) for words in left_out),
            confidence=1.0,
        )


class ScriptedReader:
    """Reads one reading out of every instruction, and remembers what it was asked."""

    def __init__(self, reading):
        self.reading = reading
        self.asked = []

    def read(self, instruction, skills, language='', history=()):
        self.asked.append((instruction, [s.name for s in skills], language, tuple(history)))
        return self.reading
