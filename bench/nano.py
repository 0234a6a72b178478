"""Benchmark of the bundled model nano: time to first token, and single calls."""

from __future__ import annotations

import time
from collections.abc import Callable

from .results import Results
from .timing import interleave
from .worker import Worker

_ROUNDS = 25
_LONGEST = 48


class Start:
    """Load nano and generate one token, including the imports."""

    def __init__(self, threads: int) -> None:
        # The image is not part of the measurement.
        from kimi_ros.sim import recorded_frames

        rgb = recorded_frames()[0].frame.rgb
        started = time.perf_counter()
        from kimi_ros.vlm import VisionLanguageModel

        vlm = VisionLanguageModel.load('nano', threads=threads)
        vlm.caption(vlm.encode_image(rgb), 'short', max_tokens=1)
        self._seconds = time.perf_counter() - started

    def seconds(self) -> float:
        """Time from the first import to the first token."""
        return self._seconds


class Nano:
    """Calls on rendered frames of 640x480, and whole plans."""

    def __init__(self, threads: int, model: str) -> None:
        from kimi_ros.agent import Agent, Policy, SkillCatalogue
        from kimi_ros.resources import share
        from kimi_ros.sim import recorded_frames
        from kimi_ros.vlm import VisionLanguageModel

        self._vlm = VisionLanguageModel.load(model, threads=threads)
        self._frames = [recorded.frame for recorded in recorded_frames()]
        self._agent = Agent(
            self._vlm,
            SkillCatalogue.load(share('config/skills.yaml')),
            Policy.load(share('config/policy.yaml')),
        )

    def turn(self, number: int) -> dict[str, float]:
        """Time each call once, on one of the frames."""
        from kimi_ros.agent import Frame

        view, vlm, seconds = self._frames[number % len(self._frames)], self._vlm, {}

        def timed(name: str, call: Callable):
            started = time.perf_counter()
            result = call()
            seconds[name] = time.perf_counter() - started
            return result

        image = timed('encode a new frame', lambda: vlm.encode_image(view.rgb))
        timed('point, first question', lambda: vlm.point(image, 'red cup'))
        timed('point, second question', lambda: vlm.point(image, 'blue book'))
        timed('detect', lambda: vlm.detect(image, 'blue book'))
        answer = timed('an answer', lambda: vlm.caption(image, 'short', max_tokens=_LONGEST))
        timed('its first token', lambda: vlm.caption(image, 'short', max_tokens=1))
        later = seconds['an answer'] - seconds['its first token']
        seconds['a later token'] = later / max(len(answer.ids) - 1, 1)
        frame = Frame(
            rgb=view.rgb,
            depth=view.depth,
            intrinsics=view.intrinsics,
            camera_pose=view.camera_pose,
        )
        timed('a plan, the whole agent', lambda: self._agent.run(frame, 'pick up the red cup'))
        return seconds


def measure(model: str, threads: int, repeats: int) -> Results:
    """Time to first token in new processes, then rounds of calls in one process."""

    def start() -> float:
        with Worker('nano_start', threads) as worker:
            return worker.call('seconds')

    found, rows = Results(), {}
    # The warm-up round also exports nano on first use.
    starts = interleave({'start': start}, repeats)['start']
    found.add('nano.start', 'nano: load to first token', 's', starts, 'imports included')
    with Worker('nano', threads, model=model) as nano:
        for number in range(_ROUNDS + 1):
            turn = nano.call('turn', number=number)
            for name, seconds in turn.items() if number else ():
                rows.setdefault(name, []).append(seconds)
    for name, seconds in rows.items():
        found.add(f'nano.{name.replace(" ", "_")}', f'{model}: {name}', 's', seconds)
    return found
