"""`kimi up`: the node and a rendered camera, where `ros2 launch` is not to be had."""

from __future__ import annotations

import argparse
import os
import signal
import threading

from kimi_ros.cli.failure import Failure
from kimi_ros.process import NodeProcess, ProcessEnded, large_images, ros_arguments

_LOOK = 0.5  # seconds between looks at the processes


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        'up', help='start the node and a rendered camera; Ctrl-C stops both'
    )
    parser.add_argument('--model', default='nano', help="'nano' or a model's folder")
    parser.add_argument('--seed', type=int, default=0, help='of the rendered scene (default: 0)')
    parser.add_argument(
        '--no-camera', action='store_true', help='start the node alone, beside a camera of yours'
    )
    parser.add_argument(
        'ros', nargs='*', metavar='-- ROS', help='for the node: -- -r image:=/camera/image_raw'
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C or until a process ends."""
    if arguments.seed < 0:
        raise Failure(f'the seed is {arguments.seed}: give 0 or more')
    environment = large_images(os.environ)
    os.environ.update(environment)
    parameters: dict[str, object] = {'model': arguments.model}
    wanted = []
    if not arguments.no_camera:
        try:
            from kimi_ros.nodes.sim_camera import look
        except ImportError as error:
            raise Failure(f'{error}. `kimi doctor` says what is missing') from error
        from kimi_ros.eval.worlds import FIRST_SEED

        seed = FIRST_SEED + arguments.seed
        parameters['camera_pose'] = look(seed).frame.camera_pose.ravel().tolist()
        wanted.append(('sim_camera', ros_arguments({'seed': seed})))
    wanted.append(('kimi_node', [*ros_arguments(parameters), *arguments.ros]))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    nodes: list[NodeProcess] = []
    try:
        for name, ros in wanted:
            nodes.append(NodeProcess(f'kimi_ros.nodes.{name}', ros, environment))
        print(
            'Ctrl-C ends it. Give instructions on the topic /instruction or the action '
            '/kimi/instruct;\nthe answers are on /kimi/plan and /kimi/say.',
            flush=True,
        )
        while not stop.wait(_LOOK):
            for node in nodes:
                node.check()
    except ProcessEnded as error:
        raise Failure(str(error)) from error
    finally:
        for node in reversed(nodes):
            node.stop()
    return 0
