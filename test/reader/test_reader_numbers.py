import pytest

from kimi_ros.reader.numbers import parse_number, parse_quantity


@pytest.mark.parametrize(
    ('said', 'unit', 'value'),
    [
        ('half an hour', 'min', 30),
        ('half a centimetre', 'mm', 5),
        ('two and a half metres', 'm', 2.5),
        ('an hour and a half', 'min', 90),
        ('one hundred and twenty degrees', 'deg', 120),
        ('three quarters of an hour', 'min', 45),
        ('a couple of minutes', 'minutes', 2),
        ('1,500 ml', 'l', 1.5),
        ('zero point five metres', 'm', 0.5),
        ('180°C', 'C', 180),
        ('half a turn', 'deg', 180),
        ('twice', 'times', 2),
        ('a dozen', '', 12),
        ('一个半钟头', 'min', 90),
        ('一百二十厘米', 'm', 1.2),
        ('三米半', 'm', 3.5),
        ('一小时二十分钟', 'min', 80),
        ('百分之五十', '%', 50),
        ('一百零五度', 'deg', 105),
        ('两千', '', 2000),
        ('零点五米', 'm', 0.5),
    ],
)
def test_parse_quantity_converts_to_the_unit(said, unit, value):
    assert parse_quantity(said, unit) == pytest.approx(value)


def test_unknown_unit_is_not_converted():
    assert parse_quantity('12 furlongs', 'furlongs') == 12


def test_quantity_of_another_kind_is_none():
    assert parse_quantity('270 degrees', 'min') is None
    assert parse_quantity('三公斤', 'm') is None


@pytest.mark.parametrize('said', ['the mug', '杯子', '', 'point'])
def test_text_without_a_number_is_none(said):
    assert parse_number(said) is None
    assert parse_quantity(said, 'm') is None
