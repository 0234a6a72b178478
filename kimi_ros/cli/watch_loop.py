"""The loop of `kimi watch`: pictures are shown at once, plans when the model has made them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from kimi_ros.agent import Plan
from kimi_ros.agent.drawing import draw_plan
from kimi_ros.agent.errors import AgentError
from kimi_ros.agent.instruction import validate_instruction
from kimi_ros.cli.pictures import write_picture
from kimi_ros.cli.plan_formatter import plan_lines
from kimi_ros.cli.watch_pictures import (
    STILL_SECONDS,
    FolderRecorder,
    Picture,
    Source,
    VideoRecorder,
)

# Returns the plan for a picture and an instruction; '' asks for what there is. A third argument
# cancels it.
Look = Callable[[Picture, str, threading.Event | None], Plan]
Recorder = FolderRecorder | VideoRecorder

_HELP = 'Type what you want, and Enter; an empty line shows what there is.'
_KEYS = 'In the window: q quits, space pauses, s saves the picture.'
_FONTS = '/usr/share/fonts'
_QUIT = ('q', '\x1b')
_POLL = 15  # ms that a window waits for a key


class NoWindowError(Exception):
    """No window can be opened here; the message says why."""


class Window:
    """A window that shows pictures and takes keys."""

    _TITLE = 'kimi watch'

    def __init__(self) -> None:
        """Open it. Raises NoWindowError."""
        if sys.platform == 'linux' and not any(map(os.environ.get, ('DISPLAY', 'WAYLAND_DISPLAY'))):
            raise NoWindowError('this machine has no display (DISPLAY is not set)')
        if Path(_FONTS).is_dir():  # the wheel's own folder is empty, of which Qt warns
            os.environ['QT_QPA_FONTDIR'] = _FONTS
        try:
            cv2.namedWindow(self._TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise NoWindowError(
                'this OpenCV is one without windows. Install one that has them: '
                f'{sys.executable} -m pip uninstall -y opencv-python-headless && '
                f'{sys.executable} -m pip install opencv-python'
            ) from error
        self._size = (0, 0)

    def show(self, rgb: np.ndarray, wait: int) -> str:
        """Show a picture, uint8 (H, W, 3), and return the key of the next `wait` ms, or ''."""
        if self._size == (0, 0):
            self._size = rgb.shape[1], rgb.shape[0]
            cv2.resizeWindow(self._TITLE, *self._size)
        cv2.imshow(self._TITLE, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(wait)
        try:
            closed = cv2.getWindowProperty(self._TITLE, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # Qt, when its last window is gone
            closed = True
        if closed:
            return 'q'
        return chr(key & 0xFF) if key >= 0 else ''

    def close(self) -> None:
        """Close it."""
        cv2.destroyAllWindows()


@dataclass(frozen=True)
class Seen:
    """A plan and the picture that it was made for."""

    picture: Picture
    plan: Plan


class Looker(threading.Thread):
    """Makes plans for the newest picture; what comes in the meantime is skipped."""

    def __init__(self, look: Look, instruction: str):
        super().__init__(daemon=True)
        self.latest: Seen | None = None
        self.error: Exception | None = None
        self._look, self._instruction = look, instruction
        self._picture: Picture | None = None
        self._changed, self._cancel = threading.Condition(), threading.Event()

    def show(self, picture: Picture) -> None:
        """Give it the newest picture."""
        with self._changed:
            self._picture = picture
            self._changed.notify()

    def ask(self, instruction: str) -> None:
        """Give it another instruction; '' asks for what there is."""
        with self._changed:
            self._instruction = instruction
            self._changed.notify()

    def run(self) -> None:
        """Look until it is closed, or the model fails."""
        done: tuple[Picture | None, str] = None, self._instruction
        while True:
            with self._changed:
                while not self._cancel.is_set() and (self._picture, self._instruction) == done:
                    self._changed.wait()
                done = picture, instruction = self._picture, self._instruction
            if self._cancel.is_set():
                return
            if picture is None:
                continue
            try:
                self.latest = Seen(picture, self._look(picture, instruction, self._cancel))
            except Exception as error:  # raised again where the pictures are shown
                self.error = error
                return

    def close(self) -> None:
        """End it within a step of the model."""
        with self._changed:
            self._cancel.set()
            self._changed.notify()
        self.join()


def watch_live(
    source: Source,
    look: Look,
    window: Window | None,
    recorder: Recorder | None,
    instruction: str,
) -> None:
    """Show and record pictures as they come, until the person quits.

    The last picture of a file stays. Raises CommandError where the source fails, and what `look`
    raises.
    """
    looker = Looker(look, instruction)
    looker.start()
    print(f'{_HELP} {_KEYS if window else "Ctrl+C quits."}', file=sys.stderr)
    threading.Thread(target=_read_instructions, args=(looker,), daemon=True).start()
    try:
        _show_all(source, looker, window, recorder)
    except KeyboardInterrupt:
        pass  # a way to quit
    finally:
        looker.close()


def record(source: Source, look: Look, recorder: Recorder, instruction: str, every: float) -> None:
    """Record a file with its plans, however long that takes; otherwise as `watch_live`.

    :param every: seconds of a video from one plan to the next.
    """
    reporter, due, plan = _Reporter(with_names=not source.rate), 0.0, None
    for picture in source.pictures:
        if plan is None or not source.rate or picture.seconds >= due - 1e-6:
            plan, due = look(picture, instruction, None), picture.seconds + every
            reporter.report(Seen(picture, plan))
            recorder.planned(picture, draw_plan(picture.rgb, plan))
        recorder.shown(picture, draw_plan(picture.rgb, plan), picture.seconds)


def _show_all(
    source: Source, looker: Looker, window: Window | None, recorder: Recorder | None
) -> None:
    reporter, reported = _Reporter(with_names=not source.rate), None
    picture = next(source.pictures)
    looker.show(picture)
    paused, ended = False, False
    clock, shown_at, before = 0.0, 0.0, time.monotonic()  # the clock stands while it is paused
    while True:
        if looker.error:
            raise looker.error
        seen = looker.latest
        if seen and seen is not reported:
            reported = seen
            reporter.report(seen)
            if recorder:
                recorder.planned(seen.picture, draw_plan(seen.picture.rgb, seen.plan))
        # Boxes of the frame before fit a moving picture, but not another picture.
        fits = seen and (source.rate or seen.picture is picture)
        drawn = draw_plan(picture.rgb, seen.plan) if fits else picture.rgb
        if recorder and not (paused or ended):
            recorder.shown(picture, drawn, clock)
        key = window.show(drawn, 1 if source.live else _POLL) if window else ''
        if key in _QUIT:
            return
        if key == 's':
            path = Path('out') / time.strftime('watch_%Y%m%d_%H%M%S.png')
            write_picture(path, drawn)
            print(f'saved: {path}', file=sys.stderr)
        paused ^= key == ' '
        now = time.monotonic()
        clock, before = clock + (0 if paused else now - before), now
        if source.live:
            newest = next(source.pictures)  # also while it is paused, or old ones would queue up
            picture = picture if paused else newest
        elif not (paused or ended):
            if source.rate:
                due = int((clock - picture.seconds) * source.rate)
            else:
                due = int(bool(fits) and clock >= shown_at + STILL_SECONDS)
            for _ in range(due):
                newest = next(source.pictures, None)
                ended = newest is None
                if ended:
                    break
                picture, shown_at = newest, clock
        looker.show(picture)


def _read_instructions(looker: Looker) -> None:
    """Take a line of the terminal as the instruction, as long as there are any."""
    for line in sys.stdin or ():
        try:
            looker.ask(validate_instruction(line) if line.strip() else '')
        except AgentError as error:
            print(f'kimi: {error}', file=sys.stderr)


class _Reporter:
    """Prints plans, each when it says something new."""

    def __init__(self, with_names: bool):
        self._with_names = with_names
        self._said: tuple = ()

    def report(self, seen: Seen) -> None:
        said = seen.plan.instruction, seen.plan.status, seen.plan.say
        if self._with_names:
            said = (*said, seen.picture.name)
            if said != self._said:
                print(f'{seen.picture.name}:')
        if said != self._said:
            print('\n'.join(plan_lines(seen.plan)), flush=True)
        self._said = said
