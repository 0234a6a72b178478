"""Supported forms of checkpoints, and the errors of invalid ones."""

import json
import struct

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from kimi_export import CheckpointError, export_model
from kimi_export.checkpoint import open_checkpoint
from kimi_ros.vlm.folder import read_folder, sha256_of

QKV = 'model.text.blocks.1.attn.qkv.weight'


@pytest.fixture
def refused(tmp_path):
    """Run an export that must fail and write nothing; return the message."""

    def refused(checkpoint, **options):
        before = sorted(tmp_path.iterdir())
        with pytest.raises(CheckpointError) as caught:
            export_model(checkpoint, tmp_path / 'out', **options)
        assert sorted(tmp_path.iterdir()) == before
        return str(caught.value)

    return refused


def digest(out):
    return sha256_of(out / 'weights.bin'), sha256_of(out / 'tables.safetensors')


def test_file_folder_and_unprefixed_names_are_equivalent(
    make_checkpoint, make_config, make_tensors, tmp_path
):
    config = make_config()
    folder = make_checkpoint()
    bare = {name.removeprefix('model.'): x for name, x in make_tensors(config).items()}
    renamed = make_checkpoint(bare, config, name='bare')
    expected = digest(export_model(folder, tmp_path / 'a'))
    assert digest(export_model(folder / 'model.safetensors', tmp_path / 'b')) == expected
    assert digest(export_model(renamed, tmp_path / 'c')) == expected


def test_config_and_tokenizer_from_elsewhere(make_checkpoint, tmp_path):
    folder = make_checkpoint()
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    for name in ('config.json', 'tokenizer.json'):
        (folder / name).rename(elsewhere / name)
    with pytest.raises(CheckpointError, match='--config'):
        export_model(folder, tmp_path / 'out')
    config, tokenizer = elsewhere / 'config.json', elsewhere / 'tokenizer.json'
    with pytest.raises(CheckpointError, match='--tokenizer'):
        export_model(folder, tmp_path / 'out', config)
    assert read_folder(export_model(folder, tmp_path / 'out', config, tokenizer))


def test_shards(make_checkpoint, make_config, make_tensors, tmp_path, refused):
    tensors = make_tensors(make_config())
    expected = digest(export_model(make_checkpoint(), tmp_path / 'whole'))
    folder = make_checkpoint(name='sharded')
    (folder / 'model.safetensors').unlink()
    places = {name: f'model-{number % 3}.safetensors' for number, name in enumerate(tensors)}
    for file in set(places.values()):
        save_file({n: x for n, x in tensors.items() if places[n] == file}, folder / file)
    index = folder / 'model.safetensors.index.json'
    index.write_text(json.dumps({'metadata': {}, 'weight_map': places}))
    assert digest(export_model(folder, tmp_path / 'a')) == expected
    assert digest(export_model(index, tmp_path / 'b')) == expected
    (folder / 'model-1.safetensors').unlink()
    assert 'model-1.safetensors' in refused(folder)


@pytest.mark.parametrize('dtype', [np.float16, ml_dtypes.bfloat16, np.float64])
def test_stored_dtypes(make_checkpoint, make_config, make_tensors, tmp_path, dtype):
    config = make_config()
    exact = make_tensors(config)
    stored = {name: values.astype(dtype) for name, values in exact.items()}
    rounded = {name: values.astype(np.float32) for name, values in stored.items()}
    folder = make_checkpoint(config=config)
    if dtype is ml_dtypes.bfloat16:
        write_bf16(stored, folder / 'model.safetensors')
    else:
        save_file(stored, folder / 'model.safetensors')
    expected = export_model(make_checkpoint(rounded, config, name='rounded'), tmp_path / 'a')
    assert digest(export_model(folder, tmp_path / 'b')) == digest(expected)


def write_bf16(tensors, path):
    """Write bf16, which the library cannot write from numpy."""
    header, data = {}, b''
    for name, values in tensors.items():
        offsets = [len(data), len(data) + values.nbytes]
        header[name] = {'dtype': 'BF16', 'shape': values.shape, 'data_offsets': offsets}
        data += values.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack('<Q', len(text)) + text + data)


def test_missing_tensor(make_checkpoint, make_config, make_tensors, refused):
    tensors = make_tensors(make_config())
    del tensors[QKV]
    message = refused(make_checkpoint(tensors))
    assert 'text.blocks.1.attn.qkv.weight is missing' in message
    assert '[192, 64]' in message


def test_half_of_the_region_heads(make_checkpoint, make_config, make_tensors, refused):
    tensors = make_tensors(make_config())
    del tensors['model.region.size_decoder.fc2.bias']
    assert 'region.size_decoder.fc2.bias is missing' in refused(make_checkpoint(tensors))


def test_misshapen_tensor(make_checkpoint, make_config, make_tensors, refused):
    tensors = make_tensors(make_config())
    tensors[QKV] = tensors[QKV][:100].copy()
    message = refused(make_checkpoint(tensors))
    assert QKV in message and '[100, 64]' in message and '[192, 64]' in message


def test_config_of_another_size(make_checkpoint, make_config, make_tensors, refused):
    tensors = make_tensors(make_config())
    fewer = make_config(text={'n_layers': 1})
    assert 'one layer more than the 1 text layers' in refused(make_checkpoint(tensors, fewer))
    wider = make_config(text={'ff_dim': 100})
    message = refused(make_checkpoint(tensors, wider, name='wider'))
    assert 'text.blocks.0.mlp.fc1.weight' in message and '[96, 64]' in message


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_nan_and_infinity(make_checkpoint, make_config, make_tensors, refused, value):
    tensors = make_tensors(make_config())
    tensors[QKV][3, 4] = value
    message = refused(make_checkpoint(tensors))
    assert QKV in message and 'NaN or infinity (1 of 12288 values)' in message


def test_nan_in_the_embeddings(make_checkpoint, make_config, make_tensors, refused):
    tensors = make_tensors(make_config())
    tensors['model.text.wte'][3, 4] = np.nan
    assert 'model.text.wte' in refused(make_checkpoint(tensors))


@pytest.mark.parametrize('length', [0, 5, 500, -1])
def test_truncated_checkpoint(make_checkpoint, refused, length):
    file = make_checkpoint() / 'model.safetensors'
    file.write_bytes(file.read_bytes()[:length])
    message = refused(file)
    assert str(file) in message and 'cut short' in message


@pytest.mark.parametrize(
    'content',
    [b'PK\x03\x04' * 100, b'{"a": 1}' * 9, struct.pack('<Q', 4) + b'[1]\n' + bytes(99)],
)
def test_not_a_safetensors_file(make_checkpoint, refused, content):
    file = make_checkpoint() / 'model.safetensors'
    file.write_bytes(content)
    assert 'not a safetensors file' in refused(file)


def test_malformed_entries(make_checkpoint, refused):
    for entry, words in (
        ({'dtype': 'F32', 'shape': [4]}, 'malformed'),
        ({'dtype': 'F32', 'shape': [4], 'data_offsets': [0, 8]}, 'should take 16 bytes'),
    ):
        text = json.dumps({'a.weight': entry}).encode()
        file = make_checkpoint() / 'model.safetensors'
        file.write_bytes(struct.pack('<Q', len(text)) + text + bytes(64))
        message = refused(file)
        assert 'a.weight' in message and words in message


@pytest.mark.parametrize(
    ('places', 'trailing', 'words'),
    [
        ({'a': [0, 16], 'b': [12, 28]}, 0, 'b begins at byte'),
        ({'a': [0, 16], 'b': [20, 36]}, 0, 'b begins at byte'),
        ({'a': [4, 20]}, 0, 'a begins at byte'),
        ({'a': [0, 16], 'b': [16, 32]}, 5, '5 bytes follow its last tensor, b'),
    ],
)
def test_tensors_that_do_not_cover_the_data(make_checkpoint, refused, places, trailing, words):
    entries = {
        name: {'dtype': 'F32', 'shape': [4], 'data_offsets': place}
        for name, place in places.items()
    }
    text = json.dumps(entries).encode()
    data = bytes(max(end for _, end in places.values()) + trailing)
    file = make_checkpoint() / 'model.safetensors'
    file.write_bytes(struct.pack('<Q', len(text)) + text + data)
    assert words in refused(file)


def test_header_nested_too_deep(make_checkpoint, refused):
    text = b'[' * 200_000
    file = make_checkpoint() / 'model.safetensors'
    file.write_bytes(struct.pack('<Q', len(text)) + text)
    assert 'not a safetensors file' in refused(file)


def test_checkpoint_of_another_kind(make_checkpoint, refused):
    file = make_checkpoint() / 'model.safetensors'
    assert 'a checkpoint is a .safetensors file' in refused(file.rename(file.with_suffix('.pt')))
    assert 'no .safetensors file' in refused(file.parent)


def test_integer_weight(make_checkpoint, make_config, make_tensors, refused):
    tensors = make_tensors(make_config())
    tensors[QKV] = tensors[QKV].astype(np.int8)
    message = refused(make_checkpoint(tensors))
    assert QKV in message and 'I8' in message


def test_checkpoint_of_another_architecture(make_checkpoint, refused):
    foreign = {'model.layers.0.self_attn.q_proj.weight': np.zeros((4, 4), np.float32)}
    message = refused(make_checkpoint(foreign))
    assert 'not a Moondream 2 checkpoint' in message and 'q_proj' in message


def test_two_names_for_one_tensor(make_checkpoint, make_config, make_tensors, refused):
    tensors = make_tensors(make_config())
    tensors['text_model.lm_head.linear.bias'] = tensors['model.text.lm_head.bias'].copy()
    message = refused(make_checkpoint(tensors))
    assert 'model.text.lm_head.bias' in message and 'text_model.lm_head.linear.bias' in message


def test_configs_that_are_refused(make_checkpoint, make_config, make_tensors, refused):
    tensors = make_tensors(make_config())
    for number, (config, words) in enumerate(
        (
            (make_config(text={'n_heads': 3}), 'text.dim 64 is not a multiple of text.n_heads 3'),
            (make_config(text={'depth': 3}), 'text.depth'),
            (make_config(text={'group_size': 128}), 'a quantized checkpoint'),
            ({'architectures': ['LlamaForCausalLM'], 'hidden_size': 64}, 'not the config'),
            ([1, 2], 'JSON object'),
            (make_config(text={'max_context': 10**12}), 'text.max_context must be at most'),
            (make_config(text={'n_layers': 300_000}), 'text.n_layers must be at most 1000'),
        )
    ):
        assert words in refused(make_checkpoint(tensors, config, name=f'checkpoint{number}'))
    folder = make_checkpoint(name='broken')
    (folder / 'config.json').write_text('{"text": ')
    assert 'config.json cannot be read' in refused(folder)


def test_config_in_a_wrapper(make_checkpoint, make_config, make_tensors, tmp_path):
    config = make_config()
    wrapped = {'model_type': 'moondream1', 'config': config}
    folder = make_checkpoint(make_tensors(config), wrapped)
    assert read_folder(export_model(folder, tmp_path / 'out')).config.text.dim == 64


def test_tokenizer_of_another_model(make_checkpoint, refused):
    message = refused(make_checkpoint(words=41))
    assert 'ids up to 40' in message and 'text.vocab_size is 40' in message
    folder = make_checkpoint()
    (folder / 'tokenizer.json').write_text('{}')
    assert 'is not a tokenizer' in refused(folder)


def test_missing_checkpoint(tmp_path, refused):
    assert 'does not exist' in refused(tmp_path / 'absent')
    (tmp_path / 'empty').mkdir()
    assert 'no .safetensors file' in refused(tmp_path / 'empty')


def test_several_files_without_index(make_checkpoint, refused):
    folder = make_checkpoint()
    (folder / 'model.safetensors').rename(folder / 'a.safetensors')
    save_file({'x': np.zeros(1)}, folder / 'b.safetensors')
    assert 'name one of them' in refused(folder)


def test_tasks_json_of_a_fine_tuned_checkpoint(make_checkpoint, tmp_path, refused):
    folder = make_checkpoint()
    assert open_checkpoint(folder).name == 'checkpoint'
    about = {'name': 'nano', 'tasks': ['query', 'plan'], 'languages': ['en', 'zh']}
    (folder / 'tasks.json').write_text(json.dumps(about))
    found = read_folder(export_model(folder, tmp_path / 'out'))
    assert (found.name, found.tasks) == ('nano', ('query', 'plan'))
    assert found.languages == ('en', 'zh') and found.presence_threshold is None
    (folder / 'tasks.json').write_text(json.dumps(about | {'presence_threshold': 0.7}))
    found = read_folder(export_model(folder, tmp_path / 'calibrated'))
    assert found.presence_threshold == 0.7


def test_invalid_tasks_json(make_checkpoint, make_config, make_tensors, refused):
    config = make_config()
    folder = make_checkpoint(make_tensors(config, regions=False), config)
    for about, words in (
        ({'tasks': ['fly']}, "'fly' is not a task"),
        ({'tasks': ['point']}, 'lists point'),
        ({'tasks': 'query'}, 'tasks must be a list'),
        ({'presence_threshold': 2.0}, 'presence_threshold must be between 0 and 1'),
    ):
        (folder / 'tasks.json').write_text(json.dumps(about))
        assert words in refused(folder)
