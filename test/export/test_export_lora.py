"""LoRA adapters: merged weights and unmerged branches."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from kimi_export import AdapterError, export_model
from kimi_export.checkpoint import open_checkpoint
from kimi_export.cli import main
from kimi_export.lora import FORMAT, MERGED, UNMERGED, adapt, open_adapter
from kimi_ros.vlm import VisionLanguageModel

RANK = 3
SIZES = {'qkv': (192, 64), 'proj': (64, 64), 'fc1': (96, 64), 'fc2': (64, 96)}
LAYERS = ('attn.qkv', 'attn.proj', 'mlp.fc1', 'mlp.fc2')


def matrices(layers, seed=1):
    generator = np.random.default_rng(seed)
    tensors = {}
    for layer in layers:
        outputs, inputs = SIZES[layer.split('.')[-1]]
        a, b = generator.standard_normal((RANK, inputs)), generator.standard_normal((outputs, RANK))
        tensors[f'{layer}.A'] = (a / np.sqrt(inputs)).astype(np.float32)
        tensors[f'{layer}.B'] = (b / 4).astype(np.float32)
    return tensors


def about(**changes):
    return {'format': FORMAT, 'scale': '1', 'proj': MERGED} | changes


@pytest.fixture
def write(tmp_path):
    def write(tensors, **changes):
        path = tmp_path / 'adapter.safetensors'
        save_file(tensors, path, about(**changes))
        return path

    return write


def hidden(folder, length=9):
    """The last hidden state after a text, and the embeddings that were fed."""
    with VisionLanguageModel.load(folder, device='cpu') as vlm:
        embeds = vlm._engine.embed_tokens(list(range(10, 10 + length)))
        vlm._engine.rewind(0)
        return vlm._engine.step(embeds).copy(), embeds


def test_weights_are_read_merged(make_checkpoint, write):
    plain = open_checkpoint(make_checkpoint())
    layers = [f'text.blocks.{i}.{layer}' for i in range(2) for layer in LAYERS]
    tensors = matrices(layers)
    merged = adapt(plain, write(tensors, scale='0.5'))
    assert not merged.unmerged_blocks
    for layer in layers:
        wanted = plain.read(f'{layer}.weight') + 0.5 * tensors[f'{layer}.B'] @ tensors[f'{layer}.A']
        np.testing.assert_allclose(merged.read(f'{layer}.weight'), wanted, rtol=1e-5, atol=1e-6)
        assert (merged.read(f'{layer}.bias') == plain.read(f'{layer}.bias')).all()
    assert (merged.read('text.wte') == plain.read('text.wte')).all()


def test_merged_adapter_exports_the_merged_weights(
    make_checkpoint, make_tensors, make_config, write, tmp_path
):
    config = make_config()
    tensors = make_tensors(config)
    delta = matrices(['text.blocks.1.attn.qkv', 'text.blocks.0.mlp.fc2', 'vision.blocks.0.mlp.fc1'])
    delta['vision.blocks.0.mlp.fc1.A'] = delta['vision.blocks.0.mlp.fc1.A'][:, :24].copy()
    delta['vision.blocks.0.mlp.fc1.B'] = delta['vision.blocks.0.mlp.fc1.B'][:40].copy()
    adapter = write(delta, scale='2')
    beside = export_model(make_checkpoint(tensors), tmp_path / 'beside', lora=adapter)
    for layer in {name[:-2] for name in delta}:
        tensors[f'model.{layer}.weight'] += 2 * delta[f'{layer}.B'] @ delta[f'{layer}.A']
    merged = export_model(make_checkpoint(tensors, name='changed'), tmp_path / 'merged')
    np.testing.assert_allclose(hidden(beside)[0], hidden(merged)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('precision', ['fp32', 'fp16', 'int8'])
def test_unmerged_adapter_reads_the_normed_block_input(
    make_checkpoint, make_tensors, make_config, write, tmp_path, precision
):
    config = make_config(text={'n_layers': 1})
    tensors = make_tensors(config)
    checkpoint = make_checkpoint(tensors, config)
    layer = 'text.blocks.0.attn.proj'
    delta = matrices([layer])
    plain = export_model(checkpoint, tmp_path / 'plain', precision=precision)
    adapter = write(delta, proj=UNMERGED)
    adapted = export_model(checkpoint, tmp_path / 'adapted', precision=precision, lora=adapter)
    (before, embeds), (after, _) = hidden(plain), hidden(adapted)
    last = embeds[-1]
    normed = (last - last.mean()) / np.sqrt(last.var() + 1e-5)
    normed = normed * tensors['model.text.blocks.0.ln.weight']
    normed += tensors['model.text.blocks.0.ln.bias']
    branch = delta[f'{layer}.B'] @ (delta[f'{layer}.A'] @ normed)
    assert np.abs(branch).max() > 0.1
    near = 1e-4 if precision == 'fp32' else 1e-2
    np.testing.assert_allclose(after - before, branch, atol=near * np.abs(branch).max())


def test_published_variant_of_all_layers_is_exported(make_checkpoint, write, tmp_path):
    """The self-check compares with plain numpy, including unmerged adapters."""
    tensors = matrices([f'text.blocks.{i}.{layer}' for i in range(2) for layer in LAYERS])
    command = [str(make_checkpoint()), str(tmp_path / 'out')]
    assert main([*command, '--lora', str(write(tensors, proj=UNMERGED))]) == 0
    description = json.loads((tmp_path / 'out' / 'model.json').read_text())
    assert description['source']['adapter']['file'] == 'adapter.safetensors'


def test_adapter_adds_tasks_and_languages(make_checkpoint, write):
    adapter = write(matrices(['text.blocks.0.attn.qkv']), tasks='plan', languages='en zh')
    adapted = adapt(open_checkpoint(make_checkpoint()), adapter)
    assert 'plan' in adapted.tasks and adapted.languages == ('en', 'zh')


def test_adapter_with_older_names(make_checkpoint, write):
    older = {
        name.replace('text.blocks', 'text_model.transformer.h').replace('attn.qkv', 'mixer.Wqkv'): t
        for name, t in matrices(['text.blocks.1.attn.qkv']).items()
    }
    assert set(open_adapter(write(older)).pairs) == {'text.blocks.1.attn.qkv'}


@pytest.mark.parametrize(
    ('tensors', 'said'),
    [
        (matrices(['text.blocks.7.attn.qkv']), 'text.blocks.7.attn.qkv is not a linear layer'),
        ({'text.wte.A': np.ones((2, 64)), 'text.wte.B': np.ones((40, 2))}, 'not a linear layer'),
        ({f'text.post_ln.{x}': np.ones((2, 2)) for x in 'AB'}, 'not a linear layer'),
        (
            {
                'text.blocks.0.attn.qkv.A': np.ones((2, 32)),
                'text.blocks.0.attn.qkv.B': np.ones((96, 2)),
            },
            r'A \[2, 32\] and B \[96, 2\].*\[96, 32\]; .* one of \[192, 64\]',
        ),
    ],
)
def test_an_adapter_of_another_checkpoint_is_refused(make_checkpoint, write, tensors, said):
    adapter = write({name: t.astype(np.float32) for name, t in tensors.items()})
    with pytest.raises(AdapterError, match=said):
        adapt(open_checkpoint(make_checkpoint()), adapter)


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'format': 'pt'}, 'kimi-train convert converts'),
        ({'scale': 'much'}, "no valid scale: 'much'"),
        ({'scale': 'nan'}, 'no valid scale'),
        ({'proj': 'elsewhere'}, "'elsewhere'"),
    ],
)
def test_metadata_are_checked(write, changes, said):
    with pytest.raises(AdapterError, match=said):
        open_adapter(write(matrices(['text.blocks.0.attn.qkv']), **changes))


def test_invalid_adapter_is_refused(make_checkpoint, write, tmp_path):
    whole = write(matrices(['text.blocks.0.attn.qkv']))
    for name, content, said in (
        ('a.pt', b'', 'kimi-train convert'),
        ('gone.safetensors', None, 'does not exist'),
        ('cut.safetensors', whole.read_bytes()[:-9], 'cut short'),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(AdapterError, match=said):
            export_model(make_checkpoint(), tmp_path / 'out', lora=tmp_path / name)
    tensors = matrices(['text.blocks.0.attn.qkv'])
    del tensors['text.blocks.0.attn.qkv.B']
    with pytest.raises(AdapterError, match='qkv.B is missing'):
        open_adapter(write(tensors))
    assert not (tmp_path / 'out').exists()
