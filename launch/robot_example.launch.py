"""The simulated table as a robot: camera and hand, the node `kimi`, and the executor.

For your robot: leave the simulated one out (sim:=false) and name your actions file.
"""

import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from kimi_ros.process import large_images
from kimi_ros.resources import share

ARGUMENTS = (
    ('seed', '2000000', 'seed of the simulated scene'),
    ('sim', 'true', 'start the simulated robot'),
    ('model', '', 'model folder; empty: nano'),
    ('planner', '', 'auto, model, reader or remote'),
    ('skills', '', 'YAML file of the skills, for kimi and for the executor; empty: built-in'),
    ('actions', '', 'YAML file of what carries them out; empty: the simulated robot'),
    ('look_again', 'true', 'ask kimi after each step where things are'),
)


def generate_launch_description() -> LaunchDescription:
    """Start all three, or two of them."""
    given = {name: LaunchConfiguration(name) for name, _, _ in ARGUMENTS}
    passed = ('model', 'planner', 'skills')
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=value, description=text)
                for name, value, text in ARGUMENTS
            ),
            *(
                SetEnvironmentVariable(name, value)
                for name, value in large_images(os.environ).items()
                if name not in os.environ
            ),
            Node(
                package='kimi_ros',
                executable='sim_robot',
                output='screen',
                parameters=[{'seed': given['seed']}],
                condition=IfCondition(given['sim']),
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(share('launch/kimi.launch.py'))),
                launch_arguments={name: given[name] for name in passed}.items(),
            ),
            Node(
                package='kimi_ros',
                executable='executor',
                output='screen',
                parameters=[{name: given[name] for name in ('skills', 'actions', 'look_again')}],
            ),
        ]
    )
