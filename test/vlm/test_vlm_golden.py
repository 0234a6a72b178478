"""Parity with the reference implementation, through the real engine and the public API."""

import json

import numpy as np
import pytest
from PIL import Image

from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.detection import detect_boxes, detect_points
from kimi_ros.vlm.prompt import object_prompt

# Where two logits are closer than this, fp32 sums in another order may swap them.
MARGIN = 0.002
# Tokens that the reference was allowed, where cases.json gives only a text.
REFERENCE_TOKENS, TEXT_ONLY_TOKENS, REASONING_TOKENS = 12, 12, 16
IMAGES = range(5)


@pytest.fixture(scope='module')
def model(golden_folder):
    with VisionLanguageModel.load(golden_folder, device='cpu') as loaded:
        yield loaded


@pytest.fixture(scope='module', params=IMAGES, ids=[f'image_{index}' for index in IMAGES])
def case(request, golden_cases, golden_checkpoint, model):
    """One golden image: its case, its arrays, the pixels and the encoded image."""
    cases, arrays = golden_cases
    case = cases[request.param]
    with Image.open(golden_checkpoint / case['image']) as picture:
        rgb = np.asarray(picture.convert('RGB'))
    suffix = f'_{request.param}'
    expected = {key[: -len(suffix)]: a for key, a in arrays.items() if key.endswith(suffix)}
    return case, expected, rgb, model.encode_image(rgb)


def assert_close(found, expected):
    """Within 1e-3 of the value or 1e-4 of the scale."""
    assert found.shape == expected.shape
    allowed = np.maximum(1e-3 * np.abs(expected), 1e-4 * np.abs(expected).max())
    assert (np.abs(found - expected) <= allowed).all()


def test_intermediate_arrays(model, case):
    case, expected, rgb, image = case
    trace = model.trace(rgb, case['query']['prompt_ids'])
    assert (rgb.shape[0], rgb.shape[1]) == (case['height'], case['width'])
    assert list(image.tiling) == case['tiling']
    assert len(trace['crop_mean']) == case['n_crops']
    assert model.config.prefix_length == case['prefix_len']
    assert_close(trace['crop_mean'], expected['crop_mean'])
    last = trace['crop_last'][::9, ::9].astype(int)
    assert np.abs(last - expected['crop_last']).max() <= 1
    assert_close(trace['vision_global'][::27], expected['vision_global'])
    assert_close(trace['image_embeds'][::27], expected['image_embeds'])
    assert_close(trace['k_last_norm'][:, ::27], expected['k_last_norm'])
    assert_close(trace['v_last'][:, ::90], expected['v_last'])
    assert_close(trace['query_logits'], expected['query_logits'])
    np.testing.assert_array_equal(image.embeds, trace['image_embeds'])


def test_query(model, case):
    case, _, _, image = case
    query = case['query']
    answer = model.query(image, query['question'], max_tokens=len(query['answer_ids']))
    assert list(answer.prompt_ids) == query['prompt_ids']
    sure = first_close_step(model, image, query['prompt_ids'], query['answer_ids'])
    assert sure > 0
    assert list(answer.ids[:sure]) == query['answer_ids'][:sure]
    if sure == len(query['answer_ids']):
        assert answer.text == query['answer']


def first_close_step(model, image, prompt_ids, answer_ids):
    """Number of tokens before the two largest logits are too close to compare."""
    engine = model._engine
    bos = engine.embed_tokens([model.config.tokenizer.bos_id])
    model.query(None, 'x', max_tokens=1)  # so that the model knows no image in the cache
    engine.prefill_image(np.concatenate([bos, image.embeds]))
    ids = prompt_ids
    for count, token in enumerate(answer_ids):
        second, first = np.sort(engine.logits(engine.step(engine.embed_tokens(ids))))[-2:]
        if first - second <= MARGIN:
            return count
        ids = [token]
    return len(answer_ids)


@pytest.mark.parametrize('length', ['short', 'normal', 'long'])
def test_caption(model, case, length):
    case, _, _, image = case
    caption = case['caption'][length]
    assert caption['min_top2_margin'] > MARGIN
    answer = model.caption(image, length, max_tokens=len(caption['ids']))
    assert list(answer.ids) == caption['ids']
    assert answer.text == caption['text']


def test_point(model, case):
    case, _, _, image = case
    points = model.point(image, case['point']['object'], max_objects=5)
    assert_same_places(points, case['point']['free_max5'])


def test_detect(model, case):
    case, _, _, image = case
    boxes = model.detect(image, case['detect']['object'], max_objects=5)
    assert_same_places(boxes, case['detect']['free_max5'])


@pytest.mark.parametrize(('task', 'find'), [('point', detect_points), ('detect', detect_boxes)])
def test_exactly_three_objects(model, case, task, find):
    case, _, _, image = case
    template = getattr(model.config.tokenizer.templates, task)
    prompt = object_prompt(template, model.tokenizer, case[task]['object'])
    assert list(prompt.ids) == case[task]['prompt_ids']
    engine = model._engine
    bos = engine.embed_tokens([model.config.tokenizer.bos_id])
    model.query(image, 'x', max_tokens=1)
    engine.prefill_image(np.concatenate([bos, image.embeds]))
    hidden = engine.step(prompt.embed(engine))
    assert int(engine.logits(hidden).argmax()) == case[task]['first_token']
    assert_same_places(find(engine, hidden, 3, stop_id=None), case[task]['forced_3'])


def test_spatial_references(model, case):
    case, _, _, image = case
    for refs, text in case['spatial'].items():
        answer = model.query(
            image,
            case['query']['question'],
            spatial_refs=json.loads(refs),
            max_tokens=REFERENCE_TOKENS,
        )
        assert answer.text == text


def test_reasoning(model, case):
    case, _, _, image = case
    answer = model.query(
        image, case['query']['question'], reasoning=True, max_tokens=REASONING_TOKENS
    )
    assert answer.reasoning.text == case['reasoning']['text']
    assert [vars(place) for place in answer.reasoning.grounding] == case['reasoning']['grounding']
    assert answer.text == case['reasoning']['answer']


def test_text_only(model, case):
    case = case[0]
    answer = model.query(None, case['query']['question'], max_tokens=TEXT_ONLY_TOKENS)
    assert answer.text == case['text_only']


def test_streamed_text_equals_the_whole(model, case):
    case, _, _, image = case
    question = case['query']['question']
    stream = model.query(image, question, max_tokens=24, stream=True)
    assert ''.join(stream) == stream.result().text
    assert stream.result() == model.query(image, question, max_tokens=24)


def assert_same_places(found, expected):
    assert len(found) == len(expected)
    for place, wanted in zip(found, expected, strict=True):
        for name, value in wanted.items():
            assert getattr(place, name) == pytest.approx(value, rel=1e-3, abs=1e-4)
        assert 0 <= place.score <= 1
