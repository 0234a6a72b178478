"""Training of the reader: the loss falls, training resumes, the export matches."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kimi_ros.reader import Reader
from kimi_ros.reader.features import Featurizer
from kimi_ros.reader.word_vectors import WordVectors
from kimi_train.cli import main
from kimi_train.reader.batches import Collator
from kimi_train.reader.calibrate import REJECTED_ERRORS, fit_calibration
from kimi_train.reader.dataset import InstructionDataset
from kimi_train.reader.evaluation import examples, first_error
from kimi_train.reader.losses import compute_losses, encode_catalogues, encode_instructions, predict
from kimi_train.reader.model import ModelConfig
from kimi_train.reader.pipeline import train_reader
from kimi_train.reader.trainer import Trainer, TrainingConfig

MODEL_CONFIG = ModelConfig(
    dim=64,
    token_dim=16,
    ngram_dim=16,
    word_dim=8,
    encoder_layers=1,
    fusion_layers=1,
    pointer_dim=16,
    scorer_dim=16,
)
CONFIG = TrainingConfig(
    minutes=1e6,
    learning_rate=1e-2,
    warmup=2,
    catalogues_per_batch=2,
    instructions_per_catalogue=(2, 2),
    workers=0,
)


@pytest.fixture(scope='module')
def words():
    vectors = np.random.default_rng(0).integers(-99, 99, (7, 4)).astype(np.int8)
    vectors[0] = 0
    return WordVectors(['put', 'cup', 'shelf', 'bring', '杯子', '拿'], vectors)


def batches(words, step=0, word_dropout=0.0):
    collator = Collator(Featurizer(words), word_dropout)
    groups = InstructionDataset(CONFIG.seed).groups(
        step, CONFIG.catalogues_per_batch, sum(CONFIG.instructions_per_catalogue)
    )
    return collator.collate(groups, CONFIG.instructions_per_catalogue, np.random.default_rng(step))


def test_loss_falls(words):
    trainer, batch = Trainer(words, CONFIG, MODEL_CONFIG), batches(words)
    first = trainer.training_step(*batch)['total']
    for _ in range(40):
        last = trainer.training_step(*batch)
    assert last['total'] < first / 3
    assert last['event_correct'] > 0.7 * last['event_count']


def test_resumed_training_is_identical(words, tmp_path):
    whole, stopped = Trainer(words, CONFIG, MODEL_CONFIG), Trainer(words, CONFIG, MODEL_CONFIG)
    for step in range(4):
        whole.training_step(*batches(words, step, 0.1))
    for step in range(2):
        stopped.training_step(*batches(words, step, 0.1))
    stopped.save(tmp_path / 'last.pt')
    resumed = Trainer(words, replace(CONFIG, seed=1), MODEL_CONFIG)
    resumed.load(tmp_path / 'last.pt')
    assert resumed.step == 2
    for step in range(2, 4):
        resumed.training_step(*batches(words, step, 0.1))
    for name, tensor in whole.master_weights.items():
        assert torch.equal(tensor, resumed.master_weights[name]), name


def test_examples_depend_only_on_the_step():
    dataset = InstructionDataset(3)
    first, again, other = (dataset.groups(step, 2, 3) for step in (0, 0, 1))
    assert first == again != other
    assert [group[0].lang for group in first] == ['en', 'zh']


def test_padding_does_not_change_predictions(words):
    trainer = Trainer(words, CONFIG, MODEL_CONFIG)
    network = trainer.network.float()
    table = trainer.word_vectors.float()
    groups = InstructionDataset().groups(0, 2, 4)
    collator = Collator(Featurizer(words))
    rng = np.random.default_rng(0)
    together, (all_of_them,) = collator.collate(groups, (4,), rng)
    alone, (first,) = collator.collate(groups[:1], (4,), rng)
    right = []
    for catalogues, batch in ((together, all_of_them), (alone, first)):
        catalogue_states = encode_catalogues(network, table, catalogues)
        instruction_states = encode_instructions(network, table, batch, catalogue_states)
        out = predict(network, instruction_states, catalogue_states, catalogues, batch)
        steps, skills = first.events.shape[1], alone.n_skills
        right.append(out['event'][:4, :steps, : 5 + skills])
        assert torch.isfinite(compute_losses(out, batch)['total'])
    there = first.events >= 0
    assert torch.allclose(right[0][there], right[1][there], atol=1e-4)


def test_exported_graphs_match_the_model(words, tmp_path):
    config = replace(CONFIG, minutes=0.05)
    words.save(tmp_path / 'words')
    out = train_reader(tmp_path, config, tmp_path / 'words', MODEL_CONFIG, held_out=4)
    about = json.loads((out / 'model.json').read_text())
    assert set(about['files']) == {p.name for p in out.iterdir()} - {'model.json'}
    assert all((out / name).stat().st_size == f['bytes'] for name, f in about['files'].items())
    reader = Reader.load(out)
    for example in examples('zh', 3, True):
        reading = reader.read(example.text, example.catalogue, 'zh', example.history)
        assert 0 <= reading.confidence <= 1
        assert first_error(reading, reading) == ''
    # The graphs and the model agree.
    state = torch.load(tmp_path / 'last.pt', weights_only=True)
    trainer = Trainer(words, config, MODEL_CONFIG)
    trainer.load(tmp_path / 'last.pt')
    assert state['step'] == trainer.step > 0
    example = next(examples('en', 1, False))
    catalogues, (batch,) = Collator(Featurizer(words)).collate(
        [[example]], (1,), np.random.default_rng()
    )
    network, table = trainer.network.float(), trainer.word_vectors.float()
    catalogue_states = encode_catalogues(network, table, catalogues)
    right = predict(
        network,
        encode_instructions(network, table, batch, catalogue_states),
        catalogue_states,
        catalogues,
        batch,
    )
    graphs = reader._network
    encoded_catalogue = graphs.encode_catalogue(example.catalogue, 'en')
    instruction_states = graphs.encode_instruction(
        graphs.featurizer.tokenize_instruction(example.text, example.history), encoded_catalogue
    )
    nothing = np.zeros((1, MODEL_CONFIG.dim), np.float32)
    outputs = graphs.run(
        'decoder',
        hidden_states=instruction_states.hidden_states,
        tokens=encoded_catalogue.tokens,
        membership=encoded_catalogue.membership,
        candidates=encoded_catalogue.candidates,
        similarity=instruction_states.similarity,
        exact_match=instruction_states.exact_match,
        previous_candidates=nothing,
        previous_verbs=nothing,
        previous_phrases=nothing,
    )
    expected = right['event'][0, 0].detach().numpy()
    assert np.allclose(outputs['event'][0], expected, atol=0.1)


def test_calibrated_confidence_is_the_accuracy():
    rng = np.random.default_rng(0)
    confidences = rng.random(4000)
    right = rng.random(4000) < confidences**2
    knots, threshold = fit_calibration(confidences, right)
    inputs, shares = np.array(knots).T
    assert (np.diff(shares) >= 0).all()
    assert np.interp(0.7, inputs, shares) == pytest.approx(0.49, abs=0.08)
    asked = np.interp(confidences, inputs, shares) < threshold
    assert (asked & ~right).sum() == pytest.approx(REJECTED_ERRORS * (~right).sum(), rel=0.1)


def test_threshold_is_chosen_on_the_decisive_readings():
    rng = np.random.default_rng(0)
    confidences, decisive = rng.random(4000), rng.random(4000) < 0.5
    # The decisive readings are wrong below 0.5, the others below 0.1.
    right = confidences > np.where(decisive, 0.5, 0.1) * rng.random(4000)
    knots, threshold = fit_calibration(confidences, right, decisive)
    asked = np.interp(confidences, *np.array(knots).T) < threshold
    wrong = ~right & decisive
    assert (asked & wrong).sum() == pytest.approx(REJECTED_ERRORS * wrong.sum(), rel=0.15)


def test_missing_dictionary_is_reported(tmp_path, capsys):
    assert main(['words', str(tmp_path), str(tmp_path / 'dict.txt'), str(tmp_path)]) == 1
    assert 'data.noun' in capsys.readouterr().err
