#!/usr/bin/env python3
"""Turn CALVIN's annotations into cases for `kimi eval reading`.

    git clone https://github.com/mees/calvin
    scripts/reading_calvin.py calvin calvin.jsonl
    kimi eval reading --data calvin.jsonl

Each sentence is asked of a robot with CALVIN's skills; those about lamps and rotating are asked
once more of one without, which must refuse.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from kimi_ros.eval.reading import Case

FOLDER = 'calvin_models/conf/annotations'
FILES = ('new_playtable.yaml', 'new_playtable_validation.yaml')
_BLOCK = re.compile(r'(rotate|push|lift)_(red|blue|pink)_block_(\w+)')
_SLIDER = re.compile(r'move_slider_(left|right)')
_LIGHT = re.compile(r'(turn_on|turn_off)_(?:lightbulb|led)')
_LAMP = re.compile(r'turn (?:on|off) the (.+)')


def cases(task: str, say: str) -> Iterator[dict]:
    """Yield what a sentence asks for; `task` is CALVIN's name of what it describes."""
    if match := _BLOCK.fullmatch(task):
        skill, colour, side = match.groups()
        names = [f'{colour} block']
        if skill == 'lift':
            yield {'skills': ['lift'], 'names': names}
            return
        right = {'skills': [skill], 'names': names, 'values': {'direction': side}}
        if re.match('grasp|take', say):
            right['also'] = [['lift', skill]]
        yield right
        if skill == 'rotate' and re.match('rotate|turn', say):
            yield _refused()
    elif match := _SLIDER.fullmatch(task):
        yield {'skills': ['push'], 'names': ['door'], 'values': {'direction': match[1]}}
    elif task in ('open_drawer', 'close_drawer'):
        yield {'skills': [task.split('_')[0]], 'names': ['drawer']}
    elif task in ('place_in_slider', 'place_in_drawer'):
        # "place in slider", "put it in the slider": what, only the robot's hand knows.
        unnamed = not re.search('block|object', say)
        where = re.search('slider|sliding cabinet|cabinet|drawer', say)[0]
        inside = {} if re.match('move|go', say) else {'relation': 'in'}
        yield {'skills': ['place'], 'names': [where]} | inside | ({'also': [[]]} if unnamed else {})
    elif task == 'push_into_drawer':
        yield {'skills': ['push_into'], 'names': ['drawer']}
    elif task == 'stack_block':
        yield {'skills': ['stack'], 'names': ['block' if 'block' in say else 'object']} | (
            {'also': [['place']]} if re.match('place|put', say) else {}
        )
    elif task == 'unstack_block':
        lifts = re.search('take off|remove', say)
        yield {'skills': []} | ({'also': [['lift']]} if lifts else {'outcome': 'no_skill'})
    elif match := _LIGHT.fullmatch(task):
        lamp = _LAMP.search(say)
        if lamp is None:  # "move up the switch"
            yield {'skills': [], 'also': [[match[1]]]}
            return
        yield {'skills': [match[1]], 'names': [lamp[1]]}
        if say.startswith('turn'):
            yield _refused()
    else:
        raise ValueError(f'{task}: no such task is known of CALVIN')


def _refused() -> dict:
    return {'skills': [], 'outcome': 'no_skill', 'catalogue': 'calvin_blocks'}


def main() -> None:
    """Write the cases of both files of annotations, each sentence once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkout', type=Path, help='a clone of github.com/mees/calvin')
    parser.add_argument('out', type=Path, help='the file of cases to write')
    args = parser.parse_args()
    written: dict[tuple, Case] = {}
    for name in FILES:
        path = args.checkout / FOLDER / name
        for task, sentences in yaml.safe_load(path.read_text(encoding='utf-8')).items():
            for say in sentences:
                for right in cases(task, say.lower()):
                    case = Case.from_dict({'lang': 'en', 'say': say, 'catalogue': 'calvin'} | right)
                    written.setdefault((case.say, case.catalogue), case)
    lines = [json.dumps(c.to_dict(), ensure_ascii=False) for c in written.values()]
    args.out.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    print(f'{args.out}: {len(lines)} cases')


if __name__ == '__main__':
    main()
