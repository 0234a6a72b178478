"""The parameters of the node `assist`, and its parameter file."""

import pytest
import yaml

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from kimi_ros.nodes.assist_parameters import (  # noqa: E402
    ASSIST_PARAMETERS,
    validation_error,
)
from kimi_ros.resources import share  # noqa: E402


def test_parameter_file_names_every_parameter():
    content = yaml.safe_load(share('config/assist.yaml').read_text(encoding='utf-8'))
    values = content['/**/assist']['ros__parameters']
    assert set(values) == {s.name for s in ASSIST_PARAMETERS} - {'camera_pose'}
    assert all(values[s.name] == s.default for s in ASSIST_PARAMETERS if s.name in values)
    assert validation_error(values) == ''


@pytest.mark.parametrize(
    'values, reason',
    [
        ({'mode': 'dance'}, 'mode must be one of'),
        ({'mode': 'guide', 'target': ' '}, 'needs target'),
        ({'hand': [0.0, 1.0]}, 'three numbers'),
        ({'hand': [0.0, float('nan'), 1.0]}, 'three numbers'),
        ({'cameras': ['left', 'right']}, 'one camera'),
        ({'level': 'all'}, 'brief, normal, rich'),
    ],
)
def test_bad_values_say_what_is_wrong(values, reason):
    assert reason in validation_error(values)
