"""Models that say what they are told or know it all; recorded scenes, and rendered ones."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from kimi_ros.agent import Frame
from kimi_ros.eval.held_out_scenes import HeldOutScene, held_out_scene
from kimi_ros.sim import GLNotAvailable, Renderer, recorded_frames
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.fake import FakeEngine
from kimi_ros.vlm.tokenizer import TextTokenizer

TASKS = ('query', 'caption', 'point', 'detect', 'plan')
NANO = Path(__file__).parents[2] / 'models' / 'nano'
LANGUAGES = ('en', 'zh')


@pytest.fixture
def recorded_worlds(monkeypatch):
    """Let every scene of `kimi eval` be one of the recorded ones."""
    frames = recorded_frames()

    def recorded(self, seed):
        taken = frames[seed % len(frames)]
        view = taken.frame
        frame = Frame(
            view.rgb,
            depth=view.depth,
            intrinsics=view.intrinsics,
            camera_pose=view.camera_pose,
        )
        return HeldOutScene(seed, frame, view.segmentation, taken.truth)

    monkeypatch.setattr('kimi_ros.eval.held_out_scenes.SceneSource.scene', recorded)


@pytest.fixture(scope='session')
def rendered():
    """A scene by its world, whether it has a held-out pair, and its number: each rendered once."""
    try:
        renderer = Renderer(320, 240)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    known = {}

    def get(world, held_out, seed):
        key = world, held_out, seed
        if key not in known:
            known[key] = held_out_scene(seed, renderer, world, held_out)
        return known[key]

    with renderer:
        yield get


@pytest.fixture
def rendered_worlds(monkeypatch, rendered):
    """Let `kimi eval` take the scenes that were rendered before."""
    monkeypatch.setattr(
        'kimi_ros.eval.held_out_scenes.SceneSource.scene',
        lambda self, seed: rendered(self.world, self.held_out, seed),
    )


@pytest.fixture
def model_saying(monkeypatch, recorded_worlds):
    """Make `nano` a model with one answer to everything: words, or ids and `ScriptedOutput`s."""
    config = ModelConfig.from_dict(json.loads((NANO / 'config.json').read_text()))
    tokenizer = TextTokenizer.from_file(NANO / 'tokenizer.json')

    def make(script):
        ids = tokenizer.encode(script) if isinstance(script, str) else script
        engine = FakeEngine(config, ids)

        def load(model, *_, **__):
            return VisionLanguageModel(engine, tokenizer, name='fake', tasks=TASKS)

        monkeypatch.setattr(VisionLanguageModel, 'load', load)
        return engine

    return make


@dataclass(frozen=True)
class Spot:
    """A point and a box in one, in 0-1."""

    x: float
    y: float
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    score: float = 0.9

    def clip(self):
        return self


class Knowing:
    """Is right about all that it is asked, or, `astray`, takes each thing for another one.

    `question` returns, for a world and a language, what will be asked: the right plan by the
    instruction, and the places in `world.objects` by the name.
    """

    name = 'knowing'

    def __init__(self, question, astray=False):
        self.question, self.astray = question, astray
        self.plans, self.world = {}, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def require(self, task):
        pass

    def encode_image(self, rgb, *, cancel=None):
        return rgb

    def look_at(self, world):
        self.world, self.plans, self.names = world, {}, {}
        for language in LANGUAGES:
            plans, names = self.question(world, language)
            self.plans |= plans
            self.names |= names

    def query(self, image, question, *, grammar=None, spatial_refs=(), **_):
        text = 'Yes'
        if grammar is not None:
            instruction = question.split(' Task: ')[1]
            plan = self.plans[instruction]
            if len(grammar['anyOf']) == 1 and plan['status'] != 'ok':
                plan = {'status': 'refused', 'say': '', 'steps': []}  # no plan to carry out
            text = json.dumps(plan, ensure_ascii=False, separators=(',', ':'))
        return SimpleNamespace(text=text)

    def point(self, image, name, *, max_objects=50, cancel=None):
        return [self._spot(i) for i in self.names.get(name, ())][:max_objects]

    detect = point

    def _spot(self, index):
        objects, (width, height) = self.world.objects, self.world.frame.size
        thing = objects[(index + self.astray) % len(objects)]
        x0, y0, x1, y1 = thing.box
        x, y = thing.point
        return Spot(x / width, y / height, x0 / width, y0 / height, x1 / width, y1 / height)


@pytest.fixture
def model_knowing(monkeypatch, rendered_worlds):
    """Make `nano` a model that knows what is right, of rendered scenes."""
    from kimi_ros.eval.held_out_scenes import SceneSource

    look = SceneSource.scene

    def make(question, astray=False):
        model = Knowing(question, astray)

        def seen(self, seed):
            found = look(self, seed)
            model.look_at(found)
            return found

        monkeypatch.setattr(SceneSource, 'scene', seen)
        monkeypatch.setattr(VisionLanguageModel, 'load', lambda *_, **__: model)

    return make


@pytest.fixture
def about_task():
    """What will be asked where a suite gives an instruction: for `Knowing`."""

    def about(task):
        return {task.instruction: task.plan}, dict(task.referents)

    return about
