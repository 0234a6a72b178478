"""Benchmark of rendering and training: rates, ratios and missing rows."""

import pytest

from bench import training
from bench.results import Results
from bench.worker import Missing
from kimi_ros.sim import GLNotAvailable, Renderer


class Stand:
    """Stands where a worker will: it gives what is known, and keeps what it was asked."""

    lacking: dict[str, str] = {}
    asked: list[tuple] = []

    def __init__(self, name, threads, **arguments):
        if name in self.lacking:
            raise Missing(self.lacking[name])
        self.name, self.arguments = name, arguments

    def call(self, method, **arguments):
        self.asked.append((self.name, self.arguments, arguments))
        if self.name == 'scene_sets':
            return 2.0 + 0.01 * arguments['scenes']  # two seconds to start
        if self.name == 'rendering':
            return {'sample': 0.005, 'cpu': 130.0, 'wall': 90.0}
        images = 40.0 if self.arguments['trained'] == 'encoder' else 10.0
        images *= 1.5 if self.arguments['precision'] == 'bf16' else 1
        return {'images': images, 'questions': 13 * images, 'making': 0.1}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def stand(monkeypatch):
    monkeypatch.setattr(Stand, 'asked', [])
    monkeypatch.setattr(Stand, 'lacking', {})
    monkeypatch.setattr(training, 'Worker', Stand)
    return Stand


def test_rates_and_their_ratios(stand):
    found = training.measure(threads=2, repeats=3)
    assert found.missing == {}
    rates = {key: figure.median for key, figure in found.figures.items()}
    assert rates == pytest.approx(
        {
            **{
                f'training.render.{world}.{by}': rate
                for world in ('small', 'full')
                for by, rate in (('cpu', 130.0), ('wall', 90.0))
            },
            'training.sample.small': 0.005,
            'training.sample.full': 0.005,
            'training.scenes': 100.0,
            'training.images.encoder.fp32': 40.0,
            'training.images.encoder.bf16': 60.0,
            'training.images.all.fp32': 10.0,
            'training.images.all.bf16': 15.0,
            'training.questions.fp32': 130.0,
            'training.questions.bf16': 195.0,
            'training.ratio.encoder': 1.5,
            'training.ratio.all': 1.5,
            'training.ratio.alone': 4.0,
        }
    )
    assert all(len(figure.values) == 3 for figure in found.figures.values())


def test_workers_alternate_on_the_generated_scenes(stand):
    training.measure(threads=2, repeats=2)
    workers = [about for name, about, _ in stand.asked if name == 'training_throughput']
    turns = [(about['trained'], about['precision']) for about in workers]
    assert turns == 3 * [('encoder', 'fp32'), ('encoder', 'bf16'), ('all', 'fp32'), ('all', 'bf16')]
    made = {asked['folder'] for name, _, asked in stand.asked if name == 'scene_sets'}
    assert made == {about['folder'] for about in workers} and len(made) == 1
    last = [asked['scenes'] for name, _, asked in stand.asked if name == 'scene_sets'][-1]
    assert last > 100, 'training would use only the few scenes of the start-up measurement'


def test_missing_pytorch_skips_training_only(stand):
    stand.lacking = {'training_throughput': 'PyTorch is not installed'}
    found = training.measure(threads=2, repeats=1)
    assert set(found.missing.values()) == {'PyTorch is not installed'}
    assert {'training.images.all.bf16', 'training.images.encoder.fp32'} <= set(found.missing)
    assert found.median('training.scenes') and found.median('training.render.full.wall')


def test_missing_opengl_skips_every_row(stand):
    stand.lacking = {'rendering': 'no OpenGL', 'scene_sets': 'no OpenGL'}
    found = training.measure(threads=2, repeats=1)
    assert found.figures == {} and stand.asked == []
    assert {'training.render.small.wall', 'training.scenes', 'training.images.all.fp32'} <= set(
        found.missing
    )
    assert all('no OpenGL' in why for why in found.missing.values())


@pytest.fixture(scope='module')
def opengl():
    try:
        Renderer(64, 48).close()
    except GLNotAvailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize('world', ['small', 'full'])
def test_rendering_speed_is_measured(opengl, world, monkeypatch):
    monkeypatch.setattr(training.os, 'sched_setaffinity', lambda *_: None, raising=False)
    turn = training.Rendering(1, world).turn(frames=3)
    assert set(turn) == {'sample', 'cpu', 'wall'} and min(turn.values()) > 0


def test_training_throughput_is_measured(opengl, tmp_path, monkeypatch):
    pytest.importorskip('torch', reason='make test-train installs it')
    from bench.training_throughput import TrainingThroughput

    monkeypatch.setattr(training, '_WORKERS', 1)
    assert training.SceneSets(1).seconds(str(tmp_path), 4) > 0
    for trained, precision in (('encoder', 'fp32'), ('all', 'bf16')):
        worker = TrainingThroughput(1, str(tmp_path), trained, precision)
        turn = worker.turn(steps=1)
        assert turn['images'] > 0 and 0 < turn['making'] < 1
        assert (turn['questions'] > turn['images']) == (trained == 'all')


def test_report_has_the_training_section(tmp_path):
    pytest.importorskip('matplotlib')
    from bench.report import write

    found = Results()
    found.add('training.images.all.bf16', 'images, everything, bf16', '/s', [10.0, 11.0, 12.0])
    found.add('training.ratio.all', 'everything, bf16 against fp32', 'x', [1.4, 1.5, 1.6])
    found.missing['training.scenes'] = 'no OpenGL here'
    page, *_ = write(found, tmp_path / 'benchmarks.md')
    text = page.read_text()
    for part in (
        '## Rendering and training',
        '| 11.0 /s | 10.0 /s to 12.0 /s |',
        '| 1.50x |',
        '`training.scenes` is missing: no OpenGL here.',
    ):
        assert part in text
