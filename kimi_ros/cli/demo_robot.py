"""`kimi demo-robot`: an arm of LIBERO carries out an instruction, over ROS."""

from __future__ import annotations

import argparse
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from kimi_ros.cli.errors import CommandError
from kimi_ros.process import NodeProcess, ProcessEndedError, isolated, ros_arguments

if TYPE_CHECKING:
    from kimi_ros.agent import Plan
    from kimi_ros.cli.film import Film
    from kimi_ros.nodes.client import KimiClient
    from kimi_ros.nodes.execution_client import ExecutionClient

_START_TIMEOUT = 600.0  # seconds: a scene is built in seconds to minutes
_PLAN_TIMEOUT = 300.0  # seconds
_END_TIMEOUT = 1800.0  # seconds that the arm has for a plan
_TRIES = 3  # plans for one instruction, as in the benchmark's episodes
_REPORTS = 20  # of kimi, once a second, in which a plan that waits is looked for
_TRUTH = (
    'No model looks at these pictures: nano does not know these things, so the boxes are the '
    "simulator's own\nsegmentation, a few pixels off. A model takes its place with MODEL=folder "
    '(--model FOLDER).'
)


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        'demo-robot', help='a simulated arm carries out an instruction (needs the extra libero)'
    )
    parser.add_argument(
        '--suite',
        default='libero_object',
        metavar='NAME',
        help='of LIBERO or LIBERO-PRO: libero_object, libero_goal, ... (default: libero_object)',
    )
    parser.add_argument(
        '--task', type=int, default=0, metavar='N', help='its number, 0 to 9 (default: 0)'
    )
    parser.add_argument(
        '--state', type=int, default=0, metavar='N', help='initial state, 0 to 49 (default: 0)'
    )
    parser.add_argument(
        '--lang', choices=('en', 'zh'), default='en', help='of the instruction (default: en)'
    )
    parser.add_argument(
        '--model',
        default='',
        metavar='FOLDER',
        help="that kimi-export wrote, or 'nano' (default: no model, the simulator's segmentation)",
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/demo_robot'),
        help='folder for pictures, video and logs (default: out/demo_robot)',
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 0 if the environment says that the task is done."""
    # Before ROS is imported: this process joins the graph of the others.
    environment = isolated(os.environ)
    os.environ.update(environment)
    try:
        from kimi_ros.nodes.client import KimiClient, NoResponseError
        from kimi_ros.nodes.execution_client import ExecutionClient
    except ImportError as error:
        raise CommandError(f'{error}. Run `kimi doctor` to see what is missing') from error
    from rich.console import Console

    from kimi_ros.cli.film import Film
    from kimi_ros.cli.pictures import make_folder

    instruction = _instruction(arguments)
    environment['MUJOCO_GL'] = _backend()
    console = Console(highlight=False, soft_wrap=True)
    folder = arguments.out
    make_folder(folder)
    verdict = folder / 'verdict.json'
    verdict.unlink(missing_ok=True)
    console.print(f'{arguments.suite}, task {arguments.task}, state {arguments.state}.')
    console.print(f'{arguments.model} looks at the pictures.' if arguments.model else _TRUTH)
    nodes: list[NodeProcess] = []
    film = Film()

    def check() -> None:
        for node in nodes:
            node.check()

    try:
        for name, parameters in _nodes(arguments, verdict):
            module, log = f'kimi_ros.nodes.{name}', folder / f'{name}.log'
            nodes.append(NodeProcess(module, ros_arguments(parameters), environment, log))
        with (
            KimiClient() as client,
            KimiClient() as approver,
            ExecutionClient(film.add) as executor,
        ):
            with console.status('starting the robot, kimi and the executor'):
                client.wait_until_ready(_START_TIMEOUT, check)
                executor.wait_until_ready(_START_TIMEOUT, check)
            domain = environment['ROS_DOMAIN_ID']
            console.print(f'The robot, kimi and the executor run in ROS domain {domain}.')
            demo = _Demo(console, client, approver, executor, film, folder)
            for number in range(1, _TRIES + 1):
                if demo.carry_out(instruction, arguments.lang, number, check):
                    break
    except (NoResponseError, ProcessEndedError) as error:
        raise CommandError(f'{error}\nThe logs are in {folder}.') from error
    finally:
        for node in reversed(nodes):
            node.stop()
        _write(console, film, folder)  # what was seen of a run that failed, too
    return 0 if _tell(console, verdict) else 1


class _Demo:
    """Gives an instruction, shows the plan, approves it, and waits for the arm."""

    def __init__(
        self,
        console: Any,
        client: KimiClient,
        approver: KimiClient,
        executor: ExecutionClient,
        film: Film,
        folder: Path,
    ):
        """Take what is needed.

        :param approver: approves while `client` waits for its result.
        """
        self._console, self._client, self._approver = console, client, approver
        self._executor, self._film, self._folder = executor, film, folder
        self._approved: set[str] = set()

    def carry_out(
        self, instruction: str, language: str, number: int, check: Callable[[], None]
    ) -> bool:
        """Have an instruction planned and carried out; True if nothing is left to be tried.

        :param number: of the try, from 1.
        :param check: raises ProcessEndedError when a node has ended.
        """
        from kimi_ros.agent import State, Status

        pictures = len(self._film)
        path = self._folder / ('plan.png' if number == 1 else f'plan_{number}.png')

        def on_feedback(state: State, _text: str) -> None:
            if state is State.AWAITING_APPROVAL:
                self._approve(path)

        self._print(f'\nYou:  {instruction}')
        result = self._client.instruct(
            instruction, language, timeout=_PLAN_TIMEOUT, on_feedback=on_feedback
        )
        if (plan := result.plan) is None:
            self._print(f'  no plan: {result.code.name}: {result.message}')
            return True
        self._show(plan, result.annotated, path, pictures)
        if plan.status is not Status.OK:
            return True
        with self._console.status('the arm moves'):
            done, text = self._executor.wait_for_end(
                plan.id, _END_TIMEOUT, check, plan.id not in self._approved
            )
        self._print(f'  the executor: {text}')
        return done

    def _approve(self, path: Path) -> None:
        """Show what waits for approval, and approve it: here nobody is there to do it."""
        waiting: dict[str, dict[str, Any]] = {}
        for _ in range(_REPORTS):  # the first are those that came while nobody listened
            waiting = {
                k: v for k, v in self._approver.waiting_plans().items() if k not in self._approved
            }
            if waiting:
                break
        for plan_id, about in waiting.items():
            self._print(f'  It waits for approval: {"; ".join(about["steps"])}')
            if _write_jpeg(self._approver.annotated(plan_id), path) is not None:
                self._print(f'  the plan on the picture: {path}')
            reason = self._approver.decide(plan_id, about['hash'], True, 'demo', _PLAN_TIMEOUT)
            self._print(f'  not approved: {reason}' if reason else '  The demo approves it.')
            if not reason:
                self._approved.add(plan_id)

    def _show(self, plan: Plan, annotated: bytes, path: Path, pictures: int) -> None:
        """Print a plan, and keep the camera's picture with the plan on it.

        :param pictures: of the film, before the plan was made.
        """
        from kimi_ros.cli.plan_formatter import plan_lines

        for line in plan_lines(plan):
            self._print(f'  {line}')
        if (rgb := _write_jpeg(annotated, path)) is not None:
            self._film.insert(pictures, rgb, '')  # the plan is written on it
            if plan.id not in self._approved:
                self._print(f'  the plan on the picture: {path}')

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False)


def _write_jpeg(jpeg: bytes, path: Path) -> np.ndarray | None:
    """Write a picture that came as JPEG, and return it, uint8 (H, W, 3); None for b''."""
    from kimi_ros.cli.pictures import write_picture

    if not jpeg:
        return None
    rgb = np.asarray(Image.open(io.BytesIO(jpeg)).convert('RGB'))
    write_picture(path, rgb)
    return rgb


def _nodes(arguments: argparse.Namespace, verdict: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the modules of the nodes to start, and their parameters."""
    from kimi_ros.eval.libero.instructions import SKILLS_FILE
    from kimi_ros.resources import share

    skills = {'skills': str(SKILLS_FILE)}
    robot = {
        'suite': arguments.suite,
        'task': arguments.task,
        'state': arguments.state,
        'verdict': str(verdict.resolve()),
        'rate': 4.0,
    }
    kimi = {**skills, 'max_frame_age': 10.0, 'frame_wait': 60.0}
    # An open drawer is elsewhere than a closed one.
    actions = str(share('config/executor_libero.yaml'))
    executor = {**skills, 'actions': actions, 'max_plan_age': 300.0, 'max_move': 0.3}
    if arguments.model:
        seeing = [
            ('libero_robot', robot),
            ('kimi_node', {**kimi, 'model': arguments.model, 'planner': 'reader'}),
        ]
    else:
        seeing = [('libero_truth', {**robot, **kimi, 'model': 'truth'})]
    return [*seeing, ('executor_node', executor)]


def _instruction(arguments: argparse.Namespace) -> str:
    """Return what the task's instruction is; CommandError where there is no such task."""
    from kimi_ros.eval.libero.instructions import said
    from kimi_ros.sim.libero.benchmark import STATES, LiberoNotInstalled, read_tasks

    try:
        tasks = read_tasks(arguments.suite)
    except (LiberoNotInstalled, ValueError) as error:
        raise CommandError(str(error)) from error
    if not 0 <= arguments.task < len(tasks) or not 0 <= arguments.state < STATES:
        raise CommandError(f'--task is 0 to {len(tasks) - 1}, --state 0 to {STATES - 1}')
    return said(tasks[arguments.task], arguments.lang)


def _backend() -> str:
    from kimi_ros.sim import GLNotAvailable
    from kimi_ros.sim.gl import choose_backend

    try:
        return choose_backend()
    except GLNotAvailable as error:
        raise CommandError(str(error)) from error


def _write(console: Any, film: Film, folder: Path) -> None:
    """Write the strip and the video, where there is anything to show."""
    if not len(film):
        return
    strip, video = folder / 'strip.png', folder / 'episode.mp4'
    film.write_strip(strip)
    film.write_video(video)
    console.print(f'\nstrip of pictures: {strip}', markup=False)
    console.print(f'video: {video}', markup=False)


def _tell(console: Any, verdict: Path) -> bool:
    """Print what the environment says of the task, and return whether it is done."""
    if not verdict.is_file():
        console.print('The environment says nothing: see the logs.')
        return False
    said = json.loads(verdict.read_text(encoding='utf-8'))
    done = bool(said['done'])
    outcome = 'the task is done' if done else 'the task is NOT done'
    console.print(f'The environment says: {outcome}. The arm took {said["steps"]} control steps.')
    return done
