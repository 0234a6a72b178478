"""Training learns, goes on after a stop as if there had been none, and leaves a checkpoint."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from kimi_ros.sim import HeldOutSeedError
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.config import ModelConfig
from kimi_train.cli import main
from kimi_train.model import Moondream
from kimi_train.nano.architecture import CROP, build_tokenizer, initialise
from kimi_train.nano.batches import BatchBuilder
from kimi_train.nano.checkpoint import load_start, load_weights, save_checkpoint
from kimi_train.nano.loop import Trainer
from kimi_train.nano.muon import Muon
from kimi_train.nano.questions import QuestionWriter
from kimi_train.nano.recipe import train
from kimi_train.nano.scenes import render_set
from kimi_train.nano.stage_settings import StageSettings

SETTINGS = StageSettings(
    steps=16,
    batch_size=2,
    learning_rate=3e-3,
    warmup_steps=2,
    decay_steps=4,
    short_questions=3,
    long_questions=1,
    precision='fp32',
)


def trainer(start, scenes, settings=SETTINGS):
    torch.manual_seed(0)
    model, tokenizer = load_start(start)
    initialise(model)
    batches = BatchBuilder(
        scenes, QuestionWriter(model.config, tokenizer), settings.batch_size, settings.seed
    )
    return Trainer(model, settings), batches


def weights(a_trainer):
    return {name: t.clone() for name, t in a_trainer.model.state_dict().items()}


@pytest.fixture(scope='module')
def trained(start, scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp('whole')
    whole, batches = trainer(start, scenes)
    whole.run(batches, folder, log_every=1)
    return whole, folder


def test_the_loss_falls(trained):
    lines = [json.loads(x) for x in (trained[1] / 'log.jsonl').read_text().splitlines()]
    totals = [x['total'] for x in lines]
    assert [x['step'] for x in lines] == list(range(1, SETTINGS.steps + 1))
    assert sum(totals[-4:]) < 0.9 * sum(totals[:4])


def test_going_on_after_a_stop_ends_at_the_same_weights(trained, start, scenes, tmp_path):
    first, batches = trainer(start, scenes)

    class Stopped(BatchBuilder):
        def batch(self, step, short=0, long=0):
            if step == 3:
                raise KeyboardInterrupt
            return super().batch(step, short, long)

    stopping = Stopped(batches.scenes, batches.writer, batches.batch_size, batches.seed)
    with pytest.raises(KeyboardInterrupt):
        first.run(stopping, tmp_path, save_every=1)
    second, _ = trainer(start, scenes)
    second.load(tmp_path / 'last.pt')
    assert second.step == 3
    second.run(batches, tmp_path)
    for name, value in weights(trained[0]).items():
        torch.testing.assert_close(second.model.state_dict()[name], value, rtol=0, atol=0)


def test_muon_takes_the_steps_of_torchs():
    shapes = [(12, 8), (8, 12), (12, 8), (6, 6)]
    random = torch.Generator().manual_seed(0)
    ours = [torch.randn(shape, generator=random).requires_grad_() for shape in shapes]
    theirs = [x.detach().clone().requires_grad_() for x in ours]
    begin = [x.detach().clone() for x in ours]
    options = {'lr': 0.02, 'weight_decay': 0.1}
    optimizers = (
        Muon(ours, **options),
        torch.optim.Muon(theirs, adjust_lr_fn='match_rms_adamw', **options),
    )
    for step in range(3):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=random)
            b.grad = a.grad.clone()
        if step == 0:  # not every matrix takes part in every step
            ours[2].grad = theirs[2].grad = None
        for optimizer in optimizers:
            optimizer.step()
    for a, b, was in zip(ours, theirs, begin, strict=True):
        # torch's multiplies in bfloat16.
        assert (a - b).norm() < 0.03 * (b - was).norm()


@pytest.mark.parametrize(
    ('plan', 'said'),
    [
        ({'precision': 'fp16'}, 'fp16.* auto, bf16 or fp32'),
        ({'patch_loss_weight': 0.0}, 'nothing to learn: ask'),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan, said):
    with pytest.raises(ValueError, match=said):
        StageSettings(**plan)


def test_muon_refuses_vectors():
    with pytest.raises(ValueError, match='AdamW'):
        Muon([torch.zeros(3, requires_grad=True)], lr=0.1)


def test_an_encoder_that_is_not_taught_stays_as_it_is(start, scenes, tmp_path):
    still, batches = trainer(
        start,
        scenes,
        replace(SETTINGS, steps=2, vision_learning_rate_scale=0.0, patch_loss_weight=0.0),
    )
    before = weights(still)
    still.run(batches, tmp_path)
    same = {name for name, value in weights(still).items() if value.equal(before[name])}
    seeing = {name for name in before if name.startswith('vision.')}
    assert seeing <= same
    assert not {name for name in same if name.startswith('text.blocks.')}
    assert 'category' not in still.learn(
        batches.batch(2, still.settings.short_questions, still.settings.long_questions)
    )


def test_workers_write_the_same_batches(trained, start, scenes, tmp_path):
    other, batches = trainer(start, scenes, replace(SETTINGS, workers=2))
    other.run(batches, tmp_path)
    for name, value in weights(trained[0]).items():
        torch.testing.assert_close(other.model.state_dict()[name], value, rtol=0, atol=0)


def test_the_exported_model_answers_as_the_trained_one(trained, start, scenes, tmp_path, export):
    whole, folder = trained
    save_checkpoint(start, folder / 'last.pt', tmp_path / 'checkpoint')
    vlm = VisionLanguageModel.load(export(tmp_path / 'checkpoint', tmp_path / 'exported'))
    rgb = scenes.frames[0]
    tokens = vlm.config.tokenizer
    trace = vlm.trace(rgb, list(tokens.templates.query.prefix))
    model = whole.model.eval()
    crop = torch.from_numpy(rgb.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    with torch.no_grad():
        image = model.prefix(model.vision.encode(crop))[0, 1:].numpy()
    # The checkpoint is stored in half precision.
    np.testing.assert_allclose(trace['image_embeds'], image, atol=0.01 * np.abs(image).max())
    assert {'plan', 'point'} <= set(vlm.tasks)


def test_a_checkpoint_is_gone_on_from(trained, start, scenes, tmp_path):
    whole, folder = trained
    save_checkpoint(start, folder / 'last.pt', tmp_path / 'checkpoint')
    still = replace(SETTINGS, steps=1, learning_rate=0.0)
    train(scenes, start, tmp_path / 'more', still, tmp_path / 'checkpoint')
    more, _ = trainer(start, scenes)
    more.load(tmp_path / 'more' / 'last.pt', weights_only=True)
    for name, value in weights(whole).items():
        torch.testing.assert_close(more.model.state_dict()[name], value, rtol=2e-3, atol=1e-4)


def test_another_tokenizer_keeps_what_it_can(trained, start, scenes, tmp_path):
    whole, folder = trained
    save_checkpoint(start, folder / 'last.pt', tmp_path / 'checkpoint')
    model, tokenizer = load_start(start)
    fewer = build_tokenizer(f'a red cup {i}' for i in range(3))
    assert load_weights(model, fewer, tmp_path / 'checkpoint') == []
    old = whole.model.state_dict()['text.wte']
    cup, before = fewer.encode(' cup').ids, tokenizer.encode(' cup').ids
    assert len(cup) == 1
    torch.testing.assert_close(model.text.wte[cup[0]], old[before].mean(0), rtol=2e-3, atol=1e-4)
    torch.testing.assert_close(
        model.vision.pos_emb, whole.model.vision.pos_emb, rtol=2e-3, atol=1e-4
    )


def test_further_blocks_begin_by_adding_nothing(trained, start, tmp_path):
    whole, folder = trained
    save_checkpoint(start, folder / 'last.pt', tmp_path / 'checkpoint')
    config = json.loads((start / 'config.json').read_text())
    config['vision']['enc_n_layers'] += 1
    config['text']['n_layers'] += 1
    deeper, tokenizer = Moondream(ModelConfig.from_dict(config)), load_start(start)[1]
    initialise(deeper)
    assert load_weights(deeper, tokenizer, tmp_path / 'checkpoint') == []
    crop = torch.rand((1, 3, CROP, CROP), generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        found, wanted = (model.vision.encode(crop) for model in (deeper, whole.model))
    torch.testing.assert_close(found, wanted, rtol=0, atol=0.02)
    # Where it adds something it can learn to.
    assert deeper.vision.blocks[-1].attn.qkv.weight.any()
    assert not deeper.text.blocks[-1].mlp.fc2.weight.any()


def test_scenes_of_another_size_are_refused(start, scenes, tmp_path):
    small = replace(scenes, frames=scenes.frames[:, ::2, ::2])
    perturbed = f'{CROP // 2} pixels wide.* sees {CROP}: render them again'
    with pytest.raises(ValueError, match=perturbed):
        train(small, start, tmp_path, SETTINGS, None)


@pytest.mark.parametrize('share', [0.5, 0.75])
def test_the_mean_with_another_checkpoint_is_saved(trained, start, tmp_path, share):
    whole, folder = trained
    state = torch.load(folder / 'last.pt', weights_only=True)
    state['model'] = {name: 3 * tensor for name, tensor in state['model'].items()}
    torch.save(state, tmp_path / 'last.pt')
    save_checkpoint(start, folder / 'last.pt', tmp_path / 'before')
    save_checkpoint(start, tmp_path / 'last.pt', tmp_path / 'mean', tmp_path / 'before', share)
    model, tokenizer = load_start(start)
    assert load_weights(model, tokenizer, tmp_path / 'mean') == []
    for name, value in weights(whole).items():
        mean = (1 + 2 * share) * value
        torch.testing.assert_close(model.state_dict()[name], mean, rtol=2e-3, atol=1e-4)


def test_there_is_no_mean_with_another_model(trained, start, tmp_path):
    _, folder = trained
    state = torch.load(folder / 'last.pt', weights_only=True)
    save_checkpoint(start, folder / 'last.pt', tmp_path / 'before')
    del state['model']['vision.pos_emb']
    torch.save(state, tmp_path / 'last.pt')
    with pytest.raises(ValueError, match='different tensors'):
        save_checkpoint(start, tmp_path / 'last.pt', tmp_path / 'mean', tmp_path / 'before')
    assert not (tmp_path / 'mean').exists()


def test_a_share_of_more_than_all_is_refused(trained, start, tmp_path):
    _, folder = trained
    last = folder / 'last.pt'
    with pytest.raises(ValueError, match='from 0 to 1'):
        save_checkpoint(start, last, tmp_path / 'mean', tmp_path / 'before', share=70)


def test_a_share_without_another_checkpoint_is_refused(trained, start, tmp_path):
    _, folder = trained
    with pytest.raises(ValueError, match='the checkpoint to average with'):
        save_checkpoint(start, folder / 'last.pt', tmp_path / 'mean', share=0.7)
    assert not (tmp_path / 'mean').exists()


def test_positions_are_stretched_to_another_grid(trained, start, tmp_path):
    whole, folder = trained
    state = torch.load(folder / 'last.pt', weights_only=True)
    positions = state['model']['vision.pos_emb']
    side = math.isqrt(positions.shape[1])
    across = (torch.arange(side) + 0.5) / side  # each patch says how far to the right it is
    state['model']['vision.pos_emb'] = across.repeat(side)[None, :, None].expand_as(positions)
    torch.save(state, tmp_path / 'last.pt')
    save_checkpoint(start, tmp_path / 'last.pt', tmp_path / 'checkpoint')
    config = json.loads((start / 'config.json').read_text())
    config['vision']['crop_size'] = 192
    model, tokenizer = Moondream(ModelConfig.from_dict(config)), load_start(start)[1]
    assert load_weights(model, tokenizer, tmp_path / 'checkpoint') == []
    found = model.vision.pos_emb[0, :, 0].unflatten(0, (12, 12))
    wanted = ((torch.arange(12.0) + 0.5) / 12).expand(12, 12)
    # The rim has no neighbours to go by.
    torch.testing.assert_close(found[:, 1:-1], wanted[:, 1:-1], rtol=0, atol=5e-3)


def test_the_curve_of_a_training_is_drawn(trained, tmp_path):
    log = trained[1] / 'log.jsonl'
    out = tmp_path / 'curve.svg'
    assert main(['plot', str(log), str(log), '--out', str(out)]) == 0
    assert out.read_text().count('<path') > 20


def test_evaluation_seeds_are_refused(tmp_path):
    with pytest.raises(HeldOutSeedError, match='evaluation'):
        render_set(tmp_path, range(1_999_999, 2_000_001), 256, 16, workers=1)


def test_nano_is_made_by_one_command_that_goes_on(tmp_path, capsys):
    pytest.importorskip('mujoco')
    command = ['nano', str(tmp_path), '--scenes', '4', '--workers', '1', '--steps', '2']
    assert main(command) == 0
    checkpoint = tmp_path / 'nano'
    first = (checkpoint / 'model.safetensors').read_bytes()
    assert json.loads((checkpoint / 'tasks.json').read_text())['languages'] == ['en', 'zh']
    assert main(command) == 0
    assert 'going on from step 2' in capsys.readouterr().out
    assert (checkpoint / 'model.safetensors').read_bytes() == first
