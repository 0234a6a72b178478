"""Generated instructions to robots, English and Chinese, each with what it says.

`generate` draws a catalogue from the corpus of skills (`train/reader/data`) and instructions under
it; every name in a reading is a span of the instruction. What a reading holds follows these rules:

- It says what was asked, not what is needed before: "put the cup on the plate" is place alone.
  Pronouns stand for the thing they mean, at the place where it was named, also a turn before.
- A verb that a skill of the catalogue is called, or asked with, goes to that skill. Fetching words
  (bring, give, hand, pass) go to the skill that hands over, else to pick; words of putting (put,
  drop, throw, tidy into) to the skill that has their name, else to place. What no skill does is
  `no_skill` with its verb, also when it is one clause of several.
- Two things under one verb are two steps; "all the cups" is one, with the number 'all'.
- "A, not B", "don't touch B", "anything but B": B is forbidden and no step. Nothing but that, small
  talk and requests taken back are `nothing`. Of a correction the later counts. Words of time put
  steps in order. "If you see B" is a condition of the steps behind it; an else is left out.
- Questions are `answer`, but where a skill finds things, "where is the cup" asks for it, and where
  one describes the view, "what do you see" does.
- A phrase is told without articles, possessives, demonstratives and numbers: "all the red cups" is
  "red cups", 'all'. What belongs to it stays inside: "cup left of the kettle", "cup, the one beside
  the kettle", "cup from the shelf" (which is on it), "top shelf of the cabinet" (`part_of`).
  Where relation and phrase stand apart, `words` is the phrase alone: "is the cup on the table".
  "The red and the blue cup": `words` of the first is "red", its head is the "cup" of the second.
- A side of the view without landmark ("the cup on the left", "closest to me", "second from the
  left" in part) is the order of the thing; in Chinese an order keeps its 的.
- Left out, to be told back: manner, time and persons that no argument takes, conditions that no
  view settles, places told by what lies there ("where the plate is"). Reasons, politeness and
  fillers are not.
"""

from kimi_train.reader.language.example import Argument, Example, SkillCard
from kimi_train.reader.language.generate import generate

__all__ = ['Argument', 'Example', 'SkillCard', 'generate']
