"""The node with a model that says what the instruction asks it to: started as a process by tests.

The agent, the skills and the rules are the real ones; only the eyes and the words are made up.
"""

import json
import sys
import time
from dataclasses import dataclass
from threading import Event

from kimi_ros.agent import Agent, Policy, SkillCatalogue
from kimi_ros.nodes.kimi_node import main
from kimi_ros.nodes.mind import Mind
from kimi_ros.resources import share
from kimi_ros.vlm.errors import Cancelled, VlmError

SLOW_PIECES, SLOW_PAUSE = 600, 0.05  # a minute, unless it is cancelled


@dataclass(frozen=True)
class Mark:
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
class Words:
    text: str


class ScriptedVlm:
    name = 'scripted'

    def require(self, task):
        pass

    def encode_image(self, rgb, *, cancel=None):
        return rgb.shape

    def query(self, image, question, *, grammar=None, stream=False, cancel=None, **_):
        if grammar is None:
            return iter(['A cup.']) if stream else Words('Yes')
        task = question.split('Task: ')[-1]
        if 'break' in task:
            raise VlmError('the engine broke, as it was told to')
        if 'crash' in task:
            raise RuntimeError('nobody expected this')
        thing = 'knife' if 'knife' in task else 'red cup'
        plan = {
            'status': 'ok',
            'say': f'I will pick up the {thing}.',
            'steps': [{'skill': 'pick', 'object': thing}],
        }
        pieces = [json.dumps(plan, separators=(',', ':'))]
        if 'slowly' in task:
            pieces = ['{"status":"ok","say":"'] + ['very '] * SLOW_PIECES
        return self._streamed(pieces, cancel or Event())

    def _streamed(self, pieces, cancel):
        for number, piece in enumerate(pieces):
            if cancel.is_set():
                raise Cancelled('as it was told to')
            yield piece
            if number:
                time.sleep(SLOW_PAUSE)

    def point(self, image, name, **_):
        return [Mark()]

    def detect(self, image, name, **_):
        return [Box()]


def load() -> Mind:
    vlm = ScriptedVlm()
    skills = SkillCatalogue.load(share('config/skills.yaml'))
    return Mind(vlm, Agent(vlm, skills, Policy.load(share('config/policy.yaml'))))


if __name__ == '__main__':
    sys.exit(main(load=load))
