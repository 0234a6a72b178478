"""The trained arithmetic is the reference's: same names, same numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.crops import normalise, overlap_crops
from kimi_train.examples import Example, embed, pack
from kimi_train.model import AttentionProbe, Moondream

GOLDEN = Path(__file__).parent.parent / 'golden' / 'moondream_small'


@pytest.fixture(scope='module')
def model():
    model = Moondream(ModelConfig.from_dict(json.loads((GOLDEN / 'config.json').read_text())))
    weights = load_file(GOLDEN / 'model.safetensors')
    model.load_state_dict({name.removeprefix('model.'): t for name, t in weights.items()})
    return model.eval()


def test_a_question_has_the_references_logits(model):
    case = json.loads((GOLDEN / 'cases.json').read_text())[3]
    expected = np.load(GOLDEN / 'expected.npz')
    assert case['tiling'] == [1, 1] and case['width'] == case['height'] == 378
    pixels = np.array(Image.open(GOLDEN / case['image']).convert('RGB'), np.float32)
    crop = torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1)[None]
    prompt = torch.tensor(case['query']['prompt_ids'])
    with torch.no_grad():
        features = model.vision.encode(crop)
        prefix = model.prefix(features)
        question = pack([[Example(prompt.tolist())]])
        p = prefix.shape[1]
        hidden, _, _ = model.text(
            prefix, embed(model, question), question.image, question.positions(p), question.mask(p)
        )
        logits = model.text.logits(hidden[0, -1]).numpy()
    np.testing.assert_allclose(features[0, ::27], expected['vision_global_3'], rtol=1e-3, atol=2e-4)
    wanted = expected['query_logits_3']
    np.testing.assert_allclose(logits, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize('index', [0, 3])
def test_images_of_any_size_have_the_references_embeddings(model, index):
    case = json.loads((GOLDEN / 'cases.json').read_text())[index]
    rgb = np.array(Image.open(GOLDEN / case['image']).convert('RGB'))
    crops = overlap_crops(rgb, model.config.vision)
    assert list(crops.tiling) == case['tiling']
    with torch.no_grad():
        found = model.images(torch.from_numpy(normalise(crops.unique)), [crops.tiling])[0, ::27]
    wanted = np.load(GOLDEN / 'expected.npz')[f'image_embeds_{index}']
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())


def test_attention_is_handed_out_where_it_is_asked_for():
    torch.manual_seed(0)
    rows, heads, length, prefix, dim = 2, 3, 4, 5, 6
    q, k = torch.randn(rows, heads, length, dim), torch.randn(rows, heads, prefix + length, dim)
    mask = torch.rand(rows, 1, length, prefix + length) < 0.7
    mask[..., 0] = True
    at = torch.tensor([[1, 1, 0, 3], [1, 0, 2, 1], [3, 1, 1, 0]])  # block, row, head, place
    attention = AttentionProbe(at)
    assert attention.blocks == {1, 3}
    assert attention.log_probabilities(3, q, k, mask).shape == (1, prefix + length)
    for got, (_, row, head, place) in zip(
        attention.log_probabilities(1, q, k, mask), at.tolist(), strict=False
    ):
        seen = mask[row, 0, place]
        scores = (k[row, head] @ q[row, head, place] / dim**0.5)[seen]
        torch.testing.assert_close(got[seen], scores.log_softmax(-1))
        assert torch.isneginf(got[~seen]).all()
