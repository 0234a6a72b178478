"""A simulated camera and the node `kimi`; send instructions to /instruction or /kimi/instruct."""

import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, SetEnvironmentVariable
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from kimi_ros.process import large_images
from kimi_ros.resources import share


def generate_launch_description() -> LaunchDescription:
    """Start both; the node takes the camera pose from TF."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'seed',
                default_value='2000000',
                description='seed of the scene; 2000000 and more are held out from training',
            ),
            DeclareLaunchArgument(
                'model', default_value='', description='model folder; empty: nano'
            ),
            DeclareLaunchArgument(
                'planner', default_value='', description='auto, model, reader or remote'
            ),
            *(
                SetEnvironmentVariable(name, value)
                for name, value in large_images(os.environ).items()
                if name not in os.environ
            ),
            Node(
                package='kimi_ros',
                executable='sim_camera',
                output='screen',
                parameters=[{'seed': LaunchConfiguration('seed')}],
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(share('launch/kimi.launch.py'))),
                launch_arguments={
                    'model': LaunchConfiguration('model'),
                    'planner': LaunchConfiguration('planner'),
                }.items(),
            ),
        ]
    )
