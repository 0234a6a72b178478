#!/usr/bin/env python3
"""Turn commands of RoboCup@Home's generator into cases for `kimi eval reading`.

    git clone https://github.com/RoboCupAtHome/CommandGenerator
    scripts/reading_robocup.py CommandGenerator robocup.jsonl
    kimi eval reading --data robocup.jsonl

The commands are drawn by the clone's own code, with the names, rooms and things listed here; what
they ask for is read from their fixed forms. The robot cannot meet, talk or answer: a command with
such a clause must be refused or asked about.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import re
from pathlib import Path

from kimi_ros.eval.reading import Case

MODULE = 'src/robocupathome_generator/gpsr_commands.py'
NAMES = ['Adel', 'Jane', 'Morgan', 'Robin', 'Simone', 'Yuki']
ROOMS = ['bedroom', 'kitchen', 'office', 'living room', 'bathroom']
SURFACES = ['bedside table', 'dishwasher', 'sink', 'desk', 'cabinet', 'bookshelf', 'tv stand']
PLACES = [*SURFACES, 'armchair', 'entrance', 'refrigerator', 'waste basket', 'lamp']
THINGS = ['orange juice', 'sponge', 'tuna', 'soccer ball', 'cornflakes', 'bowl', 'dice', 'iced tea']
CATEGORIES = {'drinks': 'drink', 'snacks': 'snack', 'toys': 'toy', 'dishes': 'dish'}

_FIND = '(?:find|locate|look for)'
_GREET = '(?:greet|salute|say hello to|introduce yourself to)'
_GIVE = '(?:bring|give|deliver)'
_GUIDE = '(?:guide|escort|take|lead)'
_AT = '(?:in|at|on) the'
# Words without the start of another clause.
_WORDS = r'(?:(?! and | then )[a-z ])+?'
_REST = r'(?: (?:and|then) (?P<rest>.+))?'
# Skills, then the form of a clause; its groups are names in their order, `rest` the next clause.
# The first form that fits the whole text counts.
_FORMS = [
    (('answer',), r'tell me how many (?P<a>people) in the (?P<b>[a-z ]+) are wearing [a-z ]+'),
    (('answer',), rf'tell me how many (?P<a>.+?)(?: there are| are)? {_AT} (?P<b>[a-z ]+?)'),
    (('answer',), rf'tell me the (?:name|pose|gesture) of the (?P<a>person) {_AT} (?P<b>.+)'),
    (('answer',), rf'tell me what is the \w+est (?P<a>.+?) {_AT} (?P<b>.+)'),
    (('take', 'hand_over'), rf'{_GIVE} it to me'),
    (('take', 'hand_over'), rf'{_GIVE} me an? (?P<a>.+) from the .+'),
    (('take', 'deliver'), rf'{_GIVE} it to (?:the )?(?P<a>.+?) in the (?P<b>.+)'),
    (('take', 'place'), r'(?:put|place) it on the (?P<a>.+)'),
    (('go_to',), rf'(?:go|navigate) to the (?P<a>{_WORDS}){_REST}'),
    (('take',), rf'(?:take|get|grasp|fetch) it{_REST}'),
    (('take',), rf'(?:take|get|grasp|fetch) an? (?P<a>{_WORDS}) from the {_WORDS}{_REST}'),
    (('find',), rf'{_FIND} (?:an?|the) (?P<a>{_WORDS}) in the (?P<b>{_WORDS}){_REST}'),
    (('find',), rf'{_FIND} (?:an?|the) (?P<a>{_WORDS}){_REST}'),
    (('greet',), rf'{_GREET} (?:the )?(?P<a>{_WORDS}) in the (?P<b>{_WORDS}){_REST}'),
    (('follow',), r'follow them'),
    (('follow',), rf'follow the (?P<a>.+?) {_AT} (?P<b>.+)'),
    (('guide',), rf'{_GUIDE} them to the (?P<a>.+)'),
    (('guide',), rf'{_GUIDE} (?:the )?(?P<a>.+?) from the .+? to the (?P<b>.+)'),
]
# Verbs that no skill does.
_NO_SKILL = re.compile(
    r'\b(?:meet|answer)\b|\bsay (?!hello)|\btell (?!me (?:how|what is the \w+est|the))'
)
# Following somebody to a place: the skill takes no place, and to say so is as right as to follow.
_TO_A_PLACE = re.compile(r'\bfollow \w+ (?:from the .+ )?to the ')


def case(say: str) -> Case:
    """Return what a command asks for; ValueError where it has none of the known forms."""
    about = {'lang': 'en', 'say': say, 'catalogue': 'robocup'}
    if _NO_SKILL.search(say):
        return Case.from_dict(about | {'skills': [], 'outcome': 'no_skill'})
    if _TO_A_PLACE.search(say):
        first = re.sub(r' (?:and|then) follow .+|^follow .+', '', say)
        before = _read(first.lower())[0] if first else []
        return Case.from_dict(about | {'skills': [], 'also': [[*before, 'follow']]})
    skills, names = _read(say.lower())
    # What "bring it" needs is in the hand already.
    skills = [s for i, s in enumerate(skills) if s != 'take' or 'take' not in skills[:i]]
    right = about | {'skills': skills, 'names': names}
    return Case.from_dict(right | ({'relation': 'on'} if skills[-1] == 'place' else {}))


def _read(text: str) -> tuple[list[str], list[str]]:
    skills: list[str] = []
    names: list[str] = []
    rest: str | None = text
    while rest:
        for known, form in _FORMS:
            if match := re.fullmatch(form, rest):
                groups = match.groupdict()
                rest = groups.pop('rest', None)
                skills += known
                names += [name for name in groups.values() if name]
                break
        else:
            raise ValueError(f'{text!r}: no known form')
    return skills, names


def main() -> None:
    """Draw commands, each once, and write their cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'checkout', type=Path, help='a clone of github.com/RoboCupAtHome/CommandGenerator'
    )
    parser.add_argument('out', type=Path, help='the file of cases to write')
    parser.add_argument('--n', type=int, default=400, help='commands to draw (default: 400)')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    spec = importlib.util.spec_from_file_location('gpsr_commands', args.checkout / MODULE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    things = NAMES, PLACES, SURFACES, ROOMS, THINGS, list(CATEGORIES), list(CATEGORIES.values())
    generator = module.CommandGenerator(*things)
    random.seed(args.seed)
    drawn = dict.fromkeys(
        ' '.join(generator.generate_command_start().split()) for _ in range(args.n)
    )
    lines = [json.dumps(case(say).to_dict()) for say in drawn]
    args.out.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    print(f'{args.out}: {len(lines)} cases')


if __name__ == '__main__':
    main()
