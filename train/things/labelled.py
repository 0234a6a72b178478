"""Drawn pictures as data for `kimi eval photos`: names, boxes, and what is not there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.sim.scans import ScanDataset
from kimi_train.things.expressions import ExpressionSampler
from kimi_train.things.views import plain_view

# Of what nobody taught, and no training asks for (`unknown_names.yaml`).
HELD_OUT = (
    ('giraffe', '长颈鹿'), ('kangaroo', '袋鼠'), ('octopus', '章鱼'), ('camel', '骆驼'),
    ('saxophone', '萨克斯管'), ('parachute', '降落伞'), ('fireplace', '壁炉'), ('saddle', '马鞍'),
    ('tambourine', '铃鼓'), ('wheel', '车轮'), ('chandelier', '吊灯'), ('mailbox', '邮筒'),
    ('scooter', '踏板车'), ('binoculars', '双筒镜'), ('artichoke', '洋蓟'), ('doorknob', '门把手'),
)  # fmt: skip
_SIZE = 384  # of views, in which it is decided what shows enough


def write_labelled(dataset: ScanDataset, out: Path, pictures: int, seed: int = 0) -> int:
    """Write pictures and things.jsonl into a folder; returns the number of lines.

    Every thing that shows clearly, and of which there is one, is asked for by one of its names; as
    often by the name of something else: half of those are things of the dataset.
    """
    rng, sampler = np.random.default_rng(seed), ExpressionSampler(dataset.things)
    (out / 'images').mkdir(parents=True, exist_ok=True)
    lines = []
    for index in range(min(pictures, len(dataset))):
        picture = dataset[index]
        name = f'images/{picture.seed:07d}.png'
        Image.fromarray(picture.rgb).save(out / name)
        view = plain_view(picture, _SIZE, 16)
        alone = [dict(sampler.unique(view, language, rng)) for language in ('en', 'zh')]
        for place in sorted(alone[0].keys() & alone[1].keys()):
            words = {'en': alone[0][place].word, 'zh': alone[1][place].word}
            lines.append({'image': name, 'object': words, 'box': list(view.objects[place].box)})
            missing = _missing(view, sampler, rng)
            lines.append({'image': name, 'object': missing, 'absent': True})
    text = '\n'.join(json.dumps(line, ensure_ascii=False) for line in lines)
    (out / 'things.jsonl').write_text(text + '\n', encoding='utf-8')
    return len(lines)


def _missing(view, sampler: ExpressionSampler, rng) -> dict[str, str]:
    """Return a name in both languages of something that does not show."""
    there = {thing.thing for thing in view.objects}
    kinds = {thing.kind for thing in view.objects}
    others = [
        t
        for t in sampler.things.all
        if t.id not in there
        and t.kind not in kinds
        and not any(sampler.things.meant_by(t.names[ln][0], ln) & there for ln in ('en', 'zh'))
    ]
    if others and rng.random() < 0.5:
        names = others[int(rng.integers(len(others)))].names
        return {language: names[language][0] for language in ('en', 'zh')}
    en, zh = HELD_OUT[int(rng.integers(len(HELD_OUT)))]
    return {'en': en, 'zh': zh}
