"""The reader's training learns, goes on as if it had not stopped, and writes what can be read."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kimi_ros.reader import Reader
from kimi_ros.reader.features import Featurizer
from kimi_ros.reader.words import WordTable
from kimi_train.cli import main
from kimi_train.reader.batches import Collator
from kimi_train.reader.calibrate import curve
from kimi_train.reader.loop import Plan, Trainer
from kimi_train.reader.losses import answers, hear, losses, offer
from kimi_train.reader.model import Sizes
from kimi_train.reader.run import make_reader
from kimi_train.reader.score import difference, examples
from kimi_train.reader.source import Source

SIZES = Sizes(dim=64, unit=16, piece=16, word=8, encoder=1, mixer=1, point=16, match=16)
PLAN = Plan(minutes=1e6, rate=1e-2, warmup=2, groups=2, each=(2, 2), workers=0)


@pytest.fixture(scope='module')
def words():
    vectors = np.random.default_rng(0).integers(-99, 99, (7, 4)).astype(np.int8)
    vectors[0] = 0
    return WordTable(['put', 'cup', 'shelf', 'bring', '杯子', '拿'], vectors)


def batches(words, step=0, forget=0.0):
    collator = Collator(Featurizer(words), forget)
    groups = Source(PLAN.seed).groups(step, PLAN.groups, sum(PLAN.each))
    return collator.step(groups, PLAN.each, np.random.default_rng(step))


def test_the_loss_falls(words):
    trainer, batch = Trainer(words, PLAN, SIZES), batches(words)
    first = trainer.learn(*batch)['total']
    for _ in range(40):
        last = trainer.learn(*batch)
    assert last['total'] < first / 3
    assert last['event_right'] > 0.7 * last['event_count']


def test_training_goes_on_as_if_it_had_not_stopped(words, tmp_path):
    whole, stopped = Trainer(words, PLAN, SIZES), Trainer(words, PLAN, SIZES)
    for step in range(4):
        whole.learn(*batches(words, step, 0.1))
    for step in range(2):
        stopped.learn(*batches(words, step, 0.1))
    stopped.save(tmp_path / 'last.pt')
    resumed = Trainer(words, replace(PLAN, seed=1), SIZES)
    resumed.load(tmp_path / 'last.pt')
    assert resumed.step == 2
    for step in range(2, 4):
        resumed.learn(*batches(words, step, 0.1))
    for name, tensor in whole.exact.items():
        assert torch.equal(tensor, resumed.exact[name]), name


def test_steps_draw_other_examples_and_the_same_step_the_same():
    source = Source(3)
    first, again, other = (source.groups(step, 2, 3) for step in (0, 0, 1))
    assert first == again != other
    assert [group[0].lang for group in first] == ['en', 'zh']


def test_filling_up_changes_no_answer(words):
    trainer = Trainer(words, PLAN, SIZES)
    network = trainer.network.float()
    table = trainer.table.float()
    groups = Source().groups(0, 2, 4)
    collator = Collator(Featurizer(words))
    rng = np.random.default_rng(0)
    together, (all_of_them,) = collator.step(groups, (4,), rng)
    alone, (first,) = collator.step(groups[:1], (4,), rng)
    right = []
    for catalogues, batch in ((together, all_of_them), (alone, first)):
        offered = offer(network, table, catalogues)
        heard = hear(network, table, batch, offered)
        out = answers(network, heard, offered, catalogues, batch)
        steps, skills = first.events.shape[1], alone.n_skills
        right.append(out['event'][:4, :steps, : 5 + skills])
        assert torch.isfinite(losses(out, batch)['total'])
    there = first.events >= 0
    assert torch.allclose(right[0][there], right[1][there], atol=1e-4)


def test_a_trained_folder_reads_what_the_network_answers(words, tmp_path):
    plan = replace(PLAN, minutes=0.05)
    words.save(tmp_path / 'words')
    out = make_reader(tmp_path, plan, tmp_path / 'words', SIZES, held_out=4)
    about = json.loads((out / 'model.json').read_text())
    assert set(about['files']) == {p.name for p in out.iterdir()} - {'model.json'}
    assert all((out / name).stat().st_size == f['bytes'] for name, f in about['files'].items())
    reader = Reader.load(out)
    for example in examples('zh', 3, True):
        reading = reader.read(example.text, example.catalogue, 'zh', example.history)
        assert 0 <= reading.confidence <= 1
        assert difference(reading, reading) == ''
    # The graphs say what the network says.
    state = torch.load(tmp_path / 'last.pt', weights_only=True)
    trainer = Trainer(words, plan, SIZES)
    trainer.load(tmp_path / 'last.pt')
    assert state['step'] == trainer.step > 0
    example = next(examples('en', 1, False))
    catalogues, (batch,) = Collator(Featurizer(words)).step(
        [[example]], (1,), np.random.default_rng()
    )
    network, table = trainer.network.float(), trainer.table.float()
    offered = offer(network, table, catalogues)
    right = answers(network, hear(network, table, batch, offered), offered, catalogues, batch)
    graphs = reader._network
    seen = graphs.offer(example.catalogue, 'en')
    heard = graphs.hear(graphs.featurizer.said(example.text, example.history), seen)
    nothing = np.zeros((1, SIZES.dim), np.float32)
    decided = graphs.run(
        'decide', x=heard.x, tokens=seen.tokens, of=seen.of, candidates=seen.candidates,
        sim=heard.sim, same=heard.same, came=nothing, verbs=nothing, things=nothing,
    )  # fmt: skip
    expected = right['event'][0, 0].detach().numpy()
    assert np.allclose(decided['event'][0], expected, atol=0.1)


def test_confidence_is_the_share_that_is_right():
    rng = np.random.default_rng(0)
    sure = rng.random(4000)
    right = rng.random(4000) < sure**2
    knots, threshold = curve(sure, right)
    x, y = np.array(knots).T
    assert (np.diff(y) >= 0).all()
    assert np.interp(0.7, x, y) == pytest.approx(0.49, abs=0.08)
    asked = np.interp(sure, x, y) < threshold
    assert (asked & ~right).sum() == pytest.approx(0.4 * (~right).sum(), rel=0.1)


def test_the_command_tells_what_it_lacks(tmp_path, capsys):
    assert main(['words', str(tmp_path), str(tmp_path / 'dict.txt'), str(tmp_path)]) == 1
    assert 'data.noun' in capsys.readouterr().err
