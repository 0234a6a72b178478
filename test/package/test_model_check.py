"""`kimi doctor --model`: passes on nano, and names the cause on nano broken in several ways."""

import argparse
import functools
import hashlib
import json
import random
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kimi_export import export_model, quantize
from kimi_ros.cli import doctor
from kimi_ros.cli.model_check import check_model
from kimi_ros.resources import share


@pytest.fixture(scope='module')
def nano(tmp_path_factory):
    return export_model(share('models/nano'), tmp_path_factory.mktemp('nano') / 'fp32')


@pytest.fixture
def changed(tmp_path):
    """Export nano with some tensors replaced: `changed({name: function})`."""
    return functools.partial(export_changed, tmp_path)


def export_changed(place, changes, **options):
    folder = place / 'checkpoint'
    shutil.copytree(share('models/nano'), folder)
    tensors = load_file(folder / 'model.safetensors')
    for name, change in changes.items():
        tensors[name] = np.ascontiguousarray(change(tensors[name]))
    save_file(tensors, folder / 'model.safetensors')
    return export_model(folder, place / 'out', **options)


def swap_red_and_blue(weight):
    """The patch embedding as if it had been trained on BGR."""
    return weight.reshape(len(weight), 3, -1)[:, ::-1].reshape(weight.shape)


def shuffle_rows(values):
    return values[np.random.default_rng(0).permutation(len(values))]


@pytest.fixture(scope='module')
def swapped(tmp_path_factory):
    """An export of nano as if it had been trained on BGR images."""
    return export_changed(
        tmp_path_factory.mktemp('swapped'), {'model.vision.patch_emb.weight': swap_red_and_blue}
    )


def test_nano_passes():
    found = check_model('nano')
    assert [answer.kind for answer in found.answers] == ['sees'] * 3 + ['points', 'boxes']
    assert all(answer.right for answer in found.answers)
    assert found.diagnosis is None


def test_wrong_tokenizer_is_named(nano, tmp_path):
    folder = tmp_path / 'wrong'
    shutil.copytree(nano, folder)
    tokenizer = json.loads((folder / 'tokenizer.json').read_text())
    added = {token['id'] for token in tokenizer['added_tokens']}
    vocabulary = tokenizer['model']['vocab']
    words = [word for word, token in vocabulary.items() if token not in added]
    ids = [vocabulary[word] for word in words]
    random.Random(0).shuffle(ids)
    vocabulary.update(zip(words, ids, strict=True))
    text = json.dumps(tokenizer, ensure_ascii=False)
    (folder / 'tokenizer.json').write_text(text)
    about = json.loads((folder / 'model.json').read_text())
    about['files']['tokenizer.json'] = hashlib.sha256(text.encode()).hexdigest()
    (folder / 'model.json').write_text(json.dumps(about))
    found = check_model(str(folder))
    assert found.diagnosis.cause.startswith('wrong tokenizer: the prompt template of query reads')
    assert '--tokenizer' in found.diagnosis.remedy


def test_swapped_channels_are_named(swapped):
    found = check_model(str(swapped))
    assert found.diagnosis.cause.startswith('swapped color channels: with red and blue exchanged 5')


@pytest.mark.parametrize('part', ['coord', 'size'])
def test_shuffled_bins_are_named(changed, part):
    names = [f'model.region.{part}_decoder.fc2.{kind}' for kind in ('weight', 'bias')]
    found = check_model(str(changed(dict.fromkeys(names, shuffle_rows))))
    assert all(answer.right for answer in found.answers if answer.kind == 'sees')
    assert found.diagnosis.cause.startswith('shuffled coordinate bins')


def test_broken_int4_is_named(changed, monkeypatch):
    # Scales so small that nearly all weights are clipped: consistent, and therefore unnoticed by
    # the exporter's comparison with its own numbers.
    monkeypatch.setattr(quantize, 'CLIP_RATIOS', (0.1,))
    found = check_model(str(changed({}, precision='int4')))
    assert found.diagnosis.cause == 'broken precision: this folder is int4'
    assert '--precision fp16' in found.diagnosis.remedy


def test_sound_int4_passes(changed):
    assert check_model(str(changed({}, precision='int4'))).diagnosis is None


def test_weights_of_another_model_are_a_cause_of_their_own(changed):
    names = [f'model.text.blocks.{index}.attn.qkv.weight' for index in range(6)]
    found = check_model(str(changed(dict.fromkeys(names, shuffle_rows))))
    assert found.diagnosis.cause.startswith('the weights do not match')


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `kimi doctor` without the checks of the machine."""

    def run(*arguments):
        monkeypatch.setattr(doctor, '_probe', lambda code: (True, 'fine'))
        parser = argparse.ArgumentParser()
        doctor.add_parser(parser.add_subparsers())
        options = parser.parse_args(['doctor', *arguments])
        return options.run(options), capsys.readouterr().out

    return run


def test_doctor_reports_each_answer(run):
    status, output = run('--model', 'nano')
    assert status == 0
    assert 'ok      Sees      Is there a blue plate? Yes' in output
    assert 'ok      Answers   5 of 5 right' in output


def test_doctor_fails_with_cause_and_remedy(run, swapped):
    status, output = run('--model', str(swapped))
    assert status == 1
    assert '(expected yes)' in output
    assert 'wrong   Answers' in output and 'swapped color channels' in output
    assert 'do: the checkpoint expects BGR' in output


def test_doctor_names_a_folder_that_cannot_be_read(run, tmp_path):
    status, output = run('--model', str(tmp_path))
    assert status == 1 and 'is not a model folder' in output
