"""Launch files and the parameter file."""

import importlib.util
from pathlib import Path

import pytest

from kimi_ros.launch_arguments import node_parameters, remappings
from kimi_ros.resources import share

FILES = ('kimi.launch.py', 'demo.launch.py', 'robot_example.launch.py')


@pytest.mark.parametrize('name', FILES)
def test_launch_file_is_shipped_and_compiles(name):
    path = Path(share(f'launch/{name}'))
    compile(path.read_text(), str(path), 'exec')


@pytest.mark.parametrize('name', FILES)
def test_every_launch_argument_is_described(name):
    pytest.importorskip('launch_ros.actions', reason='launch_ros comes with a ROS installation')
    from launch.actions import DeclareLaunchArgument

    spec = importlib.util.spec_from_file_location('launched', share(f'launch/{name}'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    entities = module.generate_launch_description().entities
    arguments = [e for e in entities if isinstance(e, DeclareLaunchArgument)]
    assert arguments and all(a.description for a in arguments)


def test_parameter_file_names_every_parameter():
    import yaml

    pytest.importorskip('rclpy', reason='no ROS here: make setup')
    from kimi_ros.nodes.parameters import KIMI_PARAMETERS, validation_error

    values = yaml.safe_load(share('config/kimi.yaml').read_text())['/**/kimi']['ros__parameters']
    assert set(values) == {s.name for s in KIMI_PARAMETERS} - {'camera_pose'}
    assert all(values[s.name] == s.default for s in KIMI_PARAMETERS if s.name in values)
    assert not validation_error(values)


TOPICS = {
    'image': 'image_raw',
    'camera_info': 'camera_info',
    'depth': '/depth/aligned',
    'depth_camera_info': 'depth/camera_info',
}


def test_launch_arguments_become_parameters_of_their_types():
    arguments = {'model': '', 'planner': 'reader', 'cameras': 'left, right'}
    arguments |= {'camera_pose': '0.1,0,0.5,-0.5,0.5,-0.5,0.5'}
    assert node_parameters(arguments) == {
        'planner': 'reader',
        'cameras': ['left', 'right'],
        'camera_pose': [0.1, 0.0, 0.5, -0.5, 0.5, -0.5, 0.5],
    }
    with pytest.raises(ValueError, match='must be numbers'):
        node_parameters({'camera_pose': 'ahead'})


def test_topics_of_the_unnamed_camera_are_remapped():
    assert remappings(TOPICS, '') == [
        ('image', 'image_raw'),
        ('image/compressed', 'image_raw/compressed'),
        ('camera_info', 'camera_info'),
        ('depth/image', '/depth/aligned'),
        ('depth/image/compressedDepth', '/depth/aligned/compressedDepth'),
        ('depth/camera_info', 'depth/camera_info'),
    ]


def test_topics_of_named_cameras_are_remapped_below_their_names():
    rules = dict(remappings(TOPICS, 'left,right'))
    assert rules['left/image'] == 'left/image_raw'
    assert rules['right/image/compressed'] == 'right/image_raw/compressed'
    assert rules['right/depth/image'] == '/depth/aligned'
    assert len(rules) == 12
