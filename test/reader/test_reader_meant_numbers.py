import pytest

from kimi_ros.reader.meant_numbers import find_meant, parse_meant


@pytest.mark.parametrize(
    ('said', 'unit', 'value'),
    [
        ('half way', 'percent', 50),
        ('completely', '%', 100),
        ('all the way up', 'percent', 100),
        ('two thirds', '%', 200 / 3),
        ('a quarter', 'percent', 25),
        ('30 percent', 'percent', 30),
        ('half a percent', 'percent', 0.5),
        ('一半', 'percent', 50),
        ('全', '%', 100),
        ('三成', 'percent', 30),
        ('七成半', 'percent', 75),
        ('四分之三', '%', 75),
        ('百分之六十', '%', 60),
        ('three in the afternoon', 'h', 15),
        ('half past six', 'h', 6.5),
        ('a quarter to nine', 'hours', 8.75),
        ("ten o'clock", '', 10),
        ('8 pm', 'h', 20),
        ('noon', 'h', 12),
        ('twelve at night', 'h', 0),
        ('three hours', 'h', 3),
        ('half an hour', 'h', 0.5),
        ('下午三点', 'h', 15),
        ('晚上八点半', '小时', 20.5),
        ('十点一刻', 'h', 10.25),
        ('中午十二点', '', 12),
        ('中午一点', 'h', 13),
        ('凌晨两点', 'h', 2),
        ('零点五小时', 'h', 0.5),
        ('minus five degrees', 'C', -5),
        ('零下十八度', 'C', -18),
        ('twice', 'times', 2),
        ('a couple of minutes', 'min', 2),
        ('一刻钟', 'min', 15),
        ('an hour and a quarter', 'min', 75),
        ('两遍', 'times', 2),
    ],
)
def test_what_is_meant_is_converted_to_the_unit(said, unit, value):
    assert parse_meant(said, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ('text', 'unit', 'value', 'words'),
    [
        ('raise the blind half way please', 'percent', 50, 'half way'),
        ('wake me at three in the afternoon', 'h', 15, 'three in the afternoon'),
        ('把窗帘拉开三成', '%', 30, '三成'),
        ('下午三点叫我', 'h', 15, '下午三点'),
        ('heat it to 40 degrees', 'C', 40, '40 degrees'),
    ],
)
def test_what_is_meant_is_found_in_other_words(text, unit, value, words):
    found, start, end = find_meant(text, unit)
    assert found == pytest.approx(value) and text[start:end].strip() == words


@pytest.mark.parametrize(
    ('text', 'unit'),
    [
        ('go to the kitchen', 'h'),
        ('注意安全', '%'),
        ('the two of them', 'h'),
        ('open the door', '%'),
    ],
)
def test_other_words_mean_no_number(text, unit):
    assert find_meant(text, unit) is None
