"""Choosing the threshold of presence on pictures whose content is known."""

import json

import numpy as np
import pytest
from PIL import Image

from kimi_ros.eval.presence import choose_threshold, measure_presence, write_threshold


class Model:
    """A model to which white pictures show cups, the more the whiter; all else looks absent."""

    languages = ('en', 'zh')

    def encode_image(self, rgb):
        return rgb.mean() / 255

    def presence(self, image, name, task):
        return image if name in ('cup', '杯子') and task == 'point' else 0.1


@pytest.fixture
def data(tmp_path):
    lines = []
    for level in (100, 200):
        Image.new('RGB', (8, 6), (level, level, level)).save(tmp_path / f'{level}.png')
        image = f'{level}.png'
        lines.append({'image': image, 'object': {'en': 'cup', 'zh': '杯子'}, 'box': [0, 0, 0.5, 1]})
        lines.append({'image': image, 'object': {'en': 'giraffe', 'zh': '长颈鹿'}, 'absent': True})
    (tmp_path / 'things.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    return tmp_path


def test_presence_is_measured_in_both_languages_and_tasks(data):
    presence = measure_presence(Model(), data)
    assert len(presence.there) == len(presence.absent) == 2 * 2 * 2
    assert presence.shares(0.5) == (0.25, 0.0) and presence.shares(0.05) == (1.0, 1.0)
    assert len(measure_presence(Model(), data, ('zh',)).there) == 4


@pytest.mark.parametrize('allowed', [0.03, 0.1])
def test_the_threshold_keeps_to_the_false_alarms_and_no_more_than_that(allowed):
    absent = np.random.default_rng(0).random(1000) ** 4
    threshold = choose_threshold(absent, allowed)
    assert np.mean(absent >= threshold) == pytest.approx(allowed, abs=1e-9)


def test_equal_scores_stay_on_one_side():
    absent = np.array([0.2] * 90 + [0.9] * 10)
    assert np.mean(absent >= choose_threshold(absent, 0.05)) == 0
    assert 0 < choose_threshold(np.ones(100)) < 1
    assert 0 < choose_threshold(np.zeros(100)) < 1e-5


def test_too_few_absent_names_tell_nothing():
    with pytest.raises(ValueError, match='add lines with "absent", at least 17'):
        choose_threshold(np.zeros(20))
    with pytest.raises(ValueError, match='between 0 and 1'):
        choose_threshold(np.zeros(20), 0)


def test_the_threshold_is_written_beside_what_is_there(tmp_path):
    (tmp_path / 'tasks.json').write_text('{"name": "mine", "languages": ["zh"]}')
    assert write_threshold(tmp_path, 0.25) == tmp_path / 'tasks.json'
    assert json.loads((tmp_path / 'tasks.json').read_text()) == {
        'name': 'mine', 'languages': ['zh'], 'presence_threshold': 0.25,
    }  # fmt: skip
    with pytest.raises(ValueError, match='neither'):
        write_threshold(tmp_path / 'none', 0.25)
