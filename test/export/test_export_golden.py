"""The golden checkpoint: the numpy reference and the graphs agree with the golden arrays."""

import json

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from safetensors.numpy import save_file

from kimi_export import export_model
from kimi_export.reference import Cache, Reference
from kimi_ros.vlm.crops import adaptive_average_pool, normalise, overlap_crops, stitch
from kimi_ros.vlm.folder import read_folder, sha256_of
from kimi_ros.vlm.ort.engine import OnnxEngine

CASE = 3  # 378 x 378: one crop, and the resizing changes nothing


def assert_close(found, expected):
    """Within 1e-3 of the value or 1e-4 of the scale."""
    allowed = np.maximum(1e-3 * np.abs(expected), 1e-4 * np.abs(expected).max())
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= allowed).all()


@pytest.fixture(scope='module')
def crop(golden, golden_checkpoint):
    with Image.open(golden_checkpoint / f'image_{CASE}.png') as picture:
        crops = overlap_crops(np.asarray(picture.convert('RGB')), golden.config.vision)
    return normalise(crops.pixels[:1])


@pytest.fixture(scope='module')
def run(golden_folder):
    def run(graph, **feeds):
        return onnxruntime.InferenceSession(golden_folder / f'{graph}.onnx').run(None, feeds)

    return run


def local_features(features, vision):
    """Features of a single crop after stitching and pooling."""
    grid = features.reshape(1, vision.grid, vision.grid, -1)
    joined = stitch(grid, (1, 1), vision.overlap_margin)
    return adaptive_average_pool(joined, vision.grid).reshape(features.shape)


def test_reference_agrees_with_the_golden_arrays(golden, golden_cases, crop):
    cases, expected = golden_cases
    reference = Reference(golden.config, golden.read)
    features = reference.encode(crop[0])
    assert_close(features[::27], expected[f'vision_global_{CASE}'])
    image = reference.project(features, local_features(features, golden.config.vision))
    assert_close(image[::27], expected[f'image_embeds_{CASE}'])
    bos = reference.embed_tokens([golden.config.tokenizer.bos_id])
    _, cache = reference.decode(np.concatenate([bos, image]), Cache(), causal=False)
    norms = np.linalg.norm(cache.keys[-1], axis=-1)
    assert_close(norms[:, ::27], expected[f'k_last_norm_{CASE}'])
    assert_close(cache.values[-1][:, ::90], expected[f'v_last_{CASE}'])
    prompt = reference.embed_tokens(cases[CASE]['query']['prompt_ids'])
    hidden, _ = reference.decode(prompt, cache, causal=True)
    assert_close(reference.logits(hidden)[-1], expected[f'query_logits_{CASE}'])


def test_graphs_agree_with_the_golden_arrays(golden, golden_folder, golden_cases, crop, run):
    expected = golden_cases[1]
    (features,) = run('vision', crops=crop)
    assert_close(features[0, ::27], expected[f'vision_global_{CASE}'])
    local = local_features(features[0], golden.config.vision)
    (image,) = run('projection', global_features=features[0], local_features=local)
    assert_close(image[::27], expected[f'image_embeds_{CASE}'])
    bos = golden.read('text.wte')[[golden.config.tokenizer.bos_id]]
    engine = OnnxEngine(read_folder(golden_folder), device='cpu')
    engine.prefill_image(np.concatenate([bos, image]))
    keys, values = engine.read_cache(golden.config.text.n_layers - 1)
    assert_close(np.linalg.norm(keys, axis=-1)[:, ::27], expected[f'k_last_norm_{CASE}'])
    assert_close(values[:, ::90], expected[f'v_last_{CASE}'])


@pytest.mark.parametrize('compiled', [False, True])
def test_older_names_give_the_same_weights(
    golden_copy, golden_folder, tmp_path, compiled, older_name
):
    folder, tensors = golden_copy
    older = {}
    for name, values in tensors.items():
        renamed = older_name(name)
        if renamed.endswith('_features.weight'):
            values = np.ascontiguousarray(values.T)
        if compiled:  # torch.compile leaves its mark in the names
            renamed = renamed.replace('text_model.', 'text_model._orig_mod.')
        older[renamed] = values
    save_file(older, folder / 'model.safetensors')
    out = export_model(folder, tmp_path / 'out')
    for name in ('weights.bin', 'tables.safetensors', 'decoder.onnx', 'vision.onnx'):
        assert sha256_of(out / name) == sha256_of(golden_folder / name)


def test_model_json_lists_the_hashes_of_all_files(golden_folder, golden_checkpoint):
    about = json.loads((golden_folder / 'model.json').read_text())
    files = {file.name for file in golden_folder.iterdir()} - {'model.json'}
    assert about['files'] == {name: sha256_of(golden_folder / name) for name in files}
    assert about['tasks'] == ['query', 'caption', 'point', 'detect']
    assert about['languages'] == ['en']
    assert about['config'] == json.loads((golden_checkpoint / 'config.json').read_text())
    assert about['source']['sha256'] == sha256_of(golden_checkpoint / 'model.safetensors')
    assert (about['precision'], about['runtime']) == ('fp32', 'onnxruntime')


def test_every_weight_is_stored_once(golden_folder, golden):
    blocks = sum(
        stored.read().nbytes for name, (stored, _) in golden.tensors.items() if name != 'text.wte'
    )
    # Apart from the rotary tables, the scatter indices and the alignment.
    room = 4096 * (len(golden.tensors) + 6) + 2 * 2048 * 16 * 4 + 730 * 8 * (1 + 3 * 8)
    assert (golden_folder / 'weights.bin').stat().st_size < blocks + room
