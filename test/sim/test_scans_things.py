"""Things files: what they say, and what is said about wrong ones."""

import copy

import pytest
from scan_files import THINGS

from kimi_ros.sim.scans.things import YCB, ThingsError, load_things, parse_things


def test_names_mean_every_thing_that_has_them():
    things = load_things(YCB)
    assert len(things) >= 75
    assert things.names('005_tomato_soup_can', 'en')[0] == 'soup can'
    assert 'can' in things.names('005_tomato_soup_can', 'en')
    assert '罐头' in things.names('005_tomato_soup_can', 'zh')
    cups = things.meant_by('cup', 'en')
    assert '025_mug' in cups and '065-a_cups' in cups and '024_bowl' not in cups
    assert things.meant_by('杯子', 'zh') == cups
    assert things.meant_by('giraffe', 'en') == frozenset()


def test_things_survive_json():
    things = parse_things(THINGS, 'test')
    again = parse_things(things.to_dict(), 'test')
    assert again.all == things.all
    assert again.names('beans', 'zh') == ('豆子罐头', '罐头')


@pytest.mark.parametrize(
    'change, said',
    [
        (lambda d: d['things'][1].pop('names'), r'home\.yaml: beans: names'),
        (lambda d: d['things'][1].update(names={'en': ['can']}), 'beans: names: .*both en and zh'),
        (lambda d: d['things'][1]['names'].update(zh=[]), 'beans: names: zh'),
        (lambda d: d['things'][1].update(color='crimson'), "beans: color: 'crimson': use red"),
        (lambda d: d['things'][1].update(hazard='wet'), 'beans: hazard'),
        (lambda d: d['things'][1].update(colour='red'), "beans: unknown key 'colour'"),
        (lambda d: d['things'][1].update(mass=-1), 'beans: mass'),
        (lambda d: d['things'][1].update(id='tea'), 'tea: this id is there twice'),
        (lambda d: d['things'][1].pop('kind'), 'beans: kind'),
        (lambda d: d.pop('mesh'), 'tea: mesh'),
        (lambda d: d.update(things=[]), r'home\.yaml: "things"'),
        (lambda d: d['kinds'].update(can=['can']), 'kinds: can'),
    ],
)
def test_an_error_names_file_thing_and_key(change, said):
    data = copy.deepcopy(THINGS)
    change(data)
    with pytest.raises(ThingsError, match=said):
        parse_things(data, 'home.yaml')


def test_a_bare_on_is_what_it_looks_like(tmp_path):
    path = tmp_path / 'things.yaml'
    path.write_text(
        'mesh: a.obj\nthings:\n'
        '  - {id: plate, kind: plate, supports: on, names: {en: [plate], zh: [盘子]}}\n',
        encoding='utf-8',
    )
    assert load_things(path)['plate'].supports == 'on'
