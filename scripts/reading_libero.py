#!/usr/bin/env python3
"""Turn the task names of four suites of LIBERO into cases for `kimi eval reading`.

git clone https://github.com/Lifelong-Robot-Learning/LIBERO
scripts/reading_libero.py LIBERO libero.jsonl
kimi eval reading --data libero.jsonl

The suite libero_90 is left alone.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from kimi_ros.eval.reading import Case

SUITES = ('libero_spatial', 'libero_object', 'libero_goal', 'libero_10')
_RELATIONS = {
    'on top of': 'on',
    'on': 'on',
    'in': 'in',
    'to the right of': 'right_of',
    'to the front of': 'in_front_of',
}
_VERBS = '(?:pick up|place|put|open|close|turn on|push)'
_WHERE = f'(?P<where>{"|".join(sorted(_RELATIONS, key=len, reverse=True))})'
# What is said of where an object to pick up stands.
_STANDS = re.compile(r' (?:between|next to|from|in|on) .+')


def case(say: str) -> Case:
    """Return what a task asks for; ValueError where it has none of the known forms."""
    skills: list[str] = []
    names: list[str] = []
    right: dict = {'lang': 'en', 'say': say, 'catalogue': 'libero'}
    for clause in re.split(rf' and (?={_VERBS} )', say):
        verb, rest = re.fullmatch(rf'({_VERBS}) (.+)', clause).groups()
        if verb in ('open', 'close', 'turn on'):
            skills.append(verb.replace(' ', '_'))
            names += [] if rest == 'it' else [rest.removeprefix('the ')]
        elif verb == 'pick up':
            skills.append('pick')
            names.append(_STANDS.sub('', rest).removeprefix('the '))
        elif match := re.fullmatch('the (.+) inside', rest):
            skills += ['pick', 'place']
            names.append(match[1])
            right['relation'] = 'in'
        else:
            match = re.fullmatch(rf'(?P<what>.+?) {_WHERE} (?:the )?(?P<target>.+)', rest)
            if match is None:
                raise ValueError(f'{say!r}: no known form')
            right['relation'] = _RELATIONS[match['where']]
            target = [] if match['target'] == 'it' else [match['target']]
            if verb == 'push':
                skills.append('push')
                names += [match['what'].removeprefix('the '), *target]
                continue
            for what in re.sub('^(?:both )?(?:the )?', '', match['what']).split(' and the '):
                # What "place it" needs is in the hand already.
                skills += ['place'] if what == 'it' else ['pick', 'place']
                names += [] if what == 'it' else [what]
            names += target
    return Case.from_dict(right | {'skills': skills, 'names': names})


def main() -> None:
    """Write the cases of the suites' tasks, each once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'checkout', type=Path, help='a clone of github.com/Lifelong-Robot-Learning/LIBERO'
    )
    parser.add_argument('out', type=Path, help='the file of cases to write')
    args = parser.parse_args()
    tasks: dict[str, None] = {}
    for suite in SUITES:
        folder = args.checkout / 'libero/libero/bddl_files' / suite
        for path in sorted(folder.glob('*.bddl')):
            tasks[re.sub('^[A-Z_]+SCENE[0-9]+_', '', path.stem).replace('_', ' ')] = None
    if not tasks:
        raise SystemExit(f'{args.checkout}: no tasks in libero/libero/bddl_files')
    lines = [json.dumps(case(say).to_dict()) for say in tasks]
    args.out.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    print(f'{args.out}: {len(lines)} cases')


if __name__ == '__main__':
    main()
