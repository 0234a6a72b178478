"""A model that answers from a table, and what else the agent's tests share."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from kimi_ros.agent import Agent, Frame, Policy, SkillCatalogue

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class FakePoint:
    x: float
    y: float
    score: float


@dataclass(frozen=True)
class FakeBox:
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    score: float

    def clip(self):
        limits = {
            n: min(max(getattr(self, n), 0.0), 1.0) for n in ('x_min', 'y_min', 'x_max', 'y_max')
        }
        return replace(self, **limits)


class FakeAnswer:
    def __init__(self, text):
        self.text = text

    def __iter__(self):
        for start in range(0, len(self.text), 3):
            yield self.text[start : start + 3]

    def result(self):
        return self


class FakeVlm:
    """Sees `things` (name -> boxes in 0-1), writes `plan`, and remembers what it was asked.

    `plan` is a dict or a text; `supposed` is what it writes when only plans to carry out are
    allowed.
    """

    name = 'fake'

    def __init__(self, plan, things=None, supposed=None, check='Yes', description='I see a cup.'):
        self.plan, self.supposed = plan, supposed
        self.things = things or {}
        self.check, self.description = check, description
        self.points = None
        self.score = 0.9
        self.questions, self.encoded = [], 0
        self.required = []

    def require(self, task):
        self.required.append(task)

    def encode_image(self, rgb, *, cancel=None):
        self.encoded += 1
        return 'image'

    def query(
        self,
        image,
        question,
        *,
        max_tokens,
        spatial_refs=(),
        grammar=None,
        stream=False,
        cancel=None,
    ):
        self.questions.append((question, tuple(spatial_refs)))
        assert image == 'image' and max_tokens > 0
        if grammar is None:
            return FakeAnswer(self.check if spatial_refs else self.description)
        plan = self.plan
        if len(grammar['anyOf']) == 1:
            plan = self.supposed
        return FakeAnswer(plan if isinstance(plan, str) else compact(plan))

    def detect(self, image, name, *, max_objects, cancel=None):
        return [FakeBox(*b, self.score) for b in self.things.get(name, [])][:max_objects]

    def point(self, image, name, *, max_objects, cancel=None):
        if self.points is not None:
            return [FakePoint(*p, self.score) for p in self.points]
        return [
            FakePoint((b[0] + b[2]) / 2, (b[1] + b[3]) / 2, self.score)
            for b in self.things.get(name, [])
        ]


def compact(plan):
    return json.dumps(plan, ensure_ascii=False, separators=(',', ':'))


def picture(width=640, height=480):
    return np.random.default_rng(0).integers(60, 200, (height, width, 3), np.uint8)


def ok(say, *steps):
    return {'status': 'ok', 'say': say, 'steps': list(steps)}


def pick(name):
    return {'skill': 'pick', 'object': name}


def place(name, target):
    return {'skill': 'place', 'object': name, 'target': target}


@pytest.fixture(scope='session')
def catalogue():
    return SkillCatalogue.load(ROOT / 'config' / 'skills.yaml')


@pytest.fixture(scope='session')
def policy():
    return Policy.load(ROOT / 'config' / 'policy.yaml')


@pytest.fixture
def frame():
    return Frame(picture(), stamp=12.5)


@pytest.fixture
def make_agent(catalogue, policy):
    def make(vlm, skills=catalogue, rules=policy, clock=lambda: 1000.0):
        return Agent(vlm, skills, rules, clock)

    return make


@pytest.fixture
def kit():
    """The helpers above: test files are no packages and cannot import one another."""

    class Kit:
        FakeVlm = FakeVlm
        picture = staticmethod(picture)
        ok = staticmethod(ok)
        pick = staticmethod(pick)
        place = staticmethod(place)
        root = ROOT

    return Kit
