"""The options that name the remote planner's server."""

import argparse

import pytest

from kimi_ros.cli import up
from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.options import add_planning_options, remote_fields, remote_settings
from kimi_ros.process import ros_arguments

SERVER = ['--planner', 'remote', '--remote-url', 'http://localhost:8000/v1', '--remote-model', 'm']


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_planning_options(parser)
    return parser.parse_args(words)


def test_the_options_make_settings():
    settings = remote_settings(parsed(*SERVER, '--remote-timeout', '5', '--send-image'))
    assert (settings.url, settings.model) == ('http://localhost:8000/v1', 'm')
    assert settings.timeout == 5.0 and settings.send_image
    assert remote_settings(parsed(*SERVER)).send_image is False
    assert remote_settings(parsed()) is None


def test_json_reaches_a_node_as_text():
    fields = remote_fields(parsed(*SERVER, '--remote-options', '{"temperature": 0}'))
    assert 'x:="{\\"temperature\\": 0}"' in ros_arguments({'x': fields['options']})


def test_a_server_that_is_not_named_is_reported_before_anything_starts():
    parser = argparse.ArgumentParser()
    up.add_parser(parser.add_subparsers())
    with pytest.raises(CommandError, match='--remote-url'):
        up.run(parser.parse_args(['up', '--planner', 'remote']))


def test_own_topics_are_not_taken_for_those_of_a_bag():
    parser = argparse.ArgumentParser()
    up.add_parser(parser.add_subparsers())
    with pytest.raises(CommandError, match='-r image:=/front'):
        up.run(parser.parse_args(['up', '--no-camera', '--image', '/front']))
