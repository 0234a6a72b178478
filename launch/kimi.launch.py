"""The node `kimi` for your own camera."""

import os
from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from kimi_ros.launch_arguments import node_parameters, remappings
from kimi_ros.process import large_images
from kimi_ros.resources import share

PARAMETERS = (
    ('planner', "'auto', 'model', 'reader' or 'remote'; empty: from params_file"),
    ('remote_url', 'base URL of the server of planner remote; empty: from params_file'),
    ('remote_model', 'its model; empty: from params_file'),
    ('remote_key_env', 'environment variable with its API key; empty: from params_file'),
    ('skills', 'YAML file of the skills; empty: from params_file'),
    ('policy', 'YAML file of the policy; empty: from params_file'),
    ('model', "'nano' or a folder that kimi-export wrote; empty: from params_file"),
    ('cameras', "camera names: 'left,right'; empty: from params_file, or one without a name"),
    ('camera_pose', 'x,y,z,qx,qy,qz,qw of the camera in base_frame; empty: from TF'),
    ('image_transport', "'raw' or 'compressed'; empty: from params_file"),
    ('depth_transport', "'raw' or 'compressedDepth'; empty: from params_file"),
)
CAMERA_PARAMETERS = ('camera_pose', 'image_transport', 'depth_transport')
# Of several cameras, these are relative to the camera's name: left/image_raw.
TOPICS = (
    ('image', 'image', 'image topic (without /compressed)'),
    ('camera_info', 'camera_info', 'camera_info topic'),
    ('depth', 'depth/image', 'depth image topic, best registered to the colour image'),
    ('depth_camera_info', 'depth/camera_info', 'for depth that is not registered'),
)


def make_node(context: LaunchContext) -> list[Node]:
    """Return the nodes; empty launch arguments leave the value to the parameter file."""

    def given(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    def node(name: str, **options: Any) -> Node:
        return Node(
            package='kimi_ros',
            executable=f'{name}_node',
            name=name,
            namespace=given('namespace'),
            output='screen',
            **options,
        )

    topics = {name: given(name) for name, _, _ in TOPICS}
    parameters = node_parameters({name: given(name) for name, _ in PARAMETERS})
    nodes = [
        node(
            'kimi',
            parameters=[given('params_file'), parameters],
            remappings=remappings(topics, given('cameras')),
        )
    ]
    if given('speech').lower() in ('true', '1'):
        skills = [{'skills': given('skills')}] if given('skills') else []
        nodes.append(node('speech', parameters=[given('speech_params_file'), *skills]))
    if given('assist').lower() in ('true', '1'):
        camera = {k: v for k, v in parameters.items() if k in CAMERA_PARAMETERS}
        if names := parameters.get('cameras'):
            camera['cameras'] = names[:1]  # a person carries one
        nodes.append(
            node(
                'assist',
                parameters=[given('assist_params_file'), camera],
                remappings=remappings(topics, given('cameras')),
            )
        )
    return nodes


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node, with Fast DDS configured for large images."""
    arguments = [
        ('params_file', str(share('config/kimi.yaml')), 'YAML file with parameters'),
        ('namespace', '', 'namespace of the node and of relative topics'),
        ('speech', 'false', 'true: also start the node speech'),
        ('speech_params_file', str(share('config/speech.yaml')), 'its YAML file with parameters'),
        ('assist', 'false', 'true: also start the node assist, for guidance and narration'),
        ('assist_params_file', str(share('config/assist.yaml')), 'its YAML file with parameters'),
        *((name, '', text) for name, text in PARAMETERS),
        *TOPICS,
    ]
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=value, description=text)
                for name, value, text in arguments
            ),
            *(
                SetEnvironmentVariable(name, value)
                for name, value in large_images(os.environ).items()
                if name not in os.environ
            ),
            OpaqueFunction(function=make_node),
        ]
    )
