"""How long an answer takes over ROS: from goal accepted to the plan's arrival on its topic."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median

from kimi_ros.process import NodeProcess, isolated, ros_arguments

SEED = 2_000_000


def measure(model: str, rounds: int) -> dict[str, float]:
    """Return seconds: the median and the slowest of `rounds` one-step instructions, 640x480."""
    environment = isolated(os.environ)
    os.environ.update(environment)
    # Imported late: the ROS wheels start Python anew, with the environment as it is by then.
    from kimi_ros.nodes.client import KimiClient

    nodes: list[NodeProcess] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name, parameters in (
                ('sim_camera', {'seed': SEED}),
                ('kimi_node', {'model': model}),
            ):
                log = Path(folder) / f'{name}.log'
                module = f'kimi_ros.nodes.{name}'
                nodes.append(NodeProcess(module, ros_arguments(parameters), environment, log))
            with KimiClient() as client:
                client.wait_ready(180.0, lambda: [node.check() for node in nodes])
                words = ('pick up the red cup', 'where is the blue book?', '帮我找到红色的杯子')
                replies = [client.instruct(words[i % len(words)]) for i in range(rounds)]
        finally:
            for node in reversed(nodes):
                node.stop()
    seconds = [r.seconds for r in replies if r.seconds is not None]
    return {
        'goal accepted to plan published, median': median(seconds),
        'goal accepted to plan published, slowest': max(seconds),
    }
