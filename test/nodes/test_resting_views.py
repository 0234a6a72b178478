import pytest

from kimi_ros.nodes.resting_views import NotKeptError, RestingViews


def test_a_stamp_leads_to_what_was_seen_then():
    views = RestingViews()
    views.begin('first', 100)
    views.end(200)
    views.begin('second', 300)
    assert views.at(100) == views.at(200) == 'first'
    assert views.at(300) == views.at(999) == views.at(0) == 'second'


@pytest.mark.parametrize('stamp', [99, 201, 299])
def test_what_was_seen_in_motion_or_before_is_not_kept(stamp):
    views = RestingViews()
    views.begin('first', 100)
    views.end(200)
    views.begin('second', 300)
    with pytest.raises(NotKeptError, match='look again'):
        views.at(stamp)
