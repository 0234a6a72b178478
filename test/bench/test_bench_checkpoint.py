"""Random checkpoints for kimi-export."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from bench.checkpoint import SIZES, Size, random_checkpoint
from kimi_export.checkpoint import open_checkpoint
from kimi_ros.vlm.config import ModelConfig

SMALL = Size(
    'small',
    {'dim': 64, 'ff_dim': 96, 'n_layers': 2, 'n_heads': 2, 'n_kv_heads': 2},
    {
        'enc_dim': 24,
        'enc_n_layers': 2,
        'enc_ff_dim': 40,
        'enc_n_heads': 2,
        'proj_out_dim': 64,
        'proj_inner_dim': 48,
    },
    {'dim': 64, 'inner_dim': 24},
)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return random_checkpoint(tmp_path_factory.mktemp('bench') / 'small', SMALL)


def test_the_exporter_opens_it(checkpoint):
    opened = open_checkpoint(checkpoint)
    assert opened.config.text.n_layers == 2 and opened.has_regions
    assert np.isfinite(opened.read('text.blocks.1.mlp.fc2.weight')).all()


def test_weights_are_scaled_by_their_inputs(checkpoint):
    weight = open_checkpoint(checkpoint).read('text.blocks.0.mlp.fc2.weight')
    assert weight.std() == pytest.approx(96**-0.5, rel=0.05)


def test_existing_checkpoint_is_reused(checkpoint):
    file = checkpoint / 'text-blocks-0.safetensors'
    before = file.stat().st_mtime_ns
    assert random_checkpoint(checkpoint, SMALL) == checkpoint
    assert file.stat().st_mtime_ns == before
    assert next(iter(load_file(file).values())).dtype == np.float16


def test_the_sizes_are_the_published_ones():
    config, published = ModelConfig.from_dict(SIZES['2b'].raw()), ModelConfig()
    for section in ('text', 'vision', 'region'):
        assert getattr(config, section) == getattr(published, section)
