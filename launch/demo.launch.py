"""A rendered camera and the node `kimi`, to be spoken to on /instruction or /kimi/instruct."""

import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, SetEnvironmentVariable
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from kimi_ros.process import large_images
from kimi_ros.resources import share


def generate_launch_description() -> LaunchDescription:
    """Start both; where the camera is, the node learns from TF."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'seed', default_value='2000000', description='of the scene; held out from 2000000'
            ),
            DeclareLaunchArgument(
                'model', default_value='', description="a model's folder; empty: nano"
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
                launch_arguments={'model': LaunchConfiguration('model')}.items(),
            ),
        ]
    )
