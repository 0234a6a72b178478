"""Synthetic training data: instructions to robots in English and Chinese, with their readings.

`generate` samples a skill catalogue from the corpus (`train/reader/data`) and instructions for it.
Every name in a reading is a span of the instruction. Annotation guidelines:

- **Steps** are what was asked for, without preconditions: "put the cup on the plate" is `place`
  alone. Pronouns are resolved to the span of their antecedent, which may be in an earlier turn.
- **Skills.** A verb that names a skill of the catalogue, or is used in its templates, selects that
  skill. Verbs of transfer (bring, give, hand, pass) select the skill that hands over, else `pick`;
  verbs of placing (put, drop, throw, tidy into) the skill of that name, else `place`. A verb that
  no skill covers makes the reading `no_skill`, even if it is only one of several clauses.
- **Coordination.** Two objects of one verb are two steps; "all the cups" is one with number 'all'.
- **Negation.** "A, not B", "don't touch B", "anything but B": B is forbidden and not a step. A bare
  prohibition, small talk and a cancelled request are `nothing`, and so is what somebody else does:
  "I'll wash the cup myself". Who or what cannot be known ("the whatsit") makes it `unclear`.
- **Corrections, order, conditions.** The last correction counts. Steps are listed in the order of
  execution. "If you see B" is a condition of the steps after it; an else clause is left out.
- **Questions** are `answer`, except "where is the cup" if a skill locates objects and "what do you
  see" if one describes the view: these are steps.
- **Phrases** are annotated without articles, possessives, demonstratives and quantifiers: "all the
  red cups" is "red cups", 'all'. Modifiers stay inside: "cup left of the kettle", "cup, the one
  beside the kettle", "cup from the shelf" (relation `on`), "top shelf of the cabinet" (`part_of`).
  If the relation is not adjacent, `words` is the phrase alone: "is the cup on the table". In "the
  red and the blue cup" the first phrase is "red" and shares the head "cup" with the second.
- **Order.** A side of the view without a landmark ("the cup on the left", "closest to me") is the
  order of its phrase; in Chinese an order keeps its 的.
- **Left out**, and reported to the user: manner, time and people that no argument takes, conditions
  that an image cannot answer, places named by what is there ("where the plate is"). Reasons,
  politeness and fillers are not reported.
"""

from kimi_train.reader.language.example import Argument, Example, SkillCard
from kimi_train.reader.language.generate import generate

__all__ = ['Argument', 'Example', 'SkillCard', 'generate']
