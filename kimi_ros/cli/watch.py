"""`kimi watch SOURCE ["instruction"]`: a camera, a video or a folder with plans drawn on it, live.

Without ROS. The picture is shown as it comes; the model works in a thread, on the newest one.
"""

from __future__ import annotations

import argparse
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.options import add_model_option, add_planning_options, make_agent

if TYPE_CHECKING:
    from kimi_ros.agent import Plan
    from kimi_ros.cli.watch_loop import Look, Window
    from kimi_ros.cli.watch_pictures import Picture


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        'watch', help='show a camera, a video or pictures with plans drawn on them, without ROS'
    )
    parser.add_argument(
        'source',
        help='a camera (0, /dev/video0, rtsp://... or http://...), a video file, a folder of '
        'pictures, or a picture',
    )
    parser.add_argument(
        'instruction',
        nargs='?',
        default='',
        help='what you want, in English or Chinese (default: boxes around what there is); another '
        'one can be typed at any time',
    )
    parser.add_argument(
        '--names',
        default='',
        metavar='NAME,NAME',
        help='what to look for without an instruction (default: what the model names)',
    )
    parser.add_argument(
        '--language', choices=('en', 'zh'), default='', help='of what is said (default: as asked)'
    )
    add_model_option(parser)
    add_planning_options(parser)
    parser.add_argument(
        '--out',
        type=Path,
        metavar='PATH',
        help='record: a video (.mp4, .mkv, .avi) of all that is shown, or a folder for the '
        'pictures that plans were made for',
    )
    parser.add_argument('--no-window', action='store_true', help='only record')
    parser.add_argument(
        '--every',
        type=float,
        default=0.5,
        metavar='S',
        help='without a window: seconds of a video file from one plan to the next (default: 0.5; '
        '0 is every picture)',
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Watch until the source or the person ends it."""
    from rich.console import Console

    from kimi_ros.agent.errors import AgentError
    from kimi_ros.cli.watch_loop import record, watch_live
    from kimi_ros.cli.watch_pictures import PICTURES, open_recorder, open_source
    from kimi_ros.vlm import VlmError

    if arguments.every < 0:
        raise CommandError(f'--every is {arguments.every:g}: use 0 or more')
    given = Path(arguments.source)
    if arguments.out and given.exists():
        folder = given.parent if given.suffix.lower() in PICTURES else given
        if arguments.out.resolve() in (given.resolve(), folder.resolve()):
            raise CommandError(f'--out {arguments.out} would overwrite {given}: give another name')
    window = _open_window(arguments)
    source = open_source(arguments.source)
    recorder = open_recorder(arguments.out, source) if arguments.out else None
    try:
        with Console(stderr=True).status(f'loading {arguments.model}'):
            look = _make_look(arguments)
        if window or source.live:
            watch_live(source, look, window, recorder, arguments.instruction)
        else:
            record(source, look, recorder, arguments.instruction, arguments.every)
    except (AgentError, VlmError, FileNotFoundError, ValueError) as error:
        raise CommandError(str(error)) from error
    finally:
        if recorder:
            recorder.close()
        if window:
            window.close()
    if recorder:
        print(f'recorded: {arguments.out}', file=sys.stderr)
    return 0


def _open_window(arguments: argparse.Namespace) -> Window | None:
    """Return the window, or None where only a recording is wanted or possible."""
    from kimi_ros.cli.watch_loop import NoWindowError, Window

    if arguments.no_window and not arguments.out:
        raise CommandError('--no-window shows nothing: record with --out FILE.mp4 or a folder')
    if arguments.no_window:
        return None
    try:
        return Window()
    except NoWindowError as error:
        if not arguments.out:
            raise CommandError(
                f'no window can be opened: {error}. Without one, record with --out FILE.mp4 or a '
                'folder'
            ) from error
        print(f'no window, recording only: {error}', file=sys.stderr)
        return None


def _make_look(arguments: argparse.Namespace) -> Look:
    """Load the model and return what makes a plan for a picture."""
    from kimi_ros.agent import Frame
    from kimi_ros.agent.overview import overview
    from kimi_ros.agent.planners.factory import has_closed_vocabulary
    from kimi_ros.agent.prompts import describe_question
    from kimi_ros.vlm import VisionLanguageModel

    vlm = VisionLanguageModel.load(arguments.model)
    names = [n.strip() for n in re.split('[,，、]', arguments.names) if n.strip()]
    # Other models describe a view in free sentences, from which no names can be read.
    lists = bool(names) or has_closed_vocabulary(vlm)
    agent = make_agent(arguments, vlm)

    def look(picture: Picture, instruction: str, cancel: threading.Event | None = None) -> Plan:
        frame, language = Frame(picture.rgb), arguments.language
        if lists and not instruction:
            return overview(agent, frame, names, language, cancel)
        asked = instruction or describe_question(language or 'en')
        return agent.run(frame, asked, language, cancel=cancel)

    return look
