"""The node with a scripted model, started as a process by tests.

The agent, the skills and the policy are real; only the model's outputs are scripted.
"""

import json
import sys
from dataclasses import dataclass

import numpy as np

from kimi_ros.agent import Agent, Policy, SkillCatalogue
from kimi_ros.nodes import kimi_node, plan_publisher
from kimi_ros.nodes.model_loader import ModelBundle
from kimi_ros.resources import share
from kimi_ros.vlm.errors import Cancelled, VlmError

# Things it knows, and where it sees them, 0 to 1; everything else is in the middle.
PLACES = {'knife': (0.5, 0.5), 'blue cup': (0.9, 0.85)}
PAIR = 'green cup'  # it sees two of them, left and right, and calls them cups, too
BRIGHT = 'bright knife'  # it is where the picture is brightest, and not in a dark one
SLOW_PAUSE = 0.05  # seconds between the words of a plan that never ends


@dataclass(frozen=True)
class Point:
    x: float = 0.5
    y: float = 0.5
    score: float = 0.9


@dataclass(frozen=True)
class Box:
    x_min: float = 0.4
    y_min: float = 0.4
    x_max: float = 0.6
    y_max: float = 0.6
    score: float = 0.9

    def clip(self):
        return self


@dataclass(frozen=True)
class Answer:
    text: str


class ScriptedVlm:
    name = 'scripted'

    def require(self, task):
        pass

    def encode_image(self, rgb, *, cancel=None):
        return rgb

    def query(self, image, question, *, grammar=None, stream=False, cancel=None, **_):
        if grammar is None:
            return iter(['A cup.']) if stream else Answer('Yes')
        task = question.split('Task: ')[-1]
        if 'break' in task:
            raise VlmError('the engine failed')
        if 'crash' in task:
            raise RuntimeError('unexpected')
        thing = next((name for name in (BRIGHT, PAIR, *PLACES) if name in task), 'red cup')
        garbled = '6' if 'garble' in task else ''
        plan = {
            'status': 'ok',
            'say': f'I will pick up the {thing}{garbled}.',
            'steps': [{'skill': 'pick', 'object': thing}],
        }
        whole = json.dumps(plan, separators=(',', ':'))
        if 'slowly' in task:
            return self._until_cancelled(whole, cancel, ignore_cancel='deaf' in task)
        return iter([whole]) if stream else Answer(whole)

    def _until_cancelled(self, whole, cancel, ignore_cancel):
        """Write until cancelled; then raise, or finish the plan if cancelling is ignored."""
        before, after = whole.split('I will', 1)
        yield before
        while not cancel.wait(SLOW_PAUSE):
            yield 'very '
        if not ignore_cancel:
            raise Cancelled('scripted')
        yield 'I will' + after

    def point(self, image, name, **_):
        return [Point(*xy) for xy in places(image, name)]

    def detect(self, image, name, **_):
        if name in ('person', 'hand'):
            return []
        return [Box(x - 0.1, y - 0.1, x + 0.1, y + 0.1) for x, y in places(image, name)]


def places(rgb, name):
    if 'left' in name:
        return [(0.2, 0.5)]
    if name in (PAIR, 'cup'):
        return [(0.2, 0.5), (0.8, 0.5)]
    if name != BRIGHT:
        return [PLACES.get(name, (0.5, 0.5))]
    if rgb[..., 1].max() < 128:
        return []
    rows, columns = np.nonzero(rgb[..., 1] >= rgb[..., 1].max())
    return [(columns.mean() / rgb.shape[1], rows.mean() / rgb.shape[0])]


def load() -> ModelBundle:
    vlm = ScriptedVlm()
    skills = SkillCatalogue.load(share('config/skills.yaml'))
    return ModelBundle(vlm, Agent(vlm, skills, Policy.load(share('config/policy.yaml'))))


def failing(real, word):
    """Return a function that fails for plans of instructions with this word."""

    def function(*arguments):
        if any(word in getattr(a, 'instruction', '') for a in arguments):
            raise RuntimeError(f'cannot: {word}')
        return real(*arguments)

    return function


if __name__ == '__main__':
    plan_publisher.draw_plan = failing(plan_publisher.draw_plan, 'undrawable')
    plan_publisher.plan_to_message = failing(plan_publisher.plan_to_message, 'unpublishable')
    sys.exit(kimi_node.main(load=load))
