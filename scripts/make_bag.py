#!/usr/bin/env python3
"""Write a bag of the simulated table, without ROS: make_bag.py OUT [--seed N] [--storage mcap].

The bag has what a depth camera records: image, camera_info, depth/image, and its pose on
/tf_static. Beside it, OUT.jsonl has questions for `kimi eval bag OUT OUT.jsonl`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from kimi_ros.nodes.poses import to_quaternion
from kimi_ros.sim import GLNotAvailable, Renderer, recorded_frames, sample_scene, visible_truth

START = 1_700_000_000_000_000_000  # nanoseconds
FRAME, BASE = 'camera_optical', 'base_link'


def main() -> None:
    """Write the bag and the questions."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('out', type=Path, help='folder that is made')
    parser.add_argument('--seed', type=int, default=2_000_003, help='of the scene')
    parser.add_argument('--seconds', type=float, default=3.0)
    parser.add_argument('--rate', type=float, default=5.0, help='images a second')
    parser.add_argument('--storage', choices=('mcap', 'sqlite3'), default='mcap')
    arguments = parser.parse_args()
    frame, truth = scene(arguments.seed)
    count = max(1, round(arguments.seconds * arguments.rate))
    write_bag(arguments.out, [frame] * count, arguments.rate, arguments.storage)
    names = [f'{thing.color} {thing.category}'.strip() for thing in truth]
    lines = [
        {
            'at': arguments.seconds / 2,
            'instruction': f'pick up the {name}',
            'status': 'ok',
            'skills': ['pick'],
            'boxes': [[round(float(v), 1) for v in thing.box]],
        }
        for thing, name in zip(truth, names, strict=True)
        if names.count(name) == 1
    ]
    questions = Path(f'{arguments.out}.jsonl')
    questions.write_text('\n'.join(json.dumps(line) for line in lines) + '\n')
    print(f'written: {arguments.out} and {questions}')


def scene(seed: int):
    """Return the frame of a seed and its truth; without OpenGL, a recorded one."""
    try:
        with Renderer() as renderer:
            made = sample_scene(seed)
            frame = renderer.render(made)
    except GLNotAvailable:
        chosen = recorded_frames()[seed % len(recorded_frames())]
        return chosen.frame, chosen.truth
    return frame, visible_truth(made, frame)


def write_bag(path: Path, frames, rate: float, storage: str) -> None:
    """Write frames as a bag; the folder must not exist.

    :param frames: `kimi_ros.sim.RenderedFrame`s.
    :param storage: 'mcap' or 'sqlite3'.
    """
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    types = store.types
    with Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        kinds = {
            'image': 'sensor_msgs/msg/Image',
            'camera_info': 'sensor_msgs/msg/CameraInfo',
            'depth/image': 'sensor_msgs/msg/Image',
            'tf_static': 'tf2_msgs/msg/TFMessage',
        }
        topics = {
            name: writer.add_connection(
                f'/{name}' if name == 'tf_static' else f'/camera/{name}', kind, typestore=store
            )
            for name, kind in kinds.items()
        }
        for number, frame in enumerate(frames):
            time = START + round(number * 1e9 / rate)
            for name, message in messages(types, frame, time, with_pose=number == 0):
                data = store.serialize_cdr(message, kinds[name])
                writer.write(topics[name], time, data)


def messages(types, frame, time: int, with_pose: bool):
    """Yield (name, message) of one frame, stamped with nanoseconds."""
    stamp = types['builtin_interfaces/msg/Time'](sec=time // 10**9, nanosec=time % 10**9)
    header = types['std_msgs/msg/Header'](stamp=stamp, frame_id=FRAME)
    height, width = frame.rgb.shape[:2]
    if with_pose:
        # As on a robot that was started before it was recorded.
        mounted = types['builtin_interfaces/msg/Time'](sec=time // 10**9 - 3600, nanosec=0)
        geometry = {n: types[f'geometry_msgs/msg/{n}'] for n in ('Vector3', 'Quaternion')}
        moved = geometry['Vector3'](*map(float, frame.camera_pose[:3, 3]))
        turned = geometry['Quaternion'](*to_quaternion(frame.camera_pose))
        transform = types['geometry_msgs/msg/TransformStamped'](
            header=types['std_msgs/msg/Header'](stamp=mounted, frame_id=BASE),
            child_frame_id=FRAME,
            transform=types['geometry_msgs/msg/Transform'](translation=moved, rotation=turned),
        )
        yield 'tf_static', types['tf2_msgs/msg/TFMessage'](transforms=[transform])
    k = np.asarray(frame.intrinsics, float)
    yield (
        'camera_info',
        types['sensor_msgs/msg/CameraInfo'](
            header=header,
            height=height,
            width=width,
            distortion_model='plumb_bob',
            d=np.zeros(5),
            k=k.ravel(),
            r=np.eye(3).ravel(),
            p=np.hstack([k, np.zeros((3, 1))]).ravel(),
            binning_x=0,
            binning_y=0,
            roi=types['sensor_msgs/msg/RegionOfInterest'](
                x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
            ),
        ),
    )
    for name, pixels, encoding in (
        ('image', frame.rgb, 'rgb8'),
        ('depth/image', np.asarray(frame.depth, np.float32), '32FC1'),
    ):
        yield (
            name,
            types['sensor_msgs/msg/Image'](
                header=header,
                height=height,
                width=width,
                encoding=encoding,
                is_bigendian=0,
                step=pixels[0].nbytes,
                data=np.frombuffer(np.ascontiguousarray(pixels).tobytes(), np.uint8),
            ),
        )


if __name__ == '__main__':
    main()
