"""A suite of LIBERO, task by task, over processes, resuming from its journal."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.agent.planners import RemoteSettings
from kimi_ros.eval.contact_sheet import MAX_FAILURES, contact_sheet
from kimi_ros.eval.journal import Journal
from kimi_ros.eval.libero.scoring import FIGURES, TRUTH, score_episode
from kimi_ros.eval.metrics import Metric, compute_metric
from kimi_ros.eval.outcome import Outcome
from kimi_ros.sim.libero.benchmark import STATES, Task, read_tasks
from kimi_ros.sim.libero.world import World

_AT_ONCE = 5  # episodes that a process runs before it tells


@dataclass(frozen=True)
class Settings:
    """What is evaluated.

    :ivar suite: one of `kimi_ros.sim.libero.benchmark.SUITES`.
    :ivar episodes: of each task, at most STATES.
    :ivar language: 'en' or 'zh', of the instructions.
    :ivar detections: their source: TRUTH, or a model's name or folder.
    :ivar planner: one of `kimi_ros.agent.planners.PLANNERS`.
    :ivar remote: the server of the planner 'remote'.
    """

    suite: str
    episodes: int
    language: str
    detections: str
    planner: str
    remote: RemoteSettings | None = None


@dataclass(frozen=True)
class _Share:
    """The episodes of one task that one process runs."""

    settings: Settings
    task: int
    states: tuple[int, ...]


def run_suite(
    settings: Settings,
    journal: Journal,
    pictures: Path | None = None,
    processes: int = 1,
    on_episode: Callable[[], None] = lambda: None,
) -> list[Metric]:
    """Run every episode that is not in the journal; return the figures over all.

    :param pictures: a folder for the first picture of each failure; None keeps none.
    :param on_episode: called after each.
    """
    numbers = episode_numbers(settings)
    shares = []
    for task in range(len(read_tasks(settings.suite))):
        left = [n % STATES for n in numbers if n // STATES == task and n not in journal.done]
        shares += [_Share(settings, task, tuple(left))] if left else []
    for number, outcome, picture in _results(shares, processes):
        if pictures is not None and not outcome.correct:
            pictures.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(pictures / f'{number}.png')
        journal.add(number, [outcome])
        on_episode()
    done = [journal.done[n] for n in numbers]
    shares_of = [compute_metric(name, done, is_share=True) for name in FIGURES]
    return [*shares_of, compute_metric('steps', done, is_share=False)]


def episode_numbers(settings: Settings) -> list[int]:
    """Return the numbers of a run's episodes: the task's number times STATES, plus the state's."""
    tasks = range(len(read_tasks(settings.suite)))
    return [task * STATES + state for task in tasks for state in range(settings.episodes)]


def failures_sheet(journal: Journal, pictures: Path) -> np.ndarray | None:
    """Return a contact sheet, uint8 (H, W, 3), of the failures; None where there are none."""
    failures = []
    for number, outcomes in sorted(journal.done.items()):
        file = pictures / f'{number}.png'
        if not outcomes[0].correct and file.is_file() and len(failures) < MAX_FAILURES:
            failures.append((number, np.array(Image.open(file).convert('RGB')), outcomes[0]))
    return contact_sheet(failures) if failures else None


class _Stage:
    """The simulator of a process: it stays while tasks share a scene."""

    def __init__(self):
        self._world: World | None = None

    def show(self, task: Task) -> World:
        if self._world is None or not self._world.switch_task(task):
            if self._world is not None:
                self._world.close()
            self._world = World(task)
        return self._world


_stage = _Stage()


def _results(shares: Sequence[_Share], processes: int) -> Iterator[tuple[int, Outcome, np.ndarray]]:
    if processes == 1:
        for share in shares:
            yield from _episodes(share)
        return
    # A few states a call: to set a world up takes as long as an episode or two.
    parts = [
        _Share(s.settings, s.task, s.states[i : i + _AT_ONCE])
        for s in shares
        for i in range(0, len(s.states), _AT_ONCE)
    ]
    context = multiprocessing.get_context('spawn')  # OpenGL does not survive a fork
    with context.Pool(min(processes, len(parts) or 1)) as pool:
        for results in pool.imap_unordered(_episode_list, parts):
            yield from results


def _episode_list(share: _Share) -> list[tuple[int, Outcome, np.ndarray]]:
    return list(_episodes(share))


def _episodes(share: _Share) -> Iterator[tuple[int, Outcome, np.ndarray]]:
    settings = share.settings
    task = read_tasks(settings.suite)[share.task]
    world = _stage.show(task)
    with _perception(settings.detections) as perception:
        for state in share.states:
            outcome, picture = score_episode(
                world, state, perception, settings.planner, settings.language, settings.remote
            )
            yield share.task * STATES + state, outcome, picture


def _perception(detections: str):
    """Return a context manager that gives the model, or TRUTH itself."""
    if detections == TRUTH:
        return nullcontext(TRUTH)
    from kimi_ros.vlm import VisionLanguageModel

    return VisionLanguageModel.load(detections)
