"""`kimi up`: start the node and a simulated or recorded camera, without `ros2 launch`."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.options import add_model_option, add_planning_options, node_parameters
from kimi_ros.process import (
    NodeProcess,
    ProcessEndedError,
    SignalSafeEvent,
    large_images,
    ros_arguments,
)

_POLL_PERIOD = 0.5  # seconds


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        'up', help='start the node and a simulated or recorded camera; Ctrl-C stops both'
    )
    add_model_option(parser)
    add_planning_options(parser)
    parser.add_argument(
        '--seed', type=int, default=0, help='number of the held-out scene (default: 0)'
    )
    parser.add_argument(
        '--speech',
        action='store_true',
        help='also start the node speech: microphone and loudspeaker',
    )
    parser.add_argument(
        '--assist',
        action='store_true',
        help='also start the node assist: guidance to things, narration',
    )
    parser.add_argument(
        '--no-camera', action='store_true', help='start only the node, for your own camera'
    )
    parser.add_argument(
        '--bag', type=Path, metavar='FILE', help='a recorded camera (MCAP or sqlite3) instead'
    )
    parser.add_argument(
        '--image', default='', metavar='TOPIC', help="the bag's image topic, if it has several"
    )
    parser.add_argument(
        'ros',
        nargs='*',
        metavar='-- ROS',
        help='ROS arguments for the nodes: -- -r image:=/camera/image_raw; for one of them: '
        '-p speech:voice:=FOLDER',
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C or until a process ends."""
    if arguments.seed < 0:
        raise CommandError(f'--seed is {arguments.seed}: use 0 or more')
    if arguments.image and arguments.bag is None:
        raise CommandError(
            '--image names a topic of --bag. For a camera of your own: '
            f'kimi up --no-camera -- -r image:={arguments.image}'
        )
    environment = large_images(os.environ)
    os.environ.update(environment)
    parameters = node_parameters(arguments)
    processes = []
    if arguments.bag is not None:
        parameters['image_transport'] = _image_transport(arguments.bag, arguments.image)
        played = {'path': str(arguments.bag.resolve()), 'image': arguments.image}
        processes.append(('bag_player', ros_arguments(played)))
    elif not arguments.no_camera:
        try:
            from kimi_ros.nodes.sim_camera import render_scene
        except ImportError as error:
            raise CommandError(f'{error}. Run `kimi doctor` to see what is missing') from error
        from kimi_ros.eval.held_out_scenes import FIRST_EVALUATION_SEED

        seed = FIRST_EVALUATION_SEED + arguments.seed
        parameters['camera_pose'] = render_scene(seed).frame.camera_pose.ravel().tolist()
        processes.append(('sim_camera', ros_arguments({'seed': seed})))
    processes.append(('kimi_node', [*ros_arguments(parameters), *arguments.ros]))
    if arguments.speech:
        spoken = {k: v for k, v in parameters.items() if k == 'skills'}
        processes.append(('speech_node', [*ros_arguments(spoken), *arguments.ros]))
    if arguments.assist:
        camera = {k: v for k, v in parameters.items() if k in ('camera_pose', 'image_transport')}
        processes.append(('assist_node', [*ros_arguments(camera), *arguments.ros]))
    stop = SignalSafeEvent()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    nodes: list[NodeProcess] = []
    try:
        for name, ros in processes:
            nodes.append(NodeProcess(f'kimi_ros.nodes.{name}', ros, environment))
        print(
            'Press Ctrl-C to stop. Send instructions to the topic /instruction or the action '
            '/kimi/instruct;\nplans are published on /kimi/plan, speech on /kimi/say.',
            flush=True,
        )
        while not stop.wait(_POLL_PERIOD):
            for node in nodes:
                node.check()
    except ProcessEndedError as error:
        raise CommandError(str(error)) from error
    finally:
        for node in reversed(nodes):
            node.stop()
    return 0


def _image_transport(path: Path, image: str) -> str:
    """Return the parameter image_transport for a bag; raises CommandError if it cannot be read."""
    from kimi_ros.nodes.bag import Bag, BagError, BagTopics

    try:
        with Bag(path, BagTopics(image=image)) as bag:
            return 'compressed' if bag.is_compressed else 'raw'
    except BagError as error:
        raise CommandError(str(error)) from error
