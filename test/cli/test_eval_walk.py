"""The options of `kimi eval walk`."""

import pytest

from kimi_ros.cli import eval_walk
from kimi_ros.cli.main import main


def test_a_model_that_would_not_be_asked_is_refused(capsys):
    assert main(['eval', 'walk', '--model', 'folder']) == 1
    assert 'give --eyes model' in capsys.readouterr().err


def test_levels_are_those_of_the_node_assist():
    pytest.importorskip('rclpy', reason='no ROS here: make setup')
    from kimi_ros.nodes.assist_parameters import LEVELS

    assert eval_walk._LEVELS == LEVELS
