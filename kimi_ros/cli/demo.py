"""`kimi demo [--seed n]`: a rendered camera, the node, an English and a Chinese instruction."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kimi_ros.cli.failure import Failure
from kimi_ros.cli.telling import plan_lines
from kimi_ros.process import NodeProcess, ProcessEnded, isolated, ros_arguments

_READY = 180.0  # seconds: the first run exports the model


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        'demo', help='a rendered camera, the node, an English and a Chinese instruction'
    )
    parser.add_argument(
        '--seed', type=int, default=3, help='of the scene, 0 or more, never trained on (default: 3)'
    )
    parser.add_argument('--model', default='nano', help="'nano' or a model's folder")
    parser.add_argument(
        '--out', type=Path, default=Path('out/demo'), help='folder for pictures (default: out/demo)'
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Go all the way once; 0 if every instruction was answered, right or wrong."""
    if arguments.seed < 0:
        raise Failure(f'the seed is {arguments.seed}: give 0 or more')
    # Before ROS is imported: this process speaks to the two others.
    environment = isolated(os.environ)
    os.environ.update(environment)
    try:
        from kimi_ros.nodes.client import KimiClient, NoAnswer
        from kimi_ros.nodes.sim_camera import look
    except ImportError as error:
        raise Failure(f'{error}. `kimi doctor` says what is missing') from error
    from rich.console import Console

    from kimi_ros.eval.demo_tasks import demo_tasks
    from kimi_ros.eval.worlds import FIRST_SEED

    console = Console(highlight=False, soft_wrap=True)
    seed = FIRST_SEED + arguments.seed  # never trained on
    view = look(seed)
    tasks = demo_tasks(view.truth, arguments.seed)
    _tell_scene(console, view)
    folder = arguments.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f'{folder} cannot be made: {error.strerror}') from error
    pose = view.frame.camera_pose.ravel().tolist()
    nodes: list[NodeProcess] = []
    try:
        for name, parameters in (
            ('sim_camera', {'seed': seed}),
            ('kimi_node', {'model': arguments.model, 'camera_pose': pose}),
        ):
            module, log = f'kimi_ros.nodes.{name}', folder / f'{name}.log'
            nodes.append(NodeProcess(module, ros_arguments(parameters), environment, log))
        with KimiClient() as client:
            with console.status('starting the camera and the node'):
                client.wait_ready(_READY, lambda: [node.check() for node in nodes])
            console.print(
                f'Camera (process {nodes[0].pid}) and node (process {nodes[1].pid}) run in ROS '
                f'domain {environment["ROS_DOMAIN_ID"]}.'
            )
            answered = [_ask(console, client, task, view, folder) for task in tasks]
    except (NoAnswer, ProcessEnded) as error:
        raise Failure(f'{error}\nThe logs are in {folder}.') from error
    finally:
        for node in reversed(nodes):
            node.stop()
    return 0 if all(answered) else 1


def _tell_scene(console, view) -> None:
    from kimi_ros.sim.language import with_article
    from kimi_ros.sim.meaning import Meaning

    things = ', '.join(with_article(Meaning(o.kind, o.color).name('en')) for o in view.truth)
    console.print(f'Scene {view.seed}: {things}.')
    if view.recorded:
        console.print(f'A recorded frame, because {view.recorded}')


def _ask(console, client, task, view, folder: Path) -> bool:
    """Give one instruction and tell what came of it; False if nothing was answered."""
    console.print(f'\nYou:  {task.instruction}')
    with console.status('waiting for the plan') as status:
        reply = client.instruct(
            task.instruction,
            on_feedback=lambda state, text: status.update(f'{state.name.lower()} {text}'),
        )
    if reply.plan is None:
        console.print(f'  no answer: {reply.code.name}: {reply.message}')
        return False
    for line in plan_lines(reply.plan):
        console.print(f'  {line}', markup=False)
    went = ', '.join(s.name.lower() for s in reply.states)
    took = 'an unknown time' if reply.seconds is None else f'{reply.seconds:.3f} s'
    console.print(f'  {took} from goal accepted to plan published: {went}')
    console.print(f'  {_verdict(reply.plan, task, view)}', markup=False)
    if reply.picture:
        picture = folder / f'scene_{view.seed}_{task.language}.jpg'
        picture.write_bytes(reply.picture)
        console.print(f'  picture: {picture}', markup=False)
    return True


def _verdict(plan, task, view) -> str:
    """Hold a plan against what is really there, which this process alone knows."""
    from kimi_ros.agent import Frame
    from kimi_ros.eval.judge import mistakes
    from kimi_ros.eval.worlds import World

    world = World(view.seed, Frame(view.frame.rgb), view.frame.segmentation, view.truth)
    found = mistakes(plan, task, world)
    if found:
        return f'WRONG: {"; ".join(found)}'
    names = ', the '.join(name for name, _ in task.referents)
    if plan.steps:
        return f'right: the mark sits on the {names}'
    return f'right: there is more than one {names}'
