"""Prompts, sampling and the generation loop, over the fake engine."""

import dataclasses
import json

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from kimi_ros.vlm.errors import (
    GrammarError,
    ImageError,
    InputError,
    PromptTooLong,
    TaskNotSupported,
)
from kimi_ros.vlm.fake import ScriptedOutput
from kimi_ros.vlm.grammar import GrammarCompiler
from kimi_ros.vlm.prompt import query_prompt
from kimi_ros.vlm.results import Box, Grounding
from kimi_ros.vlm.sampling import Sampler, SamplingParams
from kimi_ros.vlm.tokenizer import TextTokenizer

PLAN = {
    'type': 'object',
    'properties': {
        'status': {'enum': ['ok', 'refused']},
        'say': {'type': 'string', 'maxLength': 30},
        'steps': {
            'type': 'array',
            'items': {
                'type': 'object',
                'properties': {'skill': {'enum': ['pick', 'locate']}, 'object': {'type': 'string'}},
                'required': ['skill', 'object'],
                'additionalProperties': False,
            },
        },
    },
    'required': ['status', 'say', 'steps'],
    'additionalProperties': False,
}


def test_generation_stops_at_eos(model_saying, rgb):
    model, engine = model_saying('the red cup')
    answer = model.query(model.encode_image(rgb), 'What?')
    assert answer.text == 'the red cup'
    assert answer.finish == 'stop'
    assert answer.ids == model.tokenizer.encode('the red cup')
    assert engine.steps[0] == len(answer.prompt_ids)


def test_generation_stops_at_max_tokens(model_saying):
    model, engine = model_saying('the red cup on the table')
    answer = model.query(None, 'What?', max_tokens=3)
    assert answer.finish == 'length'
    assert len(answer.ids) == 3
    # The last token is not fed back.
    assert engine.steps[1:] == [1, 1]


def test_generation_stops_at_the_context_length(model_saying, config):
    text = dataclasses.replace(config.text, max_context=740)
    model, engine = model_saying([50] * 1000, config=dataclasses.replace(config, text=text))
    answer = model.query(None, 'What?')
    assert answer.finish == 'length'
    assert engine.length <= 740
    assert len(answer.prompt_ids) + len(answer.ids) <= 741


def test_prompt_too_long_reports_the_excess(model_saying, rgb):
    model, _ = model_saying()
    image = model.encode_image(rgb)
    taken = 730 + len(model.query(image, 'word').prompt_ids)
    with pytest.raises(PromptTooLong) as caught:
        model.query(image, '杯' * 2000)
    ids = model.tokenizer.encode('杯' * 2000)
    excess = taken - len(model.tokenizer.encode('word')) + len(ids) - 2048
    assert caught.value.excess == excess
    assert str(excess) in str(caught.value)
    with pytest.raises(PromptTooLong):
        model.point(image, 'cup' * 3000)


def test_second_question_reuses_the_image_prefix(model_saying, rgb):
    model, engine = model_saying('yes')
    first, second = model.encode_image(rgb), model.encode_image(rgb[::2])
    model.query(first, 'What?')
    model.query(first, 'And?')
    model.point(first, 'cup', max_objects=1)
    assert engine.prefills == 1
    model.query(second, 'What?')
    model.query(first, 'What?')
    assert engine.prefills == 3
    model.query(None, 'What?')
    model.query(first, 'What?')
    assert engine.prefills == 4


def test_prompt_layout(config, tokenizer):
    words = tokenizer.encode
    prefix, suffix = config.tokenizer.templates.query.prefix, (3,)
    assert query_prompt(config, tokenizer, 'Is it?').ids == (
        *prefix,
        *words('Is it?'),
        *suffix,
        *suffix,
    )
    assert query_prompt(config, tokenizer, 'Is it?', reasoning=True).ids == (
        *prefix,
        *words('Is it?'),
        *suffix,
        4,
    )
    told = query_prompt(config, tokenizer, 'And?', with_image=False, history=[('Is it?', 'Yes')])
    assert told.ids == (
        0,
        *prefix,
        *words('Is it?'),
        3,
        3,
        *words('Yes'),
        0,
        *prefix,
        *words('And?'),
        3,
        3,
    )
    refs = query_prompt(
        config, tokenizer, 'Is it?', spatial_refs=[(0.25, 0.75), (0.1, 0.2, 0.6, 0.9)]
    )
    assert refs.ids == (*prefix, 5, 5, 5, 5, 6, *words('Is it?'), 3, 3)
    assert refs.coordinates == pytest.approx((0.25, 0.75, 0.35, 0.55))
    assert refs.sizes[0] == pytest.approx((0.5, 0.7))
    assert refs.size_at == (8,)


@pytest.mark.parametrize(
    ('refs', 'words'),
    [
        ([(0.5, float('nan'))], 'not within 0-1'),
        ([(320, 240)], 'divide pixels'),
        ([(0.5,)], r'\(x, y\)'),
        ([0.5], r'\(x, y\)'),
        ([(0.5, 0.5, 0.2, 0.9)], 'wrong order'),
        ([(0.1, 0.2, float('inf'), 0.4)], 'not within 0-1'),
    ],
)
def test_invalid_spatial_references_are_refused(model_saying, rgb, refs, words):
    model, _ = model_saying()
    with pytest.raises(InputError, match=words):
        model.query(model.encode_image(rgb), 'What?', spatial_refs=refs)


def test_invalid_arguments_raise_input_error(model_saying, rgb):
    model, engine = model_saying()
    image = model.encode_image(rgb)
    for call in (
        lambda: model.query(image, ''),
        lambda: model.query(image, '  \n'),
        lambda: model.query(image, None),
        lambda: model.query(image, 'x', max_tokens=0),
        lambda: model.query(image, 'x', temperature=-1),
        lambda: model.query(image, 'x', temperature=float('nan')),
        lambda: model.query(image, 'x', temperature=1, top_p=0),
        lambda: model.query(None, 'x', spatial_refs=[(0.5, 0.5)]),
        lambda: model.query(image, 'x', history=[('only a question',)]),
        lambda: model.query(image, 'x', grammar=['no grammar']),
        lambda: model.caption(image, 'endless'),
        lambda: model.point(image, ''),
        lambda: model.detect(image, 'cup', max_objects=0),
        lambda: model.query(image, 'x', max_tokens=True),
        lambda: model.query(image, 'x', temperature=None),
        lambda: model.query(image, 'x', temperature=1e-40),
        lambda: model.query(image, 'x', temperature=1, top_p=None),
        lambda: model.query(image, 'x', temperature=1, seed=-1),
        lambda: model.query(image, 'x', spatial_refs=3),
        lambda: model.query(image, 'x', spatial_refs=[(10**400, 0)]),
        lambda: model.query(image, 'x', history=3),
        lambda: model.query(image, 'x', history=[None]),
        lambda: model.query(image, 'x', history=['ab']),
        lambda: model.caption(image, ['short']),
        lambda: model.point(image, 'cup', max_objects=True),
        lambda: model.trace(rgb, []),
        lambda: model.trace(rgb, [-1]),
        lambda: model.trace(rgb, [model.config.text.vocab_size]),
    ):
        with pytest.raises(InputError):
            call()
    assert engine.steps == []


def test_numpy_scalars_are_accepted(model_saying, rgb):
    model, _ = model_saying()
    image = model.encode_image(rgb)
    refs = np.array([[0.25, 0.75], [0.5, 0.5]])
    settings = {'temperature': np.float32(1), 'seed': np.int64(3), 'max_tokens': np.int64(2)}
    asked = model.query(image, 'x', spatial_refs=refs, **settings)
    assert asked == model.query(
        image, 'x', spatial_refs=refs.tolist(), temperature=1, seed=3, max_tokens=2
    )
    assert len(model.point(image, 'cup', max_objects=np.int64(2))) <= 2


def test_image_of_another_model_is_refused(model_saying, rgb):
    image = model_saying()[0].encode_image(rgb)
    with pytest.raises(ImageError, match='another model'):
        model_saying()[0].query(image, 'What?')


def test_raw_pixels_are_refused(model_saying, rgb):
    model, _ = model_saying()
    for call in (
        lambda: model.query(rgb, 'What?'),
        lambda: model.caption(None),
        lambda: model.point(None, 'cup'),
    ):
        with pytest.raises(ImageError, match='encode_image'):
            call()


def test_unsupported_task_is_refused(model_saying, rgb):
    model, _ = model_saying(tasks=('query',))
    image = model.encode_image(rgb)
    for call, task in (
        (lambda: model.point(image, 'cup'), 'point'),
        (lambda: model.detect(image, 'cup'), 'detect'),
        (lambda: model.caption(image), 'caption'),
        (lambda: model.query(image, 'x', spatial_refs=[(0.5, 0.5)]), 'point'),
        (lambda: model.require('plan'), 'plan'),
    ):
        with pytest.raises(TaskNotSupported, match=f"'{task}'.*only query; "):
            call()


def test_captions_use_their_templates(model_saying, rgb, config):
    model, _ = model_saying('a table')
    answer = model.caption(model.encode_image(rgb), length='short')
    assert answer.text == 'a table'
    assert answer.prompt_ids == config.tokenizer.templates.caption['short']


def test_reasoning_returns_grounded_points(model_saying, rgb):
    model, _ = model_saying()
    words = model.tokenizer.encode
    place = [ScriptedOutput(5, bin=256), ScriptedOutput(5, bin=512)]
    thought = [*words('look '), 7, *place, *words('cup'), 9, *words(' ok')]
    script = [*thought, 3, *words('yes'), 0]
    model, engine = model_saying(script)
    answer = model.query(model.encode_image(rgb), 'Is it?', reasoning=True)
    assert answer.text == 'yes'
    assert answer.reasoning.text == 'look cup ok'
    assert answer.reasoning.grounding == (Grounding(5, 8, ((0.25, 0.5),)),)


def test_points_and_boxes_are_decoded_from_bins(model_saying, rgb):
    point = [ScriptedOutput(50, bin=512), ScriptedOutput(bin=256)]
    model, _ = model_saying([*point, *point, 0])
    points = model.point(model.encode_image(rgb), 'cup')
    assert [(p.x, p.y) for p in points] == [(0.5, 0.25)] * 2
    assert all(0 < p.score <= 1 for p in points)
    box = [ScriptedOutput(50, bin=512), ScriptedOutput(bin=0), ScriptedOutput(size=(1023, 0))]
    model, _ = model_saying([*box, 0])
    (found,) = model.detect(model.encode_image(rgb), 'cup')
    assert (found.x_min, found.x_max) == (0, 1)
    assert found.y_min == pytest.approx(-1 / 2048)
    assert found.clip() == Box(0, 0, 1, found.y_max, found.score)


def test_no_object_gives_an_empty_list(model_saying, rgb):
    model, _ = model_saying([0])
    image = model.encode_image(rgb)
    assert model.point(image, 'cup') == []
    assert model.detect(image, 'cup') == []


@pytest.mark.parametrize('task', ['point', 'detect'])
def test_what_is_less_present_than_the_threshold_is_not_there(model_saying, rgb, config, task):
    model, engine = model_saying([ScriptedOutput(50)] * 3 + [0])
    image, eos = model.encode_image(rgb), config.tokenizer.eos_id
    look = getattr(model, task)
    # The end of the list is about as likely as that there is something: 0.55 to 0.45.
    logits = np.full(config.text.vocab_size, -50, np.float32)
    logits[eos], logits[50] = np.log(0.55), np.log(0.45)
    engine.logits = lambda hidden: logits.copy()
    assert model.presence(image, 'cup', task) == pytest.approx(0.45, abs=1e-3)
    for threshold, found in ((None, 0), (0.46, 0), (0.44, 1)):
        model.presence_threshold = threshold
        assert len(look(image, 'cup')) == found
    logits[eos], logits[50] = logits[50], logits[eos]
    for threshold, found in ((None, 5), (0.54, 5), (0.56, 0)):
        model.presence_threshold = threshold
        assert len(look(image, 'cup', max_objects=5)) == found


def test_max_objects_limits_the_list(model_saying, rgb, config):
    model, engine = model_saying([ScriptedOutput(50)] * 5000)
    image = model.encode_image(rgb)
    assert len(model.point(image, 'cup', max_objects=4)) == 4
    assert len(model.point(image, 'cup')) == 50
    assert len(model.detect(image, 'cup', max_objects=5000)) > 400
    assert engine.length <= config.text.max_context


def test_grammar_feeds_fast_forward_tokens_in_one_step(model_saying):
    steps = [{'skill': 'pick', 'object': '红色的杯子'}]
    plan = {'status': 'ok', 'say': '我来拿，好', 'steps': steps}
    text = json.dumps(plan, ensure_ascii=False, separators=(',', ':'))
    model, engine = model_saying(text)
    answer = model.query(None, 'plan', grammar=PLAN, max_tokens=200)
    assert answer.text == text
    assert answer.finish == 'stop'
    assert answer.ids == model.tokenizer.encode(text)
    # Fast-forward tokens save more than half of the steps.
    assert len(engine.steps) < len(answer.ids) / 2
    assert sum(engine.steps) < len(answer.prompt_ids) + len(answer.ids) + 1


def test_grammar_masks_the_logits(model_saying):
    model, _ = model_saying('nonsense that is no JSON at all')
    schema = {'enum': ['yes', 'no']}
    assert json.loads(model.query(None, 'x', grammar=schema).text) in ('yes', 'no')
    assert model.query(None, 'x', grammar='start: "red" | "blue"').text in ('red', 'blue')


def test_grammar_cut_by_max_tokens_finishes_with_length(model_saying):
    model, _ = model_saying()
    for count in (1, 5, 30):
        answer = model.query(None, 'plan', grammar=PLAN, max_tokens=count)
        assert answer.finish == 'length'
        assert len(answer.ids) == count


def test_invalid_grammar_is_refused(model_saying):
    model, _ = model_saying()
    for grammar in ({'type': 'nothing'}, 'start: (', {'not': object()}):
        with pytest.raises(GrammarError):
            model.query(None, 'x', grammar=grammar)


def test_grammar_with_an_unsupported_tokenizer(config):
    words = Tokenizer(WordLevel({'a': 0, 'b': 1}, unk_token='a')).to_str()
    compiler = GrammarCompiler(TextTokenizer(words), config.text.vocab_size, eos_id=0)
    with pytest.raises(InputError, match='dict'):
        compiler.compile(['no grammar'])
    with pytest.raises(GrammarError, match='tokenizer'):
        compiler.compile({'enum': ['yes']})


def test_sampling_follows_temperature_top_p_and_seed():
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05]))

    def drawn(**settings):
        choose = Sampler(SamplingParams(1, **settings))
        return [choose(logits) for _ in range(400)]

    assert set(drawn(temperature=0.0)) == {0}
    assert set(drawn(temperature=1.0, top_p=0.1, seed=1)) == {0}
    # The sum before a token decides: 0, then 0.5, then 0.8.
    assert set(drawn(temperature=1.0, top_p=0.6, seed=1)) == {0, 1}
    free = drawn(temperature=1.0, top_p=1.0, seed=1)
    assert set(free) == {0, 1, 2, 3}
    assert free.count(0) == pytest.approx(200, abs=40)
    assert free == drawn(temperature=1.0, top_p=1.0, seed=1)
    assert free != drawn(temperature=1.0, top_p=1.0, seed=2)


def test_sampled_answers_repeat_with_their_seed(model_saying):
    model, _ = model_saying()
    settings = {'max_tokens': 8, 'temperature': 5.0, 'top_p': 1.0}
    answers = {model.query(None, 'x', seed=seed, **settings).ids for seed in (1, 1, 2, 3)}
    assert len(answers) == 3


@pytest.fixture
def first_release(config):
    """The golden config with the prompt format and the size bins of 2025-01-09."""
    special = dataclasses.replace(
        config.tokenizer,
        answer_id=None,
        thinking_id=None,
        coord_id=None,
        size_id=None,
        space_before_object=False,
        repeat_query_suffix=False,
    )
    region = dataclasses.replace(config.region, log_sizes=False)
    return dataclasses.replace(config, tokenizer=special, region=region)


def test_without_an_answer_id_no_token_is_suppressed(model_saying, first_release):
    model, _ = model_saying([50, 3, 51], config=first_release)
    assert model.query(None, 'What?').ids == (50, 3, 51)


def test_release_without_reasoning_refuses_it(model_saying, rgb, first_release):
    model, _ = model_saying('yes', config=first_release)
    with pytest.raises(InputError, match='no reasoning mode'):
        model.query(model.encode_image(rgb), 'What?', reasoning=True)
    with pytest.raises(InputError, match='spatial_refs'):
        model.query(model.encode_image(rgb), 'What?', spatial_refs=[(0.5, 0.5)])


def test_linear_sizes_of_boxes(model_saying, rgb, first_release):
    script = [ScriptedOutput(9, 512), ScriptedOutput(9, 256), ScriptedOutput(9, 0, (256, 128)), 0]
    model, _ = model_saying(script, config=first_release)
    (box,) = model.detect(model.encode_image(rgb), 'cup')
    assert (box.x_max - box.x_min, box.y_max - box.y_min) == pytest.approx((0.25, 0.125))
