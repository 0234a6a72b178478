"""A checkpoint learns from a user's own lines, and what was learnt is what is exported."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from kimi_export.checkpoint import open_checkpoint
from kimi_export.lora import FORMAT, UNMERGED, adapt, open_adapter
from kimi_ros.agent.prompts import check_question, plan_prompt, presence_question, tool_prompt
from kimi_ros.agent.schema import plan_schema
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.resources import share
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.crops import normalise, overlap_crops
from kimi_ros.vlm.folder import read_folder
from kimi_train.cli import main
from kimi_train.examples import Example, embed, pack
from kimi_train.tune.checkpoint import load_model
from kimi_train.tune.lora import add_adapters

CATALOGUE = SkillCatalogue.load(share('config/skills.yaml'))
QUIET = ['--tracker', 'none']


def curve(out):
    """The figures of every step, but for speed and memory."""
    lines = [json.loads(line) for line in (out / 'log.jsonl').read_text().splitlines()]
    return [
        {k: v for k, v in line.items() if k not in ('samples_per_s', 'memory_gb')} for line in lines
    ]


def tune(checkpoint, data, out, *options):
    assert main(['tune', str(checkpoint), str(data), '--out', str(out), *QUIET, *options]) == 0
    return curve(out)


def falls(lines):
    losses = [line['loss'] for line in lines]
    return np.mean(losses[-4:]) < 0.8 * np.mean(losses[:4])


def logits(model, rgb, ids):
    """What the trained model says after an image and a prompt: (vocab,)."""
    crops = overlap_crops(rgb, model.config.vision)
    with torch.no_grad():
        images = model.images(torch.from_numpy(normalise(crops.unique)), [crops.tiling])
        prefix, prompt = model.prepend_bos(images), pack([[Example(list(ids))]])
        length = prefix.shape[1]
        hidden, _, _ = model.text(
            prefix,
            embed(model, prompt),
            prompt.image,
            prompt.positions(length),
            prompt.mask(length),
        )
        return model.text.logits(hidden[0, -1]).numpy()


def exported_logits(folder, rgb, ids):
    with VisionLanguageModel.load(folder, device='cpu') as vlm:
        return vlm.trace(rgb, ids)['query_logits']


def picture(data):
    return np.array(Image.open(data.parent / '0.png').convert('RGB'))


@pytest.fixture(scope='module')
def ten_lines(golden_checkpoint, user_data, tmp_path_factory):
    """The golden checkpoint's LoRA adapter for the user's ten lines, and the run's folder."""
    out = tmp_path_factory.mktemp('ten_lines')
    options = ['--lora-rank', '4', '--learning-rate', '2e-3', '--epochs', '8', '--batch-size', '2']
    lines = tune(golden_checkpoint, user_data, out, *options)
    assert falls(lines)
    return out / 'adapter.safetensors'


def test_ten_lines_are_learnt_by_lora_and_exported(
    golden_checkpoint, ten_lines, user_data, tmp_path, export
):
    """End to end: trained beside the weights, merged on export, merged by kimi-train: all one."""
    checkpoint = open_checkpoint(golden_checkpoint)
    ids = list(checkpoint.config.tokenizer.templates.query.prefix)
    rgb = picture(user_data)
    model = load_model(checkpoint)
    before = logits(model, rgb, ids)
    add_adapters(model, ['text.blocks.*'], rank=4, scale=2.0)
    adapters = load_file(ten_lines)
    assert not model.load_state_dict(adapters, strict=False).unexpected_keys
    trained = logits(model, rgb, ids)
    scale = np.abs(trained).max()
    assert np.abs(trained - before).max() > 0.01 * scale

    folder = export(golden_checkpoint, tmp_path / 'exported', '--lora', ten_lines)
    np.testing.assert_allclose(exported_logits(folder, rgb, ids), trained, atol=2e-4 * scale)
    about = read_folder(folder)
    assert 'plan' in about.tasks and set(about.languages) == {'en', 'zh'}

    merged = tmp_path / 'merged'
    assert main(['merge', str(golden_checkpoint), str(ten_lines), str(merged)]) == 0
    merged_model = load_model(open_checkpoint(merged))
    np.testing.assert_allclose(logits(merged_model, rgb, ids), trained, atol=2e-4 * scale)
    untouched = 'model.vision.blocks.3.mlp.fc1.weight'
    wanted = load_file(golden_checkpoint / 'model.safetensors')[untouched]
    assert torch.equal(load_file(merged / 'model.safetensors')[untouched], wanted)
    assert json.loads((merged / 'tasks.json').read_text())['tasks'][-1] == 'plan'


def test_a_tuned_checkpoint_is_averaged_with_the_one_it_came_from(
    golden_checkpoint, ten_lines, tmp_path, capsys
):
    tuned, mean = tmp_path / 'tuned', tmp_path / 'mean'
    assert main(['merge', str(golden_checkpoint), str(ten_lines), str(tuned)]) == 0
    arguments = ['average', str(golden_checkpoint), str(tuned), str(mean), '--share']
    assert main([*arguments, '0.25']) == 0
    old, new, between = (
        load_file(folder / 'model.safetensors') for folder in (golden_checkpoint, tuned, mean)
    )
    assert any(not torch.equal(old[name], new[name]) for name in old)
    for name, tensor in between.items():
        wanted = (0.75 * old[name].float() + 0.25 * new[name].float()).to(tensor.dtype)
        torch.testing.assert_close(tensor, wanted)
    assert (mean / 'tasks.json').read_text() == (tuned / 'tasks.json').read_text()
    assert main([*arguments, '0.25']) == 1
    assert 'already exists' in capsys.readouterr().err
    shutil.rmtree(mean)
    assert main([*arguments, '1.5']) == 1
    assert 'give one from 0 to 1' in capsys.readouterr().err


def test_all_weights_learn_and_are_exported_under_their_own_names(
    tiny, user_data, tmp_path, export
):
    older = tmp_path / 'older'
    older.mkdir()
    for name in ('config.json', 'tokenizer.json'):
        (older / name).write_bytes((tiny / name).read_bytes())
    tensors = load_file(tiny / 'model.safetensors')
    for name, former in (
        ('text.blocks.0.attn.qkv.weight', 'text_model.transformer.h.0.mixer.Wqkv.weight'),
        ('region.size_features', 'region_model.size_features.weight'),
        ('text.wte', 'text_model.transformer.embd._orig_mod.wte.weight'),
    ):
        tensor = tensors.pop(f'model.{name}')
        tensors[former] = tensor.T.contiguous() if name.endswith('features') else tensor
    tensors['model.text.lm_head.weight'] = tensors['model.text.lm_head.weight'].bfloat16()
    tensors['steps_seen'] = torch.tensor([7])
    save_file(tensors, older / 'model.safetensors')

    options = ['--learning-rate', '2e-3', '--epochs', '8', '--batch-size', '2']
    lines = tune(older, user_data, tmp_path / 'run', *options)
    assert falls(lines)
    checkpoint = tmp_path / 'run' / 'checkpoint'
    written = load_file(checkpoint / 'model.safetensors')
    assert {n: (t.dtype, t.shape) for n, t in written.items()} == {
        n: (t.dtype, t.shape) for n, t in tensors.items()
    }
    assert torch.equal(written['steps_seen'], tensors['steps_seen'])
    changed = [n for n in tensors if not torch.equal(written[n], tensors[n])]
    assert len(changed) > 0.9 * len(tensors)
    state = torch.load(tmp_path / 'run' / 'last.pt', weights_only=True)['trained']
    model = load_model(open_checkpoint(older))
    model.load_state_dict(state)
    ids = list(model.config.tokenizer.templates.query.prefix)
    rgb = picture(user_data)
    trained = logits(model, rgb, ids)
    found = exported_logits(export(checkpoint, tmp_path / 'exported'), rgb, ids)
    # The head is stored in bf16.
    np.testing.assert_allclose(found, trained, atol=1e-2 * np.abs(trained).max())


def test_named_parts_are_trained_and_nothing_else(tiny, user_data, tmp_path):
    tune(
        tiny,
        user_data,
        tmp_path,
        '--target-modules',
        'region.*',
        'text.blocks.1.*',
        '--learning-rate',
        '1e-3',
    )
    before = load_file(tiny / 'model.safetensors')
    after = load_file(tmp_path / 'checkpoint' / 'model.safetensors')
    changed = {n.removeprefix('model.') for n in before if not torch.equal(before[n], after[n])}
    assert changed and all(n.startswith(('region.', 'text.blocks.1.')) for n in changed)


def test_adapters_begin_at_nothing_and_stand_where_they_were_asked(tiny, user_data, tmp_path):
    options = [
        '--lora-rank',
        '2',
        '--target-modules',
        'region.*',
        'vision.proj_mlp.*',
        '--epochs',
        '1',
    ]
    first = tune(tiny, user_data, tmp_path / 'lora', *options)[0]
    plain = tune(tiny, user_data, tmp_path / 'plain', '--epochs', '1')[0]
    assert first['loss'] == pytest.approx(plain['loss'], rel=1e-5)
    adapter = open_adapter(tmp_path / 'lora' / 'adapter.safetensors')
    assert adapter.scale == 2 and not adapter.unmerged_blocks
    assert {name.rpartition('.')[0] for name in adapter.pairs} == {
        'region',
        'region.coord_decoder',
        'region.size_decoder',
        'vision.proj_mlp',
    }
    adapt(open_checkpoint(tiny), adapter.path)


@pytest.mark.parametrize('options', [['--micro-batch-size', '4'], ['--gradient-checkpointing']])
def test_how_a_step_is_computed_changes_nothing(tiny, user_data, tmp_path, options):
    run = ['--epochs', '4', '--batch-size', '4', '--learning-rate', '1e-3']
    plain = tune(tiny, user_data, tmp_path / 'plain', *run)
    other = tune(tiny, user_data, tmp_path / 'other', *run, *options)
    wanted = [line['loss'] for line in plain]
    assert [line['loss'] for line in other] == pytest.approx(wanted, rel=1e-3)


def test_the_seed_decides(tiny, user_data, tmp_path):
    run = ['--lora-rank', '2', '--epochs', '2', '--batch-size', '2']
    first, second, other = (
        tune(tiny, user_data, tmp_path / name, *run, '--seed', seed)
        for name, seed in (('a', '1'), ('b', '1'), ('c', '2'))
    )
    assert first == second != other


def command(tiny, user_data, out, *options):
    arguments = ['tune', str(tiny), str(user_data), '--out', str(out), *QUIET, *options]
    return [sys.executable, '-m', 'kimi_train', *arguments]


def test_a_run_killed_twice_ends_as_one_that_was_not(tiny, user_data, tmp_path):
    options = ['--lora-rank', '2', '--epochs', '60', '--batch-size', '2', '--save-every', '7']
    whole = tune(tiny, user_data, tmp_path / 'whole', *options)
    assert len(whole) == 120
    killed = tmp_path / 'killed'
    for at_least in (20, 60):
        running = subprocess.Popen(
            command(tiny, user_data, killed, *options),
            stdout=subprocess.DEVNULL,
            env=os.environ | {'OMP_NUM_THREADS': '1'},
        )
        log = killed / 'log.jsonl'
        while not log.exists() or len(log.read_text().splitlines()) < at_least:
            assert running.poll() is None, 'the run ended before it could be killed'
            time.sleep(0.002)
        running.send_signal(signal.SIGKILL)
        running.wait()
    with (killed / 'log.jsonl').open('a') as torn:
        torn.write('{"step": 1')
    assert len(curve_of_whole_lines(killed)) < 120
    assert tune(tiny, user_data, killed, *options) == whole
    for name, matrix in load_file(tmp_path / 'whole' / 'adapter.safetensors').items():
        assert torch.equal(load_file(killed / 'adapter.safetensors')[name], matrix)


def curve_of_whole_lines(out):
    return [line for line in (out / 'log.jsonl').read_text().splitlines() if line.endswith('}')]


def test_half_precision_learns_nearly_the_same(tiny, user_data, tmp_path):
    """In a process of its own: the library keeps one precision for each."""
    options = ['--lora-rank', '2', '--epochs', '4', '--batch-size', '2', '--learning-rate', '1e-3']
    plain = tune(tiny, user_data, tmp_path / 'plain', *options)
    half = tmp_path / 'half'
    subprocess.run(command(tiny, user_data, half, *options, '--precision', 'bf16'), check=True)
    assert [x['loss'] for x in curve(half)] == pytest.approx([x['loss'] for x in plain], rel=0.02)
    matrices = load_file(half / 'adapter.safetensors')
    assert {m.dtype for m in matrices.values()} == {torch.float32}


def test_figures_go_to_a_tracker(tiny, user_data, tmp_path):
    arguments = ['tune', str(tiny), str(user_data), '--out', str(tmp_path), '--epochs', '1']
    assert main(arguments) == 0
    assert list((tmp_path / 'tracker').rglob('events.out.tfevents.*'))


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (['--target-modules', 'txt.*'], "no tensor has a name like 'txt.*'"),
        (['--lora-rank', '2', '--target-modules', 'text.post_ln'], 'no linear layer'),
        (['--learning-rate', '0'], 'learning_rate must be a number above 0'),
        (['--batch-size', '0'], 'batch_size must be at least 1'),
        (['--learning-rate', '1e30', '--epochs', '9'], 'diverged'),
        (['--tracker', 'wandb'], 'wandb is not installed: pip install wandb'),
    ],
)
def test_what_cannot_begin_says_why(tiny, user_data, tmp_path, capsys, options, said):
    arguments = ['tune', str(tiny), str(user_data), '--out', str(tmp_path / 'run'), *QUIET]
    if 'wandb' in options and find_spec('wandb'):
        pytest.skip('wandb is here')
    assert main([*arguments, *options]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / 'run' / 'checkpoint').exists()


def test_another_run_is_not_resumed(tiny, user_data, tmp_path, capsys):
    tune(tiny, user_data, tmp_path, '--epochs', '1')
    arguments = ['tune', str(tiny), str(user_data), '--out', str(tmp_path), *QUIET]
    assert main([*arguments, '--epochs', '1', '--seed', '3']) == 1
    assert 'holds a run with seed 0, not 3' in capsys.readouterr().err
    user = user_data.parent / 'other.jsonl'
    user.write_text(user_data.read_text().splitlines()[0])
    arguments[2] = str(user)
    assert main([*arguments, '--epochs', '1']) == 1
    assert 'holds a run with other data' in capsys.readouterr().err


def test_wrong_lines_stop_a_run_before_it_begins(tiny, user_data, tmp_path, capsys):
    wrong = user_data.parent / 'wrong.jsonl'
    wrong.write_text('{"task": "query", "question": "?", "answer": "' + 'x ' * 2000 + '"}')
    assert main(['tune', str(tiny), str(wrong), '--out', str(tmp_path / 'run')]) == 1
    assert 'wrong.jsonl:1: is ' in capsys.readouterr().err
    assert main(['check', str(wrong)]) == 0
    assert main(['check', str(wrong), '--checkpoint', str(tiny)]) == 1
    assert not (tmp_path / 'run').exists()


def test_published_variants_are_not_merged(tiny, tmp_path, capsys):
    layer = 'text.blocks.0.attn.proj'
    tensors = {f'{layer}.A': torch.ones(2, 64), f'{layer}.B': torch.ones(64, 2)}
    path = tmp_path / 'variant.safetensors'
    save_file(tensors, path, {'format': FORMAT, 'scale': '1', 'proj': UNMERGED})
    assert main(['merge', str(tiny), str(path), str(tmp_path / 'out')]) == 1
    assert 'kimi-export --lora' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
    (tmp_path / 'out').mkdir()
    assert main(['merge', str(tiny), str(path), str(tmp_path / 'out')]) == 1
    assert 'already exists' in capsys.readouterr().err


def test_what_was_taught_is_what_is_said(tiny, user_data, tmp_path, export):
    """Learnt by heart, asked through the door that robots use."""
    options = ['--learning-rate', '3e-3', '--epochs', '120', '--batch-size', '4']
    lines = tune(tiny, user_data, tmp_path / 'run', *options)
    assert lines[-1]['words'] < 0.05
    folder = export(tmp_path / 'run' / 'checkpoint', tmp_path / 'exported')
    with VisionLanguageModel.load(folder, device='cpu') as vlm:
        red, blue, gray = (
            vlm.encode_image(np.array(Image.open(user_data.parent / f'{i}.png').convert('RGB')))
            for i in range(3)
        )
        assert vlm.query(red, 'What is it?').text == 'A red box.'
        (point,) = vlm.point(red, 'red box')
        assert (point.x, point.y) == pytest.approx((0.2, 0.25), abs=0.02)
        (box,) = vlm.detect(red, 'red box')
        corners = (box.x_min, box.y_min, box.x_max, box.y_max)
        assert corners == pytest.approx((0.07, 0.1, 0.33, 0.4), abs=0.03)
        prompt = plan_prompt('pick up the red box', CATALOGUE.signatures())
        plan = vlm.query(red, prompt, grammar=plan_schema(CATALOGUE)).text
        assert json.loads(plan)['steps'] == [{'skill': 'pick', 'object': 'red box'}]
        answer = vlm.query(blue, 'How many boxes?', reasoning=True)
        assert answer.text == 'One.'
        assert answer.reasoning.text == 'I see a box.'
        (grounding,) = answer.reasoning.grounding
        assert grounding.points[0] == pytest.approx((0.3, 0.25), abs=0.02)
        history = [('What is it?', 'A box.')]
        assert vlm.query(blue, 'What colour is it?', history=history).text == 'Blue.'
        assert vlm.query(blue, presence_question('blue box', 'en')).text == 'Yes'
        question = check_question('盒子', 'zh')
        assert vlm.query(gray, question, spatial_refs=[(0.1, 0.1)]).text == '是'
        question = tool_prompt('Light, please!', [('lamp', ['on'])])
        assert json.loads(vlm.query(None, question).text)['arguments'] == {'on': True}
        assert vlm.query(None, 'Write code that waits.').text == 'import time\ntime.sleep(1)'
