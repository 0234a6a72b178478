"""Validation, rehearsal, more epochs: what tells and keeps a checkpoint from forgetting."""

import json
import shutil

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from kimi_ros.sim import GLNotAvailable, Renderer
from kimi_train.cli import main
from kimi_train.tune.dataset import read_samples
from kimi_train.tune.rehearsal import chunks
from kimi_train.tune.settings import TuneError
from kimi_train.tune.validation import split, validation_source

RUN = ['--lora-rank', '2', '--epochs', '3', '--batch-size', '2', '--tracker', 'none']


def tune(checkpoint, data, out, *options):
    return main(['tune', str(checkpoint), str(data), '--out', str(out), *RUN, *options])


def lines_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture(scope='module')
def held_out(user_data, tmp_path_factory):
    """Lines about a picture that is not trained on."""
    folder = tmp_path_factory.mktemp('held_out')
    shutil.copy(user_data.parent / '0.png', folder / 'other.png')
    lines = [line | {'image': 'other.png'} for line in lines_of(user_data) if 'image' in line]
    file = folder / 'held_out.jsonl'
    file.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    return file


def test_every_epoch_is_measured_task_by_task(tiny, user_data, held_out, tmp_path):
    assert tune(tiny, user_data, tmp_path, '--validation', str(held_out)) == 0
    found = lines_of(tmp_path / 'validation.jsonl')
    steps = len(lines_of(tmp_path / 'log.jsonl'))
    assert [line['step'] for line in found] == [0, 2, 4, steps]
    tasks = {sample.task for sample in read_samples([held_out])}
    for line in found:
        assert {f'{task}_{name}' for task in tasks for name in ('loss', 'exact')} <= line.keys()
    assert found[-1]['loss'] < found[0]['loss']


def test_the_best_step_is_what_is_written(tiny, user_data, held_out, tmp_path, capsys):
    """At such a rate the model gets worse after it got better: the last step is not the best."""
    wild = ['--learning-rate', '0.3', '--epochs', '12', '--validate-every', '1']
    assert tune(tiny, user_data, tmp_path, *wild, '--validation', str(held_out)) == 0
    found = lines_of(tmp_path / 'validation.jsonl')
    best = min(found, key=lambda line: line['loss'])
    assert best['step'] < found[-1]['step']
    assert f'is that of step {best["step"]}:' in capsys.readouterr().out
    written = load_file(tmp_path / 'adapter.safetensors')
    kept = torch.load(tmp_path / 'best.pt')
    last = torch.load(tmp_path / 'last.pt')['trained']
    assert kept['step'] == best['step']
    assert all(torch.equal(tensor, kept['trained'][name]) for name, tensor in written.items())
    assert any(not torch.equal(tensor, last[name]) for name, tensor in written.items())


def test_a_share_holds_out_whole_images(user_data):
    samples = read_samples([user_data])
    training, validation = split(samples, 0.4, seed=0)
    assert len(training) + len(validation) == len(samples) and validation
    assert not {s.image for s in training} - {None} & {s.image for s in validation}
    assert split(samples, 0.4, seed=0)[1] == validation
    with pytest.raises(TuneError, match='leaves none to train on'):
        split(samples, 0.99, seed=0)
    with pytest.raises(TuneError, match='share between 0 and 1'):
        validation_source('1.5')


def test_right_answers_are_told_from_wrong_ones(tiny, user_data, tmp_path):
    """Learnt by heart, one's own lines are right; at the start none is."""
    options = ['--lora-rank', '0', '--learning-rate', '3e-3', '--epochs', '60']
    options += ['--validate-every', '40']
    assert tune(tiny, user_data, tmp_path, *options, '--validation', str(user_data)) == 0
    found = lines_of(tmp_path / 'validation.jsonl')
    assert found[0]['plan_exact'] == 0 and found[0]['query_exact'] == 0
    assert max(line['plan_exact'] for line in found) == 1
    assert max(line['query_exact'] for line in found) > 0.8


def test_lines_are_rehearsed_in_every_epoch(tiny, user_data, held_out, tmp_path):
    assert tune(tiny, user_data, tmp_path / 'plain') == 0
    assert tune(tiny, user_data, tmp_path / 'both', '--rehearse', str(held_out)) == 0
    plain, both = (len(lines_of(tmp_path / n / 'log.jsonl')) for n in ('plain', 'both'))
    assert both > plain


def test_every_image_is_rehearsed_once(user_data):
    samples = read_samples([user_data])
    parts = chunks(samples, 2)
    assert sum(map(len, parts)) == len(samples)
    images = [{sample.image for sample in part} for part in parts]
    assert len(images) == 2 and not images[0] & images[1]
    assert len(chunks(samples, 100)) == 1


def test_rendered_scenes_are_rehearsed_and_measured(start, user_data, tmp_path):
    try:
        Renderer(64, 48).close()
    except GLNotAvailable as error:
        pytest.skip(str(error))
    import kimi_train.tune.rehearsal as rehearsal

    checkpoint = tmp_path / 'checkpoint'
    shutil.copytree(start, checkpoint)
    from kimi_ros.vlm.config import ModelConfig
    from kimi_train.model import Moondream

    torch.manual_seed(0)
    config = ModelConfig.from_dict(json.loads((start / 'config.json').read_text()))
    tensors = {f'model.{n}': t.contiguous() for n, t in Moondream(config).state_dict().items()}
    from safetensors.torch import save_file

    save_file(tensors, checkpoint / 'model.safetensors')
    assert rehearsal.VALIDATION_SCENES > 2
    options = ['--rehearse', 'synthetic', '--validation', '0.4', '--epochs', '1']
    assert tune(checkpoint, user_data, tmp_path / 'run', *options) == 0
    found = lines_of(tmp_path / 'run' / 'validation.jsonl')[-1]
    assert {'rehearsal plan_exact', 'rehearsal point_exact'} <= found.keys()
    images = list((tmp_path / 'run' / 'rehearsal' / 'images').iterdir())
    own = {sample.image for sample in read_samples([user_data])}
    assert len(images) < len(own)


def test_a_finished_run_goes_on_with_more_epochs(tiny, user_data, tmp_path, capsys):
    assert tune(tiny, user_data, tmp_path) == 0
    first = len(lines_of(tmp_path / 'log.jsonl'))
    before = load_file(tmp_path / 'adapter.safetensors')
    assert tune(tiny, user_data, tmp_path, '--epochs', '5') == 0
    assert f'resuming from step {first}' in capsys.readouterr().out
    assert len(lines_of(tmp_path / 'log.jsonl')) > first
    after = load_file(tmp_path / 'adapter.safetensors')
    assert any(not torch.equal(tensor, before[name]) for name, tensor in after.items())
    assert tune(tiny, user_data, tmp_path, '--epochs', '4') == 1
    assert 'holds a run with epochs 5, not 4' in capsys.readouterr().err


def test_forgetting_is_warned_of(start, user_data, tmp_path, capsys, tiny):
    checkpoint = tmp_path / 'named'
    shutil.copytree(tiny, checkpoint)
    (checkpoint / 'tasks.json').write_text(
        json.dumps({'name': 'nano', 'tasks': ['query', 'plan'], 'languages': ['en']})
    )
    assert tune(checkpoint, user_data, tmp_path / 'run', '--epochs', '1') == 0
    assert 'without --rehearse synthetic the checkpoint forgets' in capsys.readouterr().out


def test_a_rotated_photograph_is_trained_on_as_it_is_asked_about(tiny, user_data, tmp_path):
    """A phone stores a picture as its sensor saw it, and says in EXIF how to turn it."""
    for name in ('turned', 'upright'):
        (tmp_path / name).mkdir()
        for file in user_data.parent.iterdir():
            shutil.copy(file, tmp_path / name)
    for file in (tmp_path / 'turned').glob('*.png'):
        with Image.open(file) as image:
            stored = image.convert('RGB').transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6  # turn by 90 degrees clockwise
        stored.save(file, exif=exif)
    losses = []
    for name in ('turned', 'upright'):
        assert tune(tiny, tmp_path / name / user_data.name, tmp_path / f'run_{name}') == 0
        losses.append([line['loss'] for line in lines_of(tmp_path / f'run_{name}' / 'log.jsonl')])
    assert losses[0] == losses[1]
