"""Examples are the ids that the model meets in use, and say what follows at each."""

from dataclasses import replace

import pytest
import torch

from kimi_export.checkpoint import open_checkpoint
from kimi_ros.vlm.prompt import object_prompt, query_prompt
from kimi_ros.vlm.tokenizer import TextTokenizer
from kimi_train.examples import Example, pack
from kimi_train.tune.batches import EpochOrder, group_by_image
from kimi_train.tune.checkpoint import load_model
from kimi_train.tune.dataset import read_samples
from kimi_train.tune.losses import summed_losses, target_counts
from kimi_train.tune.samples import DataError, Pointed, Sample
from kimi_train.tune.tokenization import ExampleBuilder


@pytest.fixture(scope='module')
def opened(tiny):
    return open_checkpoint(tiny)


@pytest.fixture(scope='module')
def tokenizer(opened):
    return TextTokenizer.from_file(opened.tokenizer)


@pytest.fixture(scope='module')
def writer(opened, tokenizer):
    return ExampleBuilder(opened.config, tokenizer, has_regions=True)


def sample(task='query', words='What is it?', **changes):
    return Sample('data.jsonl:1', changes.pop('image', None), task, words, **changes)


def answered(example, start=0):
    """The ids that are learnt, in order, from a position on."""
    return [example.target_ids[at] for at in sorted(example.target_ids) if at >= start]


def test_a_question_is_prompted_as_in_use(writer, opened, tokenizer):
    refs = ((0.25, 0.5), (0.1, 0.2, 0.5, 0.6))
    example = writer.write(sample(answer='A cup.', spatial_refs=refs))
    prompt = query_prompt(opened.config, tokenizer, 'What is it?', spatial_refs=refs)
    answer = list(tokenizer.encode('A cup.'))
    assert example.ids == [*prompt.ids, *answer]
    assert example.coords == dict(zip(prompt.coordinate_at, prompt.coordinates, strict=True))
    assert example.sizes == dict(zip(prompt.size_at, prompt.sizes, strict=True))
    assert answered(example) == [*answer, opened.config.tokenizer.eos_id]
    assert min(example.target_ids) == len(prompt.ids) - 1


def test_every_answer_of_a_dialogue_is_learnt(writer, opened, tokenizer):
    history = (('Hello', 'Yes'), ('And then?', 'No'))
    example = writer.write(sample(answer='A cup.', history=history))
    prompt = query_prompt(opened.config, tokenizer, 'What is it?', history=history)
    eos = opened.config.tokenizer.eos_id
    assert example.ids == [*prompt.ids, *tokenizer.encode('A cup.')]
    wanted = [list(tokenizer.encode(text)) + [eos] for text in ('Yes', 'No', 'A cup.')]
    assert answered(example) == sum(wanted, [])


def test_a_reasoning_chain_points_while_it_speaks(writer, opened, tokenizer):
    chain = ('I see ', Pointed('a cup', ((0.25, 0.5),)), '.')
    example = writer.write(sample(answer='One.', reasoning=chain))
    t = opened.config.tokenizer
    prompt = query_prompt(opened.config, tokenizer, 'What is it?', reasoning=True)
    assert example.ids[: len(prompt.ids)] == list(prompt.ids)
    thoughts = [
        *tokenizer.encode('I see '),
        t.start_ground_points_id,
        *tokenizer.encode('a cup'),
        t.coord_id,
        t.coord_id,
        t.end_ground_id,
        *tokenizer.encode('.'),
    ]
    said = [*tokenizer.encode('One.'), t.eos_id]
    assert answered(example) == [*thoughts, t.answer_id, *said]
    following = example.ids[len(prompt.ids) + len(thoughts) :]
    assert following == [*t.templates.query.suffix, *said[:-1]]
    at = example.ids.index(t.coord_id)
    assert example.coords == {at: 0.25, at + 1: 0.5}
    assert example.target_coords == {at - 1: 0.25, at: 0.5}


@pytest.mark.parametrize('boxes', [False, True])
def test_places_are_learnt_where_they_are_decoded(writer, opened, tokenizer, boxes):
    t = opened.config.tokenizer
    places = ((0.25, 0.25, 0.5, 0.75), (0.5, 0.5, 1.0, 1.0)) if boxes else ((0.2, 0.4), (0.6, 0.8))
    task = 'detect' if boxes else 'point'
    example = writer.write(sample(task, 'cup', places=places))
    prompt = object_prompt(getattr(t.templates, task), tokenizer, 'cup')
    one = [t.coord_id, t.coord_id, t.size_id] if boxes else [t.coord_id, t.coord_id]
    assert example.ids == [*prompt.ids, *one, *one]
    # Whether another one follows is a token; the places are the region heads'.
    assert answered(example) == [t.coord_id, t.coord_id, t.eos_id]
    xs = [example.target_coords[at] for at in sorted(example.target_coords)]
    wanted = [0.375, 0.5, 0.75, 0.75] if boxes else [0.2, 0.4, 0.6, 0.8]
    assert xs == pytest.approx(wanted, abs=0.5 / 1024)
    if boxes:
        assert [*example.target_sizes.values()] == [
            pytest.approx((0.25, 0.5), rel=4e-3),
            pytest.approx((0.5, 0.5), rel=4e-3),
        ]
    nothing = writer.write(sample(task, 'cup'))
    assert answered(nothing) == [t.eos_id]


def test_points_of_a_release_without_a_coordinate_token_are_refused(opened, tokenizer):
    tokens = replace(opened.config.tokenizer, coord_id=None)
    older = ExampleBuilder(replace(opened.config, tokenizer=tokens), tokenizer, has_regions=True)
    with pytest.raises(DataError, match='from release 2025-06-21 on'):
        older.write_all([sample('point', 'cup', places=((0.1, 0.1),))])


def test_what_a_checkpoint_cannot_learn_is_named(opened, tokenizer):
    writer = ExampleBuilder(opened.config, tokenizer, has_regions=False)
    samples = [
        sample(answer='x ' * 2000),
        sample('point', 'cup', places=((0.1, 0.1),)),
        sample(answer='x', reasoning=(Pointed('a', ((0.1, 0.1),)),)),
        sample('caption', 'endless', answer='x'),
        sample(answer='A cup.'),
    ]
    with pytest.raises(DataError) as caught:
        writer.write_all(samples)
    long, *rest = caught.value.faults
    assert 'tokens longer than the context of 1024' in long
    assert [('region heads' in said, 'captions' in said) for said in rest] == [
        (True, False),
        (True, False),
        (False, True),
    ]


def test_lessons_on_one_prefix_are_what_they_are_alone(opened, writer, user_data):
    """Packed behind one image, padded or cut into batches: the same losses."""
    samples = read_samples([user_data])[:7]
    examples = [writer.write(s) for s in samples]
    model = load_model(opened)
    torch.manual_seed(0)
    images = torch.randn(2, opened.config.vision.patches, opened.config.text.dim)
    with torch.no_grad():
        together = summed_losses(model, pack([examples[:3], examples[3:]]), images)
        alone = [
            summed_losses(model, pack([[example]]), images[[0 if index < 3 else 1]])
            for index, example in enumerate(examples)
        ]
    for name, value in together.items():
        parts = sum(part[name] for part in alone if name in part)
        assert float(value) == pytest.approx(float(parts), rel=1e-5)
    assert target_counts(examples)['sizes'] == 2
    assert set(together) == {'words', 'coords', 'sizes'}


def test_lessons_share_an_image_until_it_is_full(user_data):
    samples = read_samples([user_data])
    groups = group_by_image(samples, [Example([1] * 10) for _ in samples], longest=25)
    sizes = [(unit.image.name if unit.image else None, len(unit.examples)) for unit in groups]
    full, rest = [('0.png', 2), ('1.png', 2)], [('0.png', 2), ('1.png', 1), ('2.png', 1), (None, 2)]
    assert sizes == full + rest


def test_the_order_is_the_seeds_and_an_epoch_has_everything(user_data):
    samples = read_samples([user_data])
    groups = group_by_image(samples, [Example([i]) for i, _ in enumerate(samples)], longest=0)

    def order(seed):
        epochs = EpochOrder(groups, 2, 4, seed)
        assert (epochs.steps, epochs.epoch_steps) == (5, 3)
        return [groups.index(unit) for step in range(5) for unit in epochs.groups_of_step(step)]

    assert order(3) == order(3) != order(4)
    assert sorted(order(3)[:10]) == sorted(order(3)[10:]) == list(range(10))
    assert order(3)[:10] != order(3)[10:]
