"""What kimi.launch.py makes of its arguments; plain values, which tests check without ROS."""

from __future__ import annotations

from collections.abc import Mapping

# Topics of a camera, by the launch argument that names them.
_TRANSPORTS = {'image': 'compressed', 'depth': 'compressedDepth'}
_TOPICS = {
    'image': 'image',
    'camera_info': 'camera_info',
    'depth': 'depth/image',
    'depth_camera_info': 'depth/camera_info',
}


def node_parameters(arguments: Mapping[str, str]) -> dict[str, object]:
    """Return the parameters of the node; an empty argument leaves its parameter to params_file.

    :param arguments: 'cameras' holds names with commas between them, 'camera_pose' numbers, the
        others strings.
    :raises ValueError: if camera_pose holds something else than numbers.
    """
    parameters: dict[str, object] = {name: text for name, text in arguments.items() if text}
    if cameras := arguments.get('cameras'):
        parameters['cameras'] = _split(cameras)
    if pose := arguments.get('camera_pose'):
        try:
            parameters['camera_pose'] = [float(number) for number in _split(pose)]
        except ValueError:
            raise ValueError(
                f'camera_pose:={pose!r} must be numbers with commas between them: x,y,z (m) and '
                'qx,qy,qz,qw, or the 16 of a 4x4 matrix'
            ) from None
    return parameters


def remappings(topics: Mapping[str, str], cameras: str) -> list[tuple[str, str]]:
    """Return the remappings of the cameras' topics.

    :param topics: the arguments 'image', 'camera_info' and 'depth': topics of the unnamed camera,
        or relative to each camera's name.
    :param cameras: the argument 'cameras'; '' for the unnamed camera.
    """
    rules = []
    for name in _split(cameras) or ['']:
        prefix = f'{name}/' if name else ''
        for argument, topic in _TOPICS.items():
            target = topics[argument]
            absolute = target.startswith('/')
            target = target if absolute else f'{prefix}{target}'
            rules.append((f'{prefix}{topic}', target))
            if transport := _TRANSPORTS.get(argument):
                rules.append((f'{prefix}{topic}/{transport}', f'{target}/{transport}'))
    return rules


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.strip('[] ').split(',') if part.strip()]
