"""The words of `phrasings` are in nothing that a model is taught from."""

import functools
import re
from pathlib import Path

import pytest

from kimi_ros.eval.phrasings import phrasings
from kimi_ros.sim.language import LANGUAGES, requests
from kimi_ros.sim.tasks import SKILLS

ROOT = Path(__file__).parents[2]
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
TRAINING_SKILLS = {
    language: [line for skill in SKILLS for line in requests()[skill][language]]
    for language in LANGUAGES
}


def plain(text, language='zh'):
    return (' ' if language == 'en' else '').join(re.findall(r'\w+', text.lower()))


@functools.cache
def spanning(known, language):
    """What a taught template makes when its blanks hold more than a name.

    {object} must still hold the line's object, and {target} its target: 'I need {object}' spans 'I
    need the red cup in your gripper', while 'give me {object}' does not span 'give me an overview'.
    """
    pattern = re.escape(plain(re.sub(r'\{(\w+)\}', r' blank\1 ', known), language))
    for blank, words in FILLED[language].items():
        inside = plain(words, language)
        edge = r'(?:.* )?', r'(?: .*)?'
        edge = edge if language == 'en' else ('.*', '.*')
        pattern = pattern.replace(f'blank{blank}', f'{edge[0]}{inside}{edge[1]}')
    return re.compile(pattern.replace(r'\ ', ' '))


def bare(text, language):
    """Return the text with and without what may stand before and after a taught request."""
    space = ' ' if language == 'en' else ''
    line = plain(text, language)
    before = [plain(words, language) + space for words in requests()['openings'][language]]
    after = [space + plain(words, language) for words in requests()['endings'][language]]
    found = {line} | {line[len(words) :] for words in before if line.startswith(words)}
    return found | {one[: -len(words)] for one in found for words in after if one.endswith(words)}


@pytest.fixture(scope='module')
def training_text():
    files = [ROOT / 'kimi_ros/agent/prompts.py', *sorted((ROOT / 'kimi_ros/sim').rglob('*.py'))]
    files += sorted(p for p in (ROOT / 'train').rglob('*') if p.suffix in ('.py', '.yaml', '.txt'))
    lines = [line for file in files for line in file.read_text(encoding='utf-8').splitlines()]
    return '\n'.join(map(plain, lines))


@pytest.mark.parametrize('language, template', CASES)
def test_no_phrasing_is_in_the_training_text(language, template, training_text):
    fixed = plain(re.sub(r'\{\w+\}', '', template))
    assert fixed and plain(template) not in training_text and fixed not in training_text


@pytest.mark.parametrize('language, template', CASES)
def test_no_phrasing_is_what_a_taught_request_says(language, template):
    question = bare(template.format(**FILLED[language]), language)
    for known in TRAINING_SKILLS[language]:
        assert plain(template) not in plain(known), known
        assert not any(map(spanning(known, language).fullmatch, question)), known
