"""`kimi demo`: a simulated camera, the node, an English and a Chinese instruction; a photograph."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.options import add_model_option
from kimi_ros.process import NodeProcess, ProcessEndedError, isolated, ros_arguments

_START_TIMEOUT = 180.0  # seconds: the first run exports the model


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        'demo', help='a simulated camera, the node, an English and a Chinese instruction'
    )
    parser.add_argument(
        '--seed', type=int, default=3, help='number of the held-out scene, 0 or more (default: 3)'
    )
    add_model_option(parser)
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/demo'),
        help='folder for images and logs (default: out/demo)',
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 0 if every instruction got a plan, right or wrong."""
    if arguments.seed < 0:
        raise CommandError(f'--seed is {arguments.seed}: use 0 or more')
    # Before ROS is imported: this process joins the graph of the two others.
    environment = isolated(os.environ)
    os.environ.update(environment)
    try:
        from kimi_ros.nodes.client import KimiClient, NoResponseError
        from kimi_ros.nodes.sim_camera import render_scene
    except ImportError as error:
        raise CommandError(f'{error}. Run `kimi doctor` to see what is missing') from error
    from rich.console import Console

    from kimi_ros.cli.pictures import make_folder
    from kimi_ros.eval.demo_tasks import demo_tasks
    from kimi_ros.eval.held_out_scenes import FIRST_EVALUATION_SEED

    console = Console(highlight=False, soft_wrap=True)
    seed = FIRST_EVALUATION_SEED + arguments.seed  # held out from training
    view = render_scene(seed)
    tasks = demo_tasks(view.truth, arguments.seed)
    _print_scene(console, view)
    folder = arguments.out
    make_folder(folder)
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
                client.wait_until_ready(_START_TIMEOUT, lambda: [node.check() for node in nodes])
            console.print(
                f'The camera and the node run in ROS domain {environment["ROS_DOMAIN_ID"]}.'
            )
            got_plan = [_ask(console, client, task, view, folder) for task in tasks]
    except (NoResponseError, ProcessEndedError) as error:
        raise CommandError(f'{error}\nThe logs are in {folder}.') from error
    finally:
        for node in reversed(nodes):
            node.stop()
    _show_photograph(console, arguments.model, folder)
    return 0 if all(got_plan) else 1


def _print_scene(console, view) -> None:
    from kimi_ros.sim.language import with_article
    from kimi_ros.sim.referring_expression import ReferringExpression

    things = ', '.join(
        with_article(ReferringExpression(o.category, o.color).name('en')) for o in view.truth
    )
    console.print(f'Scene {view.seed}: {things}.')
    if view.recorded:
        console.print(f'Showing a recorded frame: {view.recorded}')


def _ask(console, client, task, view, folder: Path) -> bool:
    """Send one instruction and print the result; False if there is no plan."""
    from kimi_ros.cli.plan_formatter import plan_lines

    console.print(f'\nYou:  {task.instruction}')
    with console.status('waiting for the plan') as status:
        result = client.instruct(
            task.instruction,
            on_feedback=lambda state, text: status.update(f'{state.name.lower()} {text}'),
        )
    if result.plan is None:
        console.print(f'  no plan: {result.code.name}: {result.message}')
        return False
    for line in plan_lines(result.plan):
        console.print(f'  {line}', markup=False)
    states = ', '.join(s.name.lower() for s in result.states)
    duration = 'unknown time' if result.seconds is None else f'{result.seconds:.3f} s'
    console.print(f'  {duration} from goal accepted to plan published: {states}')
    console.print(f'  {_verdict(result.plan, task, view)}', markup=False)
    if result.annotated:
        path = folder / f'scene_{view.seed}_{task.language}.jpg'
        path.write_bytes(result.annotated)
        console.print(f'  annotated image: {path}', markup=False)
    return True


def _verdict(plan, task, view) -> str:
    """Compare a plan with the ground truth, which the node never sees."""
    from kimi_ros.agent import Frame
    from kimi_ros.eval.held_out_scenes import HeldOutScene
    from kimi_ros.eval.plan_checks import plan_errors

    world = HeldOutScene(view.seed, Frame(view.frame.rgb), view.frame.segmentation, view.truth)
    found = plan_errors(plan, task, world)
    if found:
        return f'WRONG: {"; ".join(found)}'
    names = ', the '.join(name for name, _ in task.referents)
    if plan.steps:
        return f'right: the point is on the {names}'
    return f'right: there is more than one {names}'


def _show_photograph(console, model: str, folder: Path) -> None:
    """Ask about a real photograph, or say how to ask about one's own."""
    from kimi_ros.agent import Agent, Frame, Policy, SkillCatalogue
    from kimi_ros.agent.drawing import draw_plan
    from kimi_ros.cli.pictures import write_picture
    from kimi_ros.cli.plan_formatter import plan_lines
    from kimi_ros.eval.demo_photograph import photograph_tasks
    from kimi_ros.resources import share
    from kimi_ros.vlm import VisionLanguageModel

    with VisionLanguageModel.load(model) as vlm:
        tasks = photograph_tasks(vlm)
        if tasks:
            console.print('\nA real photograph, of a table under a robot arm, without ROS.')
            skills = SkillCatalogue.load(share('config/skills.yaml'))
            agent = Agent(vlm, skills, Policy.load(share('config/policy.yaml')))
        for task in tasks:
            sample = task.sample()
            console.print(f'\nYou:  {task.instruction}')
            plan = agent.run(Frame(sample.rgb), task.instruction, task.language)
            for line in plan_lines(plan):
                console.print(f'  {line}', markup=False)
            x0, y0, x1, y1 = sample.box
            points = [thing.point for thing in plan.objects]
            right = len(points) == 1 and x0 <= points[0][0] <= x1 and y0 <= points[0][1] <= y1
            where = f'on the {sample.name}' if right else f'not one point on the {sample.name}'
            console.print(f'  {"right" if right else "WRONG"}: {where}', markup=False)
            path = folder / f'photograph_{task.language}.jpg'
            write_picture(path, draw_plan(sample.rgb, plan))
            console.print(f'  annotated image: {path}', markup=False)
    kimi = _command()
    console.print(
        f'\nYour own picture: {kimi} ask PICTURE "pick up the red cup"; '
        f'a webcam: {kimi} watch 0. What nano knows: docs/nano.md'
    )


def _command() -> Path:
    """Return `kimi` as it can be typed here: after `make demo` it is not on the PATH."""
    command, here = Path(sys.executable).parent / 'kimi', Path.cwd()
    return command.relative_to(here) if command.is_relative_to(here) else command
