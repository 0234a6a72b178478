"""How long the model takes: one question after another, interleaved, medians over the rounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from kimi_ros.agent import Agent, Policy, SkillCatalogue
from kimi_ros.resources import share
from kimi_ros.sim import recorded_frames
from kimi_ros.vlm import VisionLanguageModel


def measure(model: str, threads: int, rounds: int) -> dict[str, float]:
    """Return seconds for each row, with frames of 640x480."""
    began = time.perf_counter()
    vlm = VisionLanguageModel.load(model, threads=threads)
    loaded = time.perf_counter() - began
    frames = [f.frame.rgb for f in recorded_frames()]
    agent = Agent(
        vlm,
        SkillCatalogue.load(share('config/skills.yaml')),
        Policy.load(share('config/policy.yaml')),
    )
    rows: dict[str, list[float]] = {}

    def timed(name: str, call: Callable):
        start = time.perf_counter()
        result = call()
        rows.setdefault(name, []).append(time.perf_counter() - start)
        return result

    for turn in range(rounds):
        rgb = np.ascontiguousarray(frames[turn % len(frames)])
        image = timed('look at a new frame', lambda rgb=rgb: vlm.encode_image(rgb))
        timed('first question: point', lambda image=image: vlm.point(image, 'red cup'))
        timed('second question: point', lambda image=image: vlm.point(image, 'blue book'))
        timed('box', lambda image=image: vlm.detect(image, 'blue book'))
        caption = timed('caption', lambda image=image: vlm.caption(image, 'short'))
        timed('its first token', lambda image=image: vlm.caption(image, 'short', max_tokens=1))
        later = rows['caption'][-1] - rows['its first token'][-1]
        rows.setdefault('a later token', []).append(later / max(len(caption.ids) - 1, 1))
        frame = recorded_frame(turn)
        timed('a plan, the whole agent', lambda f=frame: agent.run(f, 'pick up the red cup'))
    return {'load': loaded} | {name: median(values) for name, values in rows.items()}


def recorded_frame(turn: int):
    """Return a recorded frame as the agent takes it."""
    from kimi_ros.agent import Frame

    views = recorded_frames()
    view = views[turn % len(views)].frame
    return Frame(
        rgb=view.rgb,
        depth=view.depth,
        intrinsics=view.intrinsics,
        camera_pose=view.camera_pose,
    )
