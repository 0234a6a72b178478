"""PyTorch's weight files become safetensors, and what is none is refused."""

import argparse

import pytest
import torch
from safetensors.torch import load_file

from kimi_export.checkpoint import open_checkpoint
from kimi_export.lora import open_adapter
from kimi_train.cli import main


@pytest.fixture
def convert(tmp_path, capsys):
    """Save something with PyTorch and convert it: (exit status, message, the file written)."""

    def run(data, name='in.pt', out='out.safetensors', **how):
        if data is not None:
            torch.save(data, tmp_path / name, **how)
        status = main(['convert', str(tmp_path / name), str(tmp_path / out)])
        printed = capsys.readouterr()
        return status, printed.err or printed.out, tmp_path / out

    return run


@pytest.fixture(scope='module')
def golden_state(golden_checkpoint):
    return load_file(golden_checkpoint / 'model.safetensors')


def nested(flat):
    tree = {}
    for name, tensor in flat.items():
        *path, last = name.split('.')
        here = tree
        for part in path:
            here = here.setdefault(part, {})
        here[last] = tensor
    return tree


def test_a_flat_file_keeps_names_values_and_dtypes(convert):
    state = {
        'text.wte': torch.randn(4, 3),
        'vision.pos_emb': torch.randn(1, 2, 2).bfloat16(),
        'region.coord_features': torch.randn(1, 5).half(),
    }
    status, said, out = convert(state)
    assert status == 0 and 'checkpoint of 3 tensors' in said
    written = load_file(out)
    assert {n: t.dtype for n, t in written.items()} == {n: t.dtype for n, t in state.items()}
    assert all(torch.equal(written[n], t) for n, t in state.items())


@pytest.mark.parametrize('wrap', [nested, lambda s: {'model': s}, lambda s: {'state_dict': s}])
def test_the_exporter_opens_what_was_nested(convert, golden_state, golden_checkpoint, wrap):
    plain = {name.removeprefix('model.'): t for name, t in golden_state.items()}
    status, _, out = convert(wrap(plain))
    assert status == 0
    opened = open_checkpoint(
        out, golden_checkpoint / 'config.json', golden_checkpoint / 'tokenizer.json'
    )
    wanted = plain['text.blocks.1.mlp.fc1.weight'].numpy()
    assert (opened.read('text.blocks.1.mlp.fc1.weight') == wanted).all()


def test_older_names_and_those_of_compiled_models_stay(convert):
    name = 'text_model.transformer.h.0.mixer._orig_mod.Wqkv.weight'
    status, _, out = convert({name: torch.ones(2, 2)})
    assert status == 0 and list(load_file(out)) == [name]


def test_of_a_training_state_the_weights_are_taken(convert):
    state = {'model': {'text.wte': torch.ones(2, 2)}, 'optimizer': {'lr': 0.1}, 'step': 7}
    status, said, out = convert(state)
    assert status == 0 and 'left out: optimizer, step' in said
    assert list(load_file(out)) == ['text.wte']


def test_tied_and_transposed_tensors_are_written_whole(convert):
    base = torch.arange(12.0).view(3, 4)
    status, _, out = convert({'a': base, 'b': base, 'c': base.T, 'd': base[1:]})
    assert status == 0
    written = load_file(out)
    assert torch.equal(written['b'], base)
    assert torch.equal(written['c'], base.T) and torch.equal(written['d'], base[1:])


def test_a_file_of_the_old_format_is_read(convert):
    data = {'text.wte': torch.ones(2, 2)}
    assert convert(data, _use_new_zipfile_serialization=False)[0] == 0


@pytest.mark.parametrize(
    ('data', 'said'),
    [
        ({'text.wte': torch.ones(2), 'epoch': 3}, 'epoch is a int, not a tensor'),
        ({'text': {'wte': torch.ones(2)}, 'text.wte': torch.ones(2)}, 'text.wte twice'),
        (
            {'text.wte': torch.ones(2), 'text_model.transformer.embd.wte.weight': torch.ones(2)},
            'two names of one tensor',
        ),
        ([torch.ones(2)], 'a list, not a dictionary'),
        ({}, 'holds no tensors'),
        ({'a': torch.ones(2, 2).to_sparse()}, 'sparse'),
        (argparse.Namespace(weights=1), 'more than weights'),
        ({'x.A': torch.ones(1, 2), 'x.weight': torch.ones(2, 2)}, 'both LoRA matrices'),
        ({'x.A': torch.ones(1, 2)}, 'x.B is missing'),
        ({'x.A': torch.ones(1, 2), 'x.B': torch.ones(2, 3)}, r'[rank, inputs]'),
    ],
)
def test_what_is_no_file_of_weights_is_refused(convert, tmp_path, data, said):
    status, message, out = convert(data)
    assert status == 1 and said in message and 'weights_only' not in message
    assert [file.name for file in tmp_path.iterdir()] == ['in.pt']


def test_damaged_missing_and_existing_files_are_refused(convert, tmp_path):
    assert 'does not exist' in convert(None)[1]
    torch.save({'a': torch.ones(1000)}, tmp_path / 'in.pt')
    whole = (tmp_path / 'in.pt').read_bytes()
    for damaged in (whole[:900], b'', b'no pickle at all'):
        (tmp_path / 'in.pt').write_bytes(damaged)
        status, message, _ = convert(None)
        assert status == 1 and 'is damaged' in message or 'more than weights' in message
    assert '.safetensors' in convert({'a': torch.ones(2)}, out='out.bin')[1]
    (tmp_path / 'out.safetensors').write_text('mine')
    status, message, out = convert({'a': torch.ones(2)})
    assert status == 1 and 'already exists' in message and out.read_text() == 'mine'
    assert 'not a folder' in convert({'a': torch.ones(2)}, out='nowhere/out.safetensors')[1]


def test_a_published_variant_becomes_an_adapter(convert):
    block = 'text_model.transformer.h.0'
    state = {}
    for layer in ('mixer.Wqkv', 'mixer.out_proj', 'mlp.fc1'):
        name = f'{block}.{layer}.parametrizations.weight.0'
        state |= {f'{name}.A': torch.randn(2, 6), f'{name}.B': torch.randn(6, 2)}
    status, said, out = convert(state)
    assert status == 0 and 'adapter of 6 tensors' in said
    adapter = open_adapter(out)
    wanted = {f'text.blocks.0.{x}' for x in ('attn.qkv', 'attn.proj', 'mlp.fc1')}
    assert set(adapter.pairs) == wanted and adapter.unmerged_blocks == {0} and adapter.scale == 1
    stored = state[f'{block}.mixer.Wqkv.parametrizations.weight.0.A']
    assert (adapter.a('text.blocks.0.attn.qkv') == stored.numpy()).all()


def test_an_adapter_of_peft_is_no_checkpoint(convert):
    layer = 'base_model.model.text.blocks.0.attn.qkv'
    a, b = torch.zeros(2, 8), torch.zeros(8, 2)
    state = {f'{layer}.lora_A.weight': a, f'{layer}.lora_B.weight': b}
    status, said, written = convert(state, 'adapter_model.bin')
    assert status == 1 and 'is a LoRA adapter of PEFT' in said and 'merge_and_unload' in said
    assert not written.exists()
