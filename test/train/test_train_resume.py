"""A run is resumed as what it was, or refused; what is tracked stays in its folder."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from kimi_train.cli import main
from kimi_train.tune.trackers import tracker_options

RUN = ['--lora-rank', '2', '--epochs', '2', '--batch-size', '2', '--save-every', '1']


def tune(checkpoint, data, out, *options, tracker='none'):
    words = ['tune', str(checkpoint), str(data), '--out', str(out), *RUN, '--tracker', tracker]
    return main([*words, *options])


@pytest.fixture
def mine(tiny, user_data, tmp_path):
    """A checkpoint and data that a test may change."""
    shutil.copytree(tiny, tmp_path / 'checkpoint')
    shutil.copytree(user_data.parent, tmp_path / 'data')
    return tmp_path / 'checkpoint', tmp_path / 'data' / user_data.name


def test_other_weights_of_the_same_size_are_refused(mine, tmp_path, capsys):
    checkpoint, data = mine
    assert tune(checkpoint, data, tmp_path / 'run') == 0
    file = checkpoint / 'model.safetensors'
    tensors, size = load_file(file), file.stat().st_size
    tensors['model.text.lm_head.bias'] += 1
    save_file(tensors, file)
    assert file.stat().st_size == size
    assert tune(checkpoint, data, tmp_path / 'run') == 1
    assert 'other weights of the checkpoint' in capsys.readouterr().err


def test_other_pictures_of_the_same_names_are_refused(mine, tmp_path, capsys):
    checkpoint, data = mine
    assert tune(checkpoint, data, tmp_path / 'run') == 0
    Image.new('RGB', (60, 40), 'green').save(data.parent / '0.png')
    assert tune(checkpoint, data, tmp_path / 'run') == 1
    assert 'holds a run with other pictures' in capsys.readouterr().err


def test_a_run_of_the_version_before_is_resumed(mine, tmp_path, capsys):
    """Its settings had other names, and it held no hashes of weights and pictures."""
    import torch

    from kimi_train.tune.settings import FORMER_NAMES

    checkpoint, data = mine
    assert tune(checkpoint, data, tmp_path / 'run') == 0
    file = tmp_path / 'run' / 'last.pt'
    state = torch.load(file)
    former = {FORMER_NAMES.get(n, n): v for n, v in state['identity'].items()}
    for name in (
        'weights',
        'pictures',
        'validation',
        'validation_data',
        'validate_every',
        'rehearse',
    ):
        del former[name]
    state['identity'] = former
    del state['best']
    torch.save(state, file)
    assert tune(checkpoint, data, tmp_path / 'run') == 0
    assert tune(checkpoint, data, tmp_path / 'run', '--batch-size', '3') == 1
    assert 'holds a run with batch_size 2, not 3' in capsys.readouterr().err


def test_a_picture_cut_short_stops_a_run_before_it_begins(mine, tmp_path, capsys):
    checkpoint, data = mine
    picture = data.parent / '2.png'
    picture.write_bytes(picture.read_bytes()[:-40])
    assert tune(checkpoint, data, tmp_path / 'run') == 1
    assert 'the image' in capsys.readouterr().err and not (tmp_path / 'run' / 'log.jsonl').exists()


def test_every_fault_is_named(mine, capsys):
    _, data = mine
    data.write_text('{}\n' * 50)
    assert main(['check', str(data)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 50


def test_a_wrong_skills_file_is_named_once(mine, capsys):
    _, data = mine
    (data.parent / 'wrong.yaml').write_text('skills:\n  - {name: pick}\n')
    plan = {'status': 'infeasible', 'say': 'No.', 'steps': []}
    line = {'task': 'plan', 'image': '0.png', 'instruction': 'go', 'plan': plan}
    data.write_text((json.dumps(line | {'skills': 'wrong.yaml'}) + '\n') * 5)
    assert main(['check', str(data)]) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and 'wrong.yaml' in said
    # All of its missing fields at once.
    assert '"description"' in said and '"risk"' in said


def test_a_tracker_is_told_speed_norm_and_memory_of_every_step_once(mine, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    checkpoint, data = mine
    out = tmp_path / 'run'
    assert tune(checkpoint, data, out, tracker='tensorboard') == 0
    last = out / 'last.pt'
    import torch

    state = torch.load(last)
    state['step'] -= 1  # as if the run had been killed before its last save
    torch.save(state, last)
    assert tune(checkpoint, data, out, tracker='tensorboard') == 0
    folder = next((out / 'tracker').rglob('events.out.tfevents.*')).parent
    events = EventAccumulator(str(folder))
    events.Reload()
    steps = len((out / 'log.jsonl').read_text().splitlines())
    for name in ('loss', 'grad_norm', 'samples_per_s', 'memory_gb'):
        assert [event.step for event in events.Scalars(name)] == list(range(1, steps + 1))


FAKE_WANDB = """
import json, os
class Run:
    def log(self, values, step=None, **_): pass
    def finish(self): pass
class config:
    update = staticmethod(lambda *_, **__: None)
def init(**options):
    with open(os.environ['RECORD'], 'a') as file:
        file.write(json.dumps(options) + '\\n')
    return Run()
"""


def test_wandb_writes_below_out_and_resumes_its_run(mine, tmp_path):
    """Shown on a stand-in for the library, which records how it is called."""
    checkpoint, data = mine
    site = tmp_path / 'site'
    (site / 'wandb').mkdir(parents=True)
    (site / 'wandb' / '__init__.py').write_text(FAKE_WANDB)
    (site / 'wandb-1.0.dist-info').mkdir()
    (site / 'wandb-1.0.dist-info' / 'METADATA').write_text('Name: wandb\nVersion: 1.0\n')
    record, elsewhere = tmp_path / 'record', tmp_path / 'elsewhere'
    elsewhere.mkdir()
    path = os.pathsep.join([str(site), os.environ.get('PYTHONPATH', '')])
    out = tmp_path / 'run'
    words = ['tune', str(checkpoint), str(data), '--out', str(out), *RUN, '--tracker', 'wandb']
    for _ in range(2):
        subprocess.run(
            [sys.executable, '-m', 'kimi_train', *words],
            check=True,
            cwd=elsewhere,
            env=os.environ | {'PYTHONPATH': path, 'RECORD': str(record)},
        )
    first, second = map(json.loads, record.read_text().splitlines())
    assert first['dir'] == str(out / 'tracker') and first['id'] == second['id']
    assert second['resume'] == 'allow' and not list(elsewhere.iterdir())


def test_mlflow_writes_below_out_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv('MLFLOW_TRACKING_URI', '')  # so that it is restored
    monkeypatch.delenv('MLFLOW_TRACKING_URI')
    tracker_options('mlflow', tmp_path, 0)
    assert os.environ['MLFLOW_TRACKING_URI'] == (tmp_path / 'tracker' / 'mlruns').as_uri()
    monkeypatch.setenv('MLFLOW_TRACKING_URI', 'http://my.server')
    tracker_options('mlflow', tmp_path, 0)
    assert os.environ['MLFLOW_TRACKING_URI'] == 'http://my.server'


def test_logs_of_fine_tuning_are_plotted(mine, tmp_path, capsys):
    pytest.importorskip('matplotlib')
    checkpoint, data = mine
    assert tune(checkpoint, data, tmp_path / 'run', '--validation', str(data)) == 0
    log, out = tmp_path / 'run' / 'log.jsonl', tmp_path / 'plot.svg'
    assert main(['plot', str(log), '--out', str(out)]) == 0
    drawn = out.read_bytes()
    assert len(drawn) > 5000
    assert main(['curve', str(log), '--out', str(out)]) == 0  # its former name
    assert out.read_bytes() == drawn or len(out.read_bytes()) == len(drawn)
    other = tmp_path / 'other.jsonl'
    other.write_text('{"a": 1}\n')
    assert main(['plot', str(other), '--out', str(out)]) == 1
    assert 'is not a training log' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        (['--lora', '2', '--images', '2', '--at-once', '1', '--rate', '1e-3', '--strength', '1'],
         ['--lora-rank', '2', '--batch-size', '2', '--micro-batch-size', '1',
          '--learning-rate', '1e-3', '--lora-scale', '1']),
        (['--parts', 'region.*', '--checkpointing'],
         ['--target-modules', 'region.*', '--gradient-checkpointing']),
    ],
)  # fmt: skip
def test_former_names_of_options_do_the_same_and_say_so(old, new, mine, tmp_path, capsys):
    checkpoint, data = mine
    logs = []
    for name, options in (('old', old), ('new', new)):
        words = ['tune', str(checkpoint), str(data), '--out', str(tmp_path / name), '--epochs', '1']
        assert main([*words, '--tracker', 'none', *options]) == 0
        lines = (tmp_path / name / 'log.jsonl').read_text().splitlines()
        logs.append([json.loads(line)['loss'] for line in lines])
        said = capsys.readouterr().err
        assert (f'{old[0]} is now {new[0]}' in said) == (name == 'old')
    assert logs[0] == logs[1]
    with pytest.raises(SystemExit):
        main(['tune', '--help'])
    shown = capsys.readouterr().out
    assert new[0] in shown and f'{old[0]} ' not in shown
