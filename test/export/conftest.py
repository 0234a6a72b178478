"""Checkpoints of any size with random weights, written as safetensors."""

import copy
import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from kimi_export.checkpoint import open_checkpoint
from kimi_export.names import region_shapes, text_shapes, vision_shapes
from kimi_export.progress import Progress
from kimi_ros.vlm.config import ModelConfig

SMALL = {
    'text': {
        'dim': 64,
        'ff_dim': 96,
        'n_layers': 2,
        'vocab_size': 40,
        'max_context': 64,
        'n_heads': 2,
    },
    'vision': {
        'enc_dim': 24,
        'enc_patch_size': 4,
        'enc_n_layers': 2,
        'enc_ff_dim': 40,
        'enc_n_heads': 2,
        'proj_out_dim': 64,
        'crop_size': 16,
        'max_crops': 4,
        'overlap_margin': 1,
        'proj_inner_dim': 48,
    },
    'region': {
        'dim': 64,
        'coord_feat_dim': 8,
        'coord_out_dim': 32,
        'size_feat_dim': 16,
        'size_out_dim': 64,
        'inner_dim': 24,
    },
    'tokenizer': {
        'templates': {
            'caption': {'short': [1, 20, 2], 'normal': [1, 21, 2], 'long': [1, 22, 2]},
            'query': {'prefix': [1, 23, 2], 'suffix': [3]},
            'detect': {'prefix': [1, 24, 2], 'suffix': [3]},
            'point': {'prefix': [1, 25, 2], 'suffix': [3]},
        }
    },
}


class Lines(Progress):
    """Records the lines."""

    def __init__(self):
        self.lines = []

    def log(self, line):
        self.lines.append(line)


def small_config(**sections):
    """The small config with some keys of its sections replaced; text.dim follows everywhere."""
    config = copy.deepcopy(SMALL)
    for section, changes in sections.items():
        config[section].update(changes)
    config['vision']['proj_out_dim'] = config['region']['dim'] = config['text']['dim']
    return config


def random_tensors(config, seed=0, regions=True):
    """Random tensors under the current names, f32, sized so that activations stay near 1."""
    sizes = ModelConfig.from_dict(config)
    shapes = vision_shapes(sizes) | text_shapes(sizes)
    if regions:
        shapes |= region_shapes(sizes)
    generator = np.random.default_rng(seed)
    tensors = {}
    for name, shape in shapes.items():
        inputs = np.prod(shape[1:]) if '.stem.' in name else shape[-1]
        values = generator.standard_normal(shape) / np.sqrt(inputs if len(shape) > 1 else 10)
        if '.ln' in name or 'post_ln' in name:
            values += name.endswith('weight')
        tensors[f'model.{name}'] = values.astype(np.float32)
    return tensors


def write_checkpoint(folder, tensors, config, words=30):
    """Write tensors, config and a tokenizer of so many words into the folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / 'model.safetensors')
    (folder / 'config.json').write_text(json.dumps(config))
    vocabulary = {f'w{index}': index for index in range(words)}
    Tokenizer(WordLevel(vocabulary, unk_token='w0')).save(str(folder / 'tokenizer.json'))
    return folder


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture(scope='session')
def make_config():
    return small_config


@pytest.fixture(scope='session')
def make_tensors():
    return random_tensors


@pytest.fixture
def make_checkpoint(tmp_path):
    """Write a checkpoint: `make(tensors, config, ...)`, both the small ones by default."""

    def make(tensors=None, config=None, name='checkpoint', **options):
        config = config or small_config()
        tensors = random_tensors(config) if tensors is None else tensors
        return write_checkpoint(tmp_path / name, tensors, config, **options)

    return make


@pytest.fixture(scope='session')
def golden(golden_checkpoint):
    """The golden checkpoint as the exporter opens it."""
    return open_checkpoint(golden_checkpoint)


@pytest.fixture
def golden_copy(golden_checkpoint, tmp_path):
    """A folder with the golden checkpoint's config and tokenizer, and its tensors to modify."""
    folder = tmp_path / 'golden_copy'
    folder.mkdir()
    for name in ('config.json', 'tokenizer.json'):
        shutil.copy(golden_checkpoint / name, folder)
    return folder, load_file(golden_checkpoint / 'model.safetensors')


@pytest.fixture(scope='session')
def older_name():
    return _older_name


def _older_name(name):
    """The name of a tensor in releases before 2025."""
    for new, old in (
        ('model.vision.patch_emb', 'vision_encoder.encoder.model.visual.patch_embed.linear'),
        ('model.vision.pos_emb', 'vision_encoder.encoder.model.visual.pos_embed'),
        ('model.vision.post_ln', 'vision_encoder.encoder.model.visual.norm'),
        ('model.vision.proj_mlp', 'vision_encoder.projection.mlp'),
        ('model.vision.blocks', 'vision_encoder.encoder.model.visual.blocks'),
        ('model.text.wte', 'text_model.transformer.embd.wte.weight'),
        ('model.text.lm_head', 'text_model.lm_head.linear'),
        ('model.text.post_ln', 'text_model.lm_head.ln'),
        ('model.text.blocks', 'text_model.transformer.h'),
        ('model.region.coord_features', 'region_model.coordinate_features.weight'),
        ('model.region.size_features', 'region_model.size_features.weight'),
        ('model.region.coord', 'region_model.coordinate'),
        ('model.region.size', 'region_model.size'),
    ):
        if name.startswith(new):
            name = old + name[len(new) :]
            break
    if name.startswith('text_model'):
        return name.replace('attn.qkv', 'mixer.Wqkv').replace('attn.proj', 'mixer.out_proj')
    return name.replace('.ln1.', '.norm1.').replace('.ln2.', '.norm2.')
