"""fp16, int8 and int4: stored weights, verification, invalid options."""

import json
import shutil

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from kimi_export import export_model
from kimi_export.cli import main
from kimi_export.quantize import quantize_weight
from kimi_export.samples import SampleError, read_samples
from kimi_export.settings import PresetError, preset_names, resolve_settings
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.errors import ConfigError, ModelFolderError
from kimi_ros.vlm.folder import read_folder
from kimi_ros.vlm.quantization import QuantizationConfig

HAS_CAUSAL_SWITCH = tuple(map(int, onnxruntime.__version__.split('.')[:2])) >= (1, 32)


@pytest.fixture(scope='module')
def pictures(tmp_path_factory, golden_checkpoint):
    """Two of the golden images, one of them with a question."""
    folder = tmp_path_factory.mktemp('pictures')
    for number in (1, 3):
        shutil.copy(golden_checkpoint / f'image_{number}.png', folder)
    lines = [
        {'image': 'image_1.png', 'question': 'What is this?', 'object': 'cup'},
        {'image': 'image_3.png'},
    ]
    (folder / 'prompts.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    return folder


@pytest.mark.parametrize('kind', ['int8', 'int4'])
@pytest.mark.parametrize(('inputs', 'group'), [(256, 128), (160, 128), (96, 32)])
def test_packed_weights_dequantize_to_their_values(kind, inputs, group):
    weight = np.random.default_rng(3).standard_normal((40, inputs)).astype(np.float32)
    weight[7] = 0
    packed = quantize_weight(weight, kind, group)
    found = packed.dequantize()
    assert found.shape == weight.shape and not found[7].any()
    steps = np.abs(packed.scales).repeat(group, axis=1)[:, :inputs]
    # int4 may clip: the best scale is not that of the largest weight.
    assert (np.abs(found - weight) <= steps * (0.501 if kind == 'int8' else 2.2)).all()
    loss = np.sqrt(np.square(found - weight).mean())
    assert loss < (0.01 if kind == 'int8' else 0.11)


def test_int4_scale_search_beats_absmax():
    weight = np.random.default_rng(4).standard_normal((64, 512)).astype(np.float32)
    scale = np.abs(weight.reshape(64, -1, 128)).max(-1, keepdims=True) / 7
    plain = (np.rint(weight.reshape(64, -1, 128) / scale) * scale).reshape(weight.shape)
    found = quantize_weight(weight, 'int4', 128).dequantize()
    assert np.square(found - weight).sum() < 0.9 * np.square(plain - weight).sum()


# Random weights have no structure that would survive rounding: the bounds are what was measured,
# and a little more.
@pytest.mark.parametrize(
    ('precision', 'logit_error', 'same_token', 'share'),
    [('fp16', 0.005, 0.97, 0.6), ('int8', 0.06, 0.85, 0.6), ('int4', 0.4, 0.4, 0.6)],
)
def test_precision_report_on_golden(
    golden_checkpoint, pictures, tmp_path, lines, precision, logit_error, same_token, share
):
    out = export_model(
        golden_checkpoint, tmp_path / 'out', progress=lines, precision=precision, verify=pictures
    )
    about = json.loads((out / 'model.json').read_text())
    loss = about['verified']
    assert about['precision'] == precision
    assert loss['images'] == 2 and loss['positions'] > 20
    assert 0 < loss['logit_error'] < logit_error
    assert loss['token_agreement'] > same_token
    assert loss['megabytes'] < share * loss['megabytes_fp32']
    assert loss['resident_megabytes'] > 50
    assert any('same token' in line for line in lines.lines)
    assert not [file for file in out.iterdir() if file.is_dir()]


def test_precision_report_of_fp32_is_zero(golden_checkpoint, pictures, tmp_path):
    out = export_model(golden_checkpoint, tmp_path / 'out', verify=pictures)
    loss = json.loads((out / 'model.json').read_text())['verified']
    assert loss['logit_error'] == 0 and loss['token_agreement'] == 1
    assert loss['point_displacement'] == 0 and loss['same_count'] == 1


@pytest.mark.skipif(not HAS_CAUSAL_SWITCH, reason='an 8-bit cache needs onnxruntime 1.31.1')
def test_int8_kv_cache(golden_checkpoint, golden_folder, pictures, tmp_path):
    out = export_model(
        golden_checkpoint, tmp_path / 'out', precision='int8', calibrate=pictures, verify=pictures
    )
    folder = read_folder(out)
    assert folder.quantization.cache == 'int8' and folder.min_onnxruntime == '1.31.1'
    loss = json.loads((out / 'model.json').read_text())['verified']
    assert loss['logit_error'] < 0.07
    with Image.open(golden_checkpoint / 'image_1.png') as image:
        rgb = np.asarray(image.convert('RGB'))
    with VisionLanguageModel.load(out) as small, VisionLanguageModel.load(golden_folder) as exact:
        found, expected = (vlm.trace(rgb, [0, 5, 6])['k_last_norm'] for vlm in (small, exact))
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_int8_cache_is_refused_for_unsupported_heads(
    make_config, make_checkpoint, tmp_path, capsys
):
    config = make_config(text={'n_heads': 2, 'dim': 48})
    (tmp_path / 'pictures').mkdir()
    Image.new('RGB', (20, 20)).save(tmp_path / 'pictures' / 'grey.png')
    checkpoint, out = make_checkpoint(config=config), tmp_path / 'exports' / 'out'
    arguments = [str(checkpoint), str(out), '--calibrate', str(tmp_path / 'pictures')]
    for precision, words in (
        ('int8', 'head dimension of 24'),
        ('fp32', 'needs --precision int8 or int4'),
    ):
        assert main([*arguments, '--precision', precision]) == 1
        assert words in capsys.readouterr().err
    assert not (tmp_path / 'exports').exists()


def test_overflow_in_half_precision_is_named(make_config, make_tensors, make_checkpoint, tmp_path):
    tensors = make_tensors(make_config())
    tensors['model.text.blocks.0.mlp.fc1.weight'][0, 0] = 1e6
    with pytest.raises(Exception, match=r'fc1\.weight.*overflow half precision.*--precision'):
        export_model(make_checkpoint(tensors), tmp_path / 'out', precision='fp16')


def test_presets(make_checkpoint, tmp_path):
    assert preset_names() == ['cpu', 'jetson_orin_nano', 'jetson_agx_orin', 'desktop_gpu']
    for name in preset_names():
        chosen = resolve_settings(preset=name)
        assert chosen.preset == name and chosen.quantization.decoder == chosen.precision
    out = export_model(make_checkpoint(), tmp_path / 'out', preset='cpu')
    folder = read_folder(out)
    assert (folder.precision, folder.config.vision.max_crops) == ('int4', 1)
    about = json.loads((out / 'model.json').read_text())
    assert about['preset'] == 'cpu'
    assert resolve_settings('int8', 'jetson_orin_nano').quantization == QuantizationConfig(
        'fp16', 'fp16', 'int8', 128, 'fp16'
    )


def test_invalid_settings():
    with pytest.raises(PresetError, match='no preset .toaster.; use one of cpu'):
        resolve_settings(preset='toaster')
    with pytest.raises(PresetError, match='one of fp32'):
        resolve_settings('fp8')
    with pytest.raises(ConfigError, match='does not go with'):
        QuantizationConfig(activations='fp16', vision='fp32')
    with pytest.raises(ConfigError, match='group must be 32 or 128'):
        QuantizationConfig(group=7)


def test_unknown_quantization_is_refused(golden_folder, tmp_path):
    folder = shutil.copytree(golden_folder, tmp_path / 'model')
    about = json.loads((folder / 'model.json').read_text())
    about['layout']['vision'] = 'int3'
    (folder / 'model.json').write_text(json.dumps(about))
    with pytest.raises(ModelFolderError, match=r'model\.json: vision must be one of'):
        VisionLanguageModel.load(folder)


@pytest.mark.skipif(not HAS_CAUSAL_SWITCH, reason='an 8-bit cache needs onnxruntime 1.31.1')
def test_calibration_with_one_small_image(make_config, make_checkpoint, tmp_path):
    Image.effect_noise((64, 64), 90).save(tmp_path / 'noise.png')
    out = export_model(
        make_checkpoint(), tmp_path / 'out', precision='int4', calibrate=tmp_path, verify=tmp_path
    )
    loss = json.loads((out / 'model.json').read_text())['verified']
    assert loss['positions'] > 0 and 0 <= loss['token_agreement'] <= 1


def test_precision_report_without_query_task(make_config, make_checkpoint, tmp_path):
    config = make_config()
    config['tokenizer']['templates']['query'] = None
    Image.new('RGB', (30, 20)).save(tmp_path / 'grey.png')
    out = export_model(make_checkpoint(config=config), tmp_path / 'out', verify=tmp_path)
    loss = json.loads((out / 'model.json').read_text())['verified']
    assert loss['token_agreement'] is None and loss['logit_error'] is None
    assert loss['same_count'] == 1


def test_too_long_question_is_refused_before_the_export(golden_checkpoint, tmp_path, lines):
    Image.new('RGB', (30, 20)).save(tmp_path / 'grey.png')
    line = {'image': 'grey.png', 'question': 'cup ' * 2000}
    (tmp_path / 'prompts.jsonl').write_text(json.dumps(line))
    with pytest.raises(SampleError, match=r'grey\.png is \d+ tokens too long for the context'):
        export_model(golden_checkpoint, tmp_path / 'out', progress=lines, verify=tmp_path)
    assert not lines.lines


def test_invalid_target(make_checkpoint, tmp_path):
    with pytest.raises(PresetError, match='onnx or tensorrt'):
        export_model(make_checkpoint(), tmp_path / 'out', target='trt')


def test_samples_are_checked_line_by_line(tmp_path, pictures):
    assert [s.question for s in read_samples(pictures)] == ['What is this?', 'Describe this image.']
    with pytest.raises(SampleError, match='is not a folder'):
        read_samples(tmp_path / 'absent')
    with pytest.raises(SampleError, match='has no images'):
        read_samples(tmp_path)
    prompts = tmp_path / 'prompts.jsonl'
    for line, words in (
        ('{"image": ', 'line 2 is not JSON'),
        ('{"image": 3}', 'line 2 is not a JSON object of strings'),
        ('{"question": "what?"}', 'line 2 needs "image"'),
        ('{"image": "a.png", "object": " "}', 'line 2 has an empty string'),
        ('{"image": "a.png", "colour": "red"}', 'line 2 needs "image"'),
        ('{"image": "a.png"}', r'line 2: .*a\.png is missing'),
    ):
        prompts.write_text(f'\n{line}\n')
        with pytest.raises(SampleError, match=words):
            read_samples(tmp_path)
    prompts.write_bytes(b'\xff\xfe')
    with pytest.raises(SampleError, match=r'prompts\.jsonl cannot be read'):
        read_samples(tmp_path)
    (tmp_path / 'a.png').write_bytes(b'no picture')
    prompts.write_text('{"image": "a.png"}')
    (sample,) = read_samples(tmp_path)
    with pytest.raises(SampleError, match='a.png is not a readable image'):
        sample.rgb()


def test_missing_tasks_are_reported(make_config, make_tensors, make_checkpoint, tmp_path, lines):
    config = make_config()
    checkpoint = make_checkpoint(make_tensors(config, regions=False), config)
    export_model(checkpoint, tmp_path / 'out', progress=lines)
    assert any('no region heads: no point and detect' in line for line in lines.lines)
