"""The words of `phrasings` are in nothing that a model is taught from."""

import re
from pathlib import Path

import pytest

from kimi_ros.eval.phrasings import phrasings
from kimi_ros.sim import language as taught
from kimi_ros.sim.language import LANGUAGES
from kimi_ros.sim.tasks import SKILLS

ROOT = Path(__file__).parents[2]
TAUGHT = {
    'locate': taught.LOCATE,
    'pick': taught.PICK,
    'place': taught.PLACE,
    'describe': taught.DESCRIBE,
}
FILLED = {
    'en': {'object': 'the red cup', 'target': 'the blue box', 'where': 'in'},
    'zh': {'object': '红色的杯子', 'target': '蓝色的盒子', 'where': '里'},
}
CASES = [
    (language, template)
    for skill in SKILLS
    for language in LANGUAGES
    for template in phrasings()[skill][language]
]


def plain(text):
    return ''.join(re.findall(r'\w+', text.lower()))


@pytest.fixture(scope='module')
def training_text():
    files = [ROOT / 'kimi_ros/agent/prompts.py', *sorted((ROOT / 'kimi_ros/sim').rglob('*.py'))]
    files += sorted(p for p in (ROOT / 'train').rglob('*') if p.suffix in ('.py', '.yaml', '.txt'))
    return plain('\n'.join(file.read_text(encoding='utf-8') for file in files))


@pytest.mark.parametrize('language, template', CASES)
def test_no_phrasing_is_in_the_training_text(language, template, training_text):
    fixed = plain(re.sub(r'\{\w+\}', '', template))
    assert fixed and plain(template) not in training_text and fixed not in training_text
    filled = template.format(**FILLED[language])
    for templates in TAUGHT.values():
        for known in templates[language]:
            parts = re.split(r'\{\d?\}', known)
            assert not re.fullmatch('.+'.join(map(re.escape, parts)), filled), known
