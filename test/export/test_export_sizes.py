"""Other sizes of the architecture: the export agrees with plain numpy."""

import numpy as np
import onnx
import pytest

from kimi_export import SelfCheckError, export_model
from kimi_export.checkpoint import open_checkpoint
from kimi_export.reference import Cache, Reference
from kimi_export.selfcheck import check
from kimi_ros.vlm.folder import read_folder
from kimi_ros.vlm.ort.engine import OnnxEngine


def heads(count, kv, width, **more):
    return {'text': {'dim': count * width, 'n_heads': count, 'n_kv_heads': kv} | more}


SIZES = {
    'heads of 32': (heads(5, 5, 32), True),
    'grouped, heads of 32': (heads(4, 2, 32), True),
    'one key-value head of 64': (heads(4, 1, 64), True),
    'heads of 80': (heads(2, 2, 80), True),
    'heads of 72, rotation of 32': (heads(2, 2, 72), False),
    'grouped, heads of 24': (heads(4, 2, 24), False),
    'grouped, heads of 16': (heads(6, 3, 16), False),
    'heads of 4': (heads(2, 1, 4), False),
    'encoder heads of 72': ({'vision': {'enc_dim': 144, 'enc_n_heads': 2}}, True),
    'other patches': ({'vision': {'crop_size': 30, 'enc_patch_size': 5}}, True),
    'convolutional stem': (
        {
            'text': {'max_context': 128},
            'vision': {'stem': 'efficientnet_lite0', 'crop_size': 64, 'enc_patch_size': 16},
        },
        True,
    ),
    'one layer': ({'text': {'n_layers': 1}, 'vision': {'enc_n_layers': 1}}, True),
    'context that an image fills': ({'text': {'max_context': 18}}, True),
}


@pytest.fixture(params=SIZES.values(), ids=list(SIZES))
def exported(request, make_config, make_checkpoint, tmp_path):
    """An exported checkpoint, and whether its decoder uses GroupQueryAttention."""
    sections, fused = request.param
    checkpoint = make_checkpoint(config=make_config(**sections))
    return open_checkpoint(checkpoint), export_model(checkpoint, tmp_path / 'out'), fused


def test_engine_agrees_with_the_reference(exported):
    checkpoint, folder, fused = exported
    decoder = (folder / 'decoder.onnx').read_bytes()
    assert (b'GroupQueryAttention' in decoder) == fused
    config = checkpoint.config
    engine = OnnxEngine(read_folder(folder), device='cpu', threads=1)
    reference = Reference(config, checkpoint.read)
    generator = np.random.default_rng(5)
    side = config.vision.crop_size
    crops = generator.uniform(-1, 1, (2, 3, side, side)).astype(np.float32)

    features = engine.encode(crops)
    for crop, found in zip(crops, features, strict=True):
        np.testing.assert_allclose(found, reference.encode(crop), atol=1e-4)
    image = engine.project(*features)
    np.testing.assert_allclose(image, reference.project(*features), atol=1e-4)

    prefix = np.concatenate([reference.embed_tokens([0]), image])
    _, cache = reference.decode(prefix, Cache(), causal=False)
    engine.prefill_image(prefix)
    for chunk in ([3, 1, 4, 1, 5], [9], [2, 6], [5], [3, 5]):
        if engine.length + len(chunk) > config.text.max_context:
            break
        hidden, cache = reference.decode(reference.embed_tokens(chunk), cache, causal=True)
        found = engine.step(engine.embed_tokens(chunk))
        np.testing.assert_allclose(found, hidden[-1], atol=2e-4)
        np.testing.assert_allclose(engine.logits(found), reference.logits(hidden)[-1], atol=5e-4)
    for layer in range(config.text.n_layers):
        keys, values = engine.read_cache(layer)
        np.testing.assert_allclose(keys, cache.keys[layer], atol=1e-4)
        np.testing.assert_allclose(values, cache.values[layer], atol=1e-4)


def test_text_only_in_one_chunk_and_token_by_token(make_config, make_checkpoint, tmp_path):
    for name, sections in (('fused', heads(2, 2, 32)), ('plain', heads(2, 1, 24))):
        folder = make_checkpoint(config=make_config(**sections), name=name)
        engine = OnnxEngine(read_folder(export_model(folder, tmp_path / f'{name}_out')), 'cpu', 1)
        ids = [7, 8, 9, 10, 11, 12]
        together = engine.step(engine.embed_tokens(ids))
        engine.rewind(0)
        for token in ids:
            alone = engine.step(engine.embed_tokens([token]))
        np.testing.assert_allclose(together, alone, atol=1e-4)


def test_no_region_heads_no_point_task(make_config, make_tensors, make_checkpoint, tmp_path):
    config = make_config()
    checkpoint = make_checkpoint(make_tensors(config, regions=False), config)
    folder = read_folder(export_model(checkpoint, tmp_path / 'out'))
    assert folder.tasks == ('query', 'caption')
    assert not {'coordinate.onnx', 'size.onnx'} & set(folder.files)
    assert OnnxEngine(folder, 'cpu', 1).encode(np.zeros((1, 3, 16, 16), np.float32)).any()


def test_graphs_need_only_onnxruntime_1_23(make_checkpoint, tmp_path):
    folder = export_model(make_checkpoint(), tmp_path / 'out')
    for path in folder.glob('*.onnx'):
        onnx.checker.check_model(str(path))
        model = onnx.load(path, load_external_data=False)
        assert model.ir_version <= 10
        assert all(opset.version <= 21 for opset in model.opset_import)


def test_selfcheck_compares_every_part(make_checkpoint, tmp_path, lines):
    export_model(make_checkpoint(), tmp_path / 'out', progress=lines)
    compared = [line.split(':')[0] for line in lines.lines if 'largest error' in line]
    assert compared == [
        'vision',
        'projection',
        'prefill keys',
        'prefill values',
        'prompt',
        'head',
        'decode step',
        'text only',
        'coordinate',
        'size',
        'region tables',
    ]


def test_selfcheck_detects_other_weights(make_config, make_tensors, make_checkpoint, tmp_path):
    config = make_config()
    folder = export_model(make_checkpoint(), tmp_path / 'out')
    other = make_tensors(config)
    other['model.text.blocks.1.attn.proj.weight'][3, 5] += 0.5
    found = {
        difference.part: difference.within
        for difference in check(open_checkpoint(make_checkpoint(other, name='other')), folder)
    }
    wrong = {part for part, within in found.items() if not within}
    assert wrong == {'prompt', 'decode step', 'text only'}


def test_selfcheck_names_a_graph_that_does_not_load(make_checkpoint, tmp_path):
    checkpoint = make_checkpoint()
    folder = export_model(checkpoint, tmp_path / 'out')
    (folder / 'decoder.onnx').write_bytes(b'nothing')
    with pytest.raises(SelfCheckError, match='decoder.onnx'):
        list(check(open_checkpoint(checkpoint), folder))
