"""Model folders: errors name the file."""

import json
import os
import shutil

import numpy as np
import onnxruntime
import pytest

from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.errors import DeviceNotAvailable, EngineError, InputError, ModelFolderError
from kimi_ros.vlm.folder import read_folder


@pytest.fixture
def folder(golden_folder, tmp_path):
    """A copy that a test may modify."""
    return shutil.copytree(golden_folder, tmp_path / 'model')


def rewrite(folder, **changes):
    file = folder / 'model.json'
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_folder_metadata(golden_folder):
    folder = read_folder(str(golden_folder))
    assert folder.runtime == 'onnxruntime'
    assert {'query', 'caption', 'point', 'detect'} <= set(folder.tasks)
    assert folder.config.text.dim == 128


def test_no_folder(tmp_path):
    with pytest.raises(ModelFolderError, match='nowhere is not a folder'):
        VisionLanguageModel.load(tmp_path / 'nowhere')


def test_checkpoint_instead_of_an_exported_folder(golden_checkpoint):
    with pytest.raises(ModelFolderError, match=r'model\.json is missing.*kimi-export'):
        VisionLanguageModel.load(golden_checkpoint)


def test_format_of_another_version(folder):
    rewrite(folder, format=1)
    with pytest.raises(ModelFolderError, match=r'model\.json has the format 1, this version'):
        VisionLanguageModel.load(folder)


def test_model_json_is_not_json(folder):
    (folder / 'model.json').write_text('{"format": 1,')
    with pytest.raises(ModelFolderError, match=r'model\.json cannot be read'):
        VisionLanguageModel.load(folder)


def test_model_json_without_a_key(folder):
    rewrite(folder, tasks=None)
    with pytest.raises(ModelFolderError, match=r"model\.json: 'tasks'"):
        VisionLanguageModel.load(folder)


@pytest.mark.parametrize(
    ('key', 'value'), [('threads', '2'), ('threads', 0), ('threads', 2.5), ('tasks', [1])]
)
def test_model_json_with_an_invalid_value(folder, key, value):
    rewrite(folder, **{key: value})
    with pytest.raises(ModelFolderError, match=rf'model\.json: .?{key}.? must'):
        VisionLanguageModel.load(folder)


def test_invalid_config(folder):
    config = json.loads((folder / 'model.json').read_text())['config']
    config['text']['n_heads'] = 7
    rewrite(folder, config=config)
    with pytest.raises(ModelFolderError, match=r'model\.json: text.dim'):
        VisionLanguageModel.load(folder)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'n_layers': 1}, r'decoder\.onnx: past_key_1 has shape .*expects none'),
        ({'n_layers': 30}, r'decoder\.onnx: past_key_\d+ has shape .absent'),
        ({'max_context': 1024}, r'decoder\.onnx: past_key_0 .*2048.*1024'),
        ({'vocab_size': 1500}, r'head\.onnx: logits '),
        ({'max_context': 10**12}, r'model\.json: text\.max_context must be at most'),
        ({'n_layers': 300000}, r'model\.json: text\.n_layers must be at most'),
    ],
)
def test_config_does_not_match_the_graphs(folder, changes, words):
    config = json.loads((folder / 'model.json').read_text())['config']
    config['text'].update(changes)
    rewrite(folder, config=config)
    with pytest.raises(ModelFolderError, match=words):
        VisionLanguageModel.load(folder)


def test_engine_error_names_the_graph_and_model_remains_usable(golden_folder):
    with VisionLanguageModel.load(golden_folder, device='cpu', threads=1) as model:
        answer = model.query(None, 'What?', max_tokens=3)
        with pytest.raises(EngineError, match=r'decoder\.onnx'):
            model._engine.step(np.zeros((2, 7), np.float32))
        with pytest.raises(EngineError, match=r'vision\.onnx'):
            model._engine.encode(np.zeros((1, 3, 5, 5), np.float32))
        assert model.query(None, 'What?', max_tokens=3) == answer


def test_fp32_runs_on_the_cpu_only(golden_folder, monkeypatch, caplog):
    found = ['CUDAExecutionProvider', 'CPUExecutionProvider']
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: found)
    with VisionLanguageModel.load(golden_folder, device='auto', threads=1) as model:
        assert model._engine._providers == ['CPUExecutionProvider']
    assert [r.message.startswith('using the CPU: ') for r in caplog.records] == [True]
    with pytest.raises(DeviceNotAvailable, match='fp32 activations'):
        VisionLanguageModel.load(golden_folder, device='cuda')


@pytest.mark.parametrize('name', ['weights.bin', 'decoder.onnx', 'tables.safetensors'])
def test_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=f'{name} is missing'):
        VisionLanguageModel.load(folder)


def test_truncated_file(folder):
    file = folder / 'weights.bin'
    os.truncate(file, file.stat().st_size - 4096)
    with pytest.raises(ModelFolderError, match=r'weights\.bin is damaged'):
        VisionLanguageModel.load(folder)


def test_changed_byte(folder):
    file = folder / 'tokenizer.json'
    file.write_bytes(file.read_bytes() + b' ')
    with pytest.raises(ModelFolderError, match=r'tokenizer\.json is damaged'):
        VisionLanguageModel.load(folder)


def test_graph_that_is_not_listed(folder):
    files = json.loads((folder / 'model.json').read_text())['files']
    del files['head.onnx']
    rewrite(folder, files=files)
    with pytest.raises(ModelFolderError, match=r'lists no head\.onnx'):
        VisionLanguageModel.load(folder)


def test_unknown_runtime(folder):
    rewrite(folder, runtime='openvino')
    with pytest.raises(ModelFolderError, match='openvino'):
        VisionLanguageModel.load(folder)


def test_newer_onnxruntime_needed(folder):
    rewrite(folder, min_onnxruntime='99.0')
    with pytest.raises(ModelFolderError, match='needs onnxruntime 99.0'):
        VisionLanguageModel.load(folder)


def test_gpu_without_its_runtime(folder):
    half = dict.fromkeys(('activations', 'vision', 'decoder', 'cache'), 'fp16')
    rewrite(folder, layout={**half, 'group': 128})
    if 'CUDAExecutionProvider' not in onnxruntime.get_available_providers():
        with pytest.raises(DeviceNotAvailable, match='uninstall onnxruntime, then'):
            VisionLanguageModel.load(folder, device='cuda')


def test_devices_and_threads(golden_folder):
    with pytest.raises(DeviceNotAvailable, match='"auto", "cpu" or "cuda"'):
        VisionLanguageModel.load(golden_folder, device='tpu')
    with pytest.raises(InputError, match='threads'):
        VisionLanguageModel.load(golden_folder, threads=0)
    rgb = np.zeros((1, 1, 3), np.uint8)
    with VisionLanguageModel.load(golden_folder, device='auto', threads=1) as model:
        assert len(model.query(model.encode_image(rgb), 'What?', max_tokens=2).ids) <= 2


def test_the_threshold_of_presence_is_read(folder):
    rewrite(folder, presence_threshold=0.7)
    with VisionLanguageModel.load(folder) as vlm:
        assert vlm.presence_threshold == 0.7


@pytest.mark.parametrize('value', [0, 1.5, '0.5', True])
def test_a_threshold_of_presence_that_is_no_probability(folder, value):
    rewrite(folder, presence_threshold=value)
    with pytest.raises(ModelFolderError, match='presence_threshold must be between 0 and 1'):
        read_folder(folder)
